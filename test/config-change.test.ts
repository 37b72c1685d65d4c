import { describe, expect, it } from 'vitest';
import { describeConfigChange } from '../src/config-change.ts';

const path = '.github/lambda-profile.yml';

describe('describeConfigChange()', () => {
  it('names every key that differs, with both values', () => {
    const base = 'fail-threshold: 10%\nthresholds:\n  cpu: { fail: 8%, warn: 4% }\n';
    const head = 'fail-threshold: 50%\nthresholds:\n  cpu: { fail: 8% }\nignore: [slow]\n';
    expect(describeConfigChange(path, base, head)).toBe(
      `This pull request changes ${path} (fail-threshold: 10% → 50%; ignore: not set → ["slow"]; thresholds.cpu.warn: 4% → not set). It is judged by the file of its base branch; the change counts once it is merged.`,
    );
  });

  it('tells a file that is new or gone, and says nothing of comments and order', () => {
    expect(describeConfigChange(path, undefined, 'top: 3')).toContain('(top: not set → 3)');
    expect(describeConfigChange(path, 'top: 3', undefined)).toContain('(top: 3 → not set)');
    expect(describeConfigChange(path, 'top: 3\ncomment: never', '# quiet\ncomment: never\ntop: 3')).toBeUndefined();
  });

  it('stays short whatever the pull request writes', () => {
    const many = Array.from({ length: 5_000 }, (_, i) => `key${i}: ${'x'.repeat(200)}`).join('\n');
    const text = describeConfigChange(path, undefined, many)!;
    expect(text.length).toBeLessThan(2_000);
    expect(text).toContain('990 more');
    expect(describeConfigChange(path, undefined, '&a [*a, *a]')).toBeUndefined();
    expect(describeConfigChange(path, 'top: 3', '[broken')).toContain('top: 3 → not set');
  });
});
