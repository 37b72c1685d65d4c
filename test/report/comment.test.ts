import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MetricChange, MetricId } from '../../src/compare/comparison.ts';
import { commentKey, commentMarker, parseCommentMarker, renderComment } from '../../src/report/comment.ts';
import type { Report } from '../../src/report/report.ts';
import { assertHarmless, assertRectangularTables } from './markdown-check.ts';
import { hostileNames, hostileReport, sampleFunction, sampleMetric, samples } from './samples.ts';

const regression = samples.regression!;

describe('renderComment()', () => {
  for (const [state, report] of Object.entries(samples)) {
    it(`tells a reader about ${state}`, async () => {
      await expect(renderComment(report)).toMatchFileSnapshot(`fixtures/golden/comment-${state}.md`);
    });
    it(`uses only harmless Markdown for ${state}`, () => {
      assertHarmless(renderComment(report));
      assertRectangularTables(renderComment(report));
    });
  }

  it('has the marker in the first line and the verdict in the second', () => {
    for (const report of Object.values(samples)) {
      const [marker = '', heading = ''] = renderComment(report).split('\n');
      expect(parseCommentMarker(marker)).toBeDefined();
      expect(heading).toMatch(/^### \S+ orders: /);
    }
  });

  it.each(hostileNames.map((name) => [name.slice(0, 40), name]))('shows %j as text wherever it appears', (_, name) => {
    const comment = renderComment(hostileReport(name));
    assertHarmless(comment);
    assertRectangularTables(comment);
    expect(Buffer.byteLength(comment)).toBeLessThanOrEqual(60_000);
    expect(parseCommentMarker(comment)?.key).toBe(commentKey(name));
  });

  it('links every function to its frame in the page when it is known where the page is', () => {
    const pageUrl = 'https://github.com/octo-org/orders/pages/8f3a1b0.html';
    const comment = renderComment({ ...regression, pageUrl });
    expect(comment).toContain(
      `[\`pricing.sortRules\`](${pageUrl}#f=github.com%2Focto-org%2Forders%2Fpricing.sortRules)`,
    );
    expect(comment).toContain(`[Differential flame graph](${pageUrl}).`);
    for (const name of hostileNames) {
      const hostile = renderComment({ ...hostileReport(name), pageUrl });
      assertHarmless(hostile);
      assertRectangularTables(hostile);
    }
    expect(renderComment({ ...regression, pageUrl: 'javascript:alert(1)' })).not.toContain('javascript');
  });

  it('shows at most `top` rows: functions, room for those that got faster, and totals over their budget', () => {
    const functions = [
      ...Array.from({ length: 20 }, (_, index) => sampleFunction(`slow${index}`, 1, 3 + index)),
      ...Array.from({ length: 20 }, (_, index) => sampleFunction(`fast${index}`, 3 + index, 1)),
    ];
    const open = (metrics: MetricChange[]) => {
      const report = { ...regression, comparison: { ...regression.comparison!, functions, metrics } };
      return renderComment(report).split('<details>')[0]!;
    };
    const unchanged = open([]);
    expect(unchanged.match(/`slow\d+`/g)).toEqual(['`slow19`', '`slow18`', '`slow17`']);
    expect(unchanged.match(/`fast\d+`/g)).toEqual(['`fast19`', '`fast18`']);
    const more = open([
      sampleMetric('cpu', 'ms', 10, 12, 'more'),
      sampleMetric('duration', 'ms', 10, 10, 'unchanged'),
      sampleMetric('allocated', 'bytes', 1e6, 2e6, 'more'),
      sampleMetric('memory', 'MB', 90, 180, 'more'),
    ]);
    expect(more.match(/^\| `\w+`/gm)).toEqual(['| `slow19`', '| `slow18`']);
    expect(more.match(/^\| \*\*[^*]+\*\*/gm)).toEqual([
      '| **CPU / invocation**',
      '| **Allocated / invocation**',
      '| **Peak memory**',
    ]);
    expect(more).not.toContain('Duration');
    const all = open(
      ['cpu', 'duration', 'billed', 'cost', 'allocated'].map((id) =>
        sampleMetric(id as MetricId, 'ms', 10, 20, 'more'),
      ),
    );
    expect(all.match(/^\| `\w+`/gm)).toHaveLength(2);
    expect(all.match(/^\| \*\*[^*]+\*\*/gm)).toEqual([
      '| **CPU / invocation**',
      '| **Duration**',
      '| **Allocated / invocation**',
    ]);
  });

  it('says at which budget a function stands, by its own limits when it has some', () => {
    const functions = [
      sampleFunction('over', 1, 2),
      sampleFunction('own', 1, 1.5),
      sampleFunction('added', 0, 1),
      sampleFunction('warned', 1, 1.07),
      sampleFunction('small', 0.1, 0.12),
      sampleFunction('less', 2, 1),
      sampleFunction('collector', 1, 2, { kind: 'gc' }),
      sampleFunction('moved', 1, 2, { change: 'moved', movedFrom: 'a.go' }),
    ];
    const keys = functions.map(({ key }) => key);
    const report: Report = {
      ...regression,
      top: 20,
      budget: { ...regression.budget, functions: { [keys[1]!]: { fail: 0.3, warn: 0.2, least: 0.5 } } },
      verdict: { ...regression.verdict, regressed: keys.slice(0, 3), warned: [keys[3]!] },
      comparison: { ...regression.comparison!, functions, metrics: [] },
    };
    const budgets = (of: Report) =>
      Object.fromEntries(
        Array.from(
          renderComment(of)
            .split('<details>')[0]!
            .matchAll(/^\| `(\w+)`.*\| ([^|]+) \|$/gm),
          (match) => [match[1], match[2]!.replaceAll('\u00a0', ' ')],
        ),
      );
    expect(budgets(report)).toEqual({
      over: '❌ over +10%',
      own: '❌ over +30%',
      added: '❌ over 0.20 ms',
      warned: '⚠️ over +5%',
      small: '✅ below the limits',
      less: '✅ less',
      collector: 'not gated',
      moved: '—',
    });
    expect(budgets({ ...report, verdict: { ...report.verdict, kind: 'warn' } }).over).toBe('⚠️ over +10%');
    const unsure = { ...report.verdict, kind: 'inconclusive' as const, regressed: [], warned: [] };
    expect(budgets({ ...report, verdict: unsure }).over).toBe('—');
  });

  it('shortens long names in the open table by their package, and has them whole in the folded one', () => {
    const name = 'github.com/octo-org/orders/internal/pricing.(*RuleEngine).ApplyDiscounts';
    const comment = renderComment({
      ...regression,
      comparison: { ...regression.comparison!, functions: [sampleFunction(name, 1, 2, { renamedFrom: `${name}Old` })] },
    });
    const [open, folded] = comment.split('<details>') as [string, string];
    expect(open).toContain('| `…(*RuleEngine).ApplyDiscounts` · renamed from `…ApplyDiscountsOld`');
    expect(folded).toContain(`\`${name}\` · renamed from \`${name}Old\``);
  });

  it('counts one in the singular', () => {
    const side = { ...regression.head!, instances: regression.head!.instances.slice(0, 1) };
    const one = { ...side, invocations: { ...side.invocations, succeeded: 1 } };
    const functions = [sampleFunction('only', 1, 2)];
    const report = { ...regression, base: { ...regression.base!, ...one, distance: 1 }, head: one };
    const comment = renderComment({ ...report, comparison: { ...regression.comparison!, functions } });
    expect(comment).toContain('1 commit behind');
    expect(comment).toContain('1 invocation on 1 instance per side.');
    expect(comment).toContain('The one function that changed');
    expect(comment).not.toMatch(/\b1 (commits|invocations|instances|functions)\b/);
    const other = { ...report, base: { ...regression.base! } };
    expect(renderComment(other)).toContain('4,999 → 1 invocation on 8 → 1 instance.');
  });

  it('puts own code before libraries and the runtime, whatever their size', () => {
    const functions = [
      sampleFunction('library', 1, 90, { kind: 'library' }),
      sampleFunction('own', 1, 2),
      sampleFunction('runtime', 1, 80, { kind: 'runtime' }),
    ];
    const report = { ...regression, comparison: { ...regression.comparison!, functions } };
    const open = renderComment(report).split('<details>')[0]!;
    expect(open.match(/`(own|library|runtime)`/g)).toEqual(['`own`', '`library`', '`runtime`']);
  });

  it('links gone functions to the base commit and the others to the head commit', () => {
    const comment = renderComment(regression);
    expect(comment).toContain(`/blob/${regression.base!.commit}/pricing/tax.go#L12`);
    expect(comment).toContain(`/blob/${regression.head!.commit}/pricing/rules.go#L88`);
  });

  it('links on the server and under the path of a GitHub Enterprise Server', () => {
    const repository = { serverUrl: 'https://example.com/github/', owner: 'octo-org', name: 'orders' };
    expect(renderComment({ ...regression, repository })).toContain(
      `](https://example.com/github/octo-org/orders/blob/${regression.head!.commit}/pricing/rules.go#L88)`,
    );
  });

  it('writes no link to a server, a commit or a run that is not one', () => {
    const forged = {
      ...regression,
      repository: { serverUrl: 'javascript:alert(1)//', owner: 'octo-org', name: 'orders' },
      run: { id: 1, attempt: 1, url: 'https://example.com/phishing' },
    };
    expect(renderComment(forged)).not.toContain('](');
    const elsewhere = { ...regression, run: { id: 1, attempt: 1, url: 'https://example.com/phishing' } };
    expect(renderComment(elsewhere)).not.toContain('example.com');
    const commit = { ...regression.head!, commit: '../../../evil' };
    expect(renderComment({ ...regression, head: commit })).not.toContain('evil/');
  });

  it('says nothing about metrics that were not measured', () => {
    expect(renderComment(regression)).not.toContain('Init duration');
  });

  it('fits 60,000 bytes with 5,000 functions, in whole rows, and says what is missing', () => {
    const functions = Array.from({ length: 5_000 }, (_, index) =>
      sampleFunction(`pricing.function${index}λ`, 1, 1 + index / 100, { file: `/build/f${index}.go`, line: index }),
    );
    const comment = renderComment({ ...regression, comparison: { ...regression.comparison!, functions } });
    expect(Buffer.byteLength(comment)).toBeLessThanOrEqual(60_000);
    expect(Buffer.byteLength(comment)).toBeGreaterThan(55_000);
    expect(comment).toMatch(/[\d,]+ more rows do not fit here; `report\.json` has them all\./);
    expect(comment).toContain('How this was decided');
    expect(comment).toContain('**Next:**');
    assertHarmless(comment);
    assertRectangularTables(comment);
  });

  it('keeps the verdict in any budget', () => {
    for (const budget of [0, 300, 1_000, 3_000, 8_000]) {
      const comment = renderComment(regression, budget);
      expect(comment.split('\n')[1]).toContain('2 functions use more CPU');
      expect(Buffer.byteLength(comment)).toBeLessThanOrEqual(Math.max(budget, 400));
      assertHarmless(comment);
    }
  });

  it('gives equal text for equal reports', () => {
    expect(renderComment(structuredClone(regression))).toBe(renderComment(regression));
  });
});

describe('parseCommentMarker()', () => {
  it('reads what commentMarker() wrote, for any key', () => {
    const parts = fc.tuple(fc.string({ unit: 'binary', maxLength: 300 }), fc.nat(), fc.nat());
    fc.assert(
      fc.property(parts, ([key, id, attempt]) => {
        const marker = commentMarker({ key, run: { id, attempt, url: '' }, commit: '8f3a1b0' });
        expect(marker.indexOf('-->')).toBe(marker.length - 3);
        expect(marker).not.toMatch(/--!>|\s\s|\n/);
        expect(parseCommentMarker(`${marker}\nbody`)).toEqual({
          key: commentKey(key),
          run: id,
          attempt,
          commit: '8f3a1b0',
        });
      }),
    );
  });
  it('tells long keys with one beginning apart', () => {
    expect(commentKey(`${'a'.repeat(500)}1`)).not.toBe(commentKey(`${'a'.repeat(500)}2`));
  });
  it('reads a body with carriage returns', () => {
    expect(parseCommentMarker(`${commentMarker({ key: 'a' })}\r\ntext`)).toEqual({
      key: 'a',
      run: 0,
      attempt: 0,
      commit: '',
    });
  });
  it('ignores a marker that is not the first line, and other comments', () => {
    for (const body of [
      '',
      'hello',
      `quoted\n${commentMarker({ key: 'a' })}`,
      '<!-- lambda-profile:v1 key=%E0 run=1 attempt=1 commit= -->',
    ]) {
      expect(parseCommentMarker(body)).toBeUndefined();
    }
  });
});
