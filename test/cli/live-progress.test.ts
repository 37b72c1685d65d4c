import { describe, expect, test } from 'vitest';
import { createShellProgress, renderBar } from '../../src/cli/live-progress.ts';

const state = { op: 'invoke' as const, of: 400, failed: 0, throttled: 0, perSecond: 40, leftMs: 7_000 };

function start(isTerminal: boolean) {
  let nowMs = 0;
  let text = '';
  const progress = createShellProgress({
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} },
    say: (line) => {
      text += `${line}\n`;
    },
    ...(isTerminal && {
      draw: (drawn: string) => {
        text += drawn;
      },
    }),
    columns: 80,
  });
  return { progress, pass: (ms: number) => (nowMs += ms), text: () => text };
}

describe('createShellProgress()', () => {
  test('draws a bar again and again in place, and leaves one line of it', () => {
    const { progress, pass, text } = start(true);
    progress.step('Invoke orders:7');
    for (let done = 0; done <= 400; done += 100) {
      progress.load({ ...state, done });
      pass(100);
    }
    progress.note('done');
    progress.done();
    const bar = (filled: number, done: number): string =>
      `\r\u001b[K  ${'█'.repeat(filled)}${'░'.repeat(24 - filled)}  measured ${done} of 400, 40/s, 7 s left`;
    expect(text()).toBe(
      `Invoke orders:7 …\n${bar(0, 0)}${bar(6, 100)}${bar(12, 200)}${bar(18, 300)}\r\u001b[K  measured 400 of 400, 40/s\n  done\n`,
    );
  });

  test('draws ten times a second at most, and clears the bar when it is over early', () => {
    const { progress, pass, text } = start(true);
    for (const done of [1, 2, 3]) {
      progress.load({ ...state, done });
      pass(40);
    }
    progress.done();
    expect(text().split('\r').length - 1).toBe(2);
    expect(text().endsWith('\r\u001b[K')).toBe(true);
  });

  test('writes the lines of a log where there is no terminal', () => {
    const { progress, text } = start(false);
    for (const done of [1, 2, 400]) progress.load({ ...state, done });
    expect(text()).toBe('  measured 1 of 400, 40/s, 7 s left\n  measured 400 of 400, 40/s\n');
  });
});

test('renderBar() has no bar without a total, and fits the terminal', () => {
  expect(renderBar({ ...state, done: 10, of: Number.POSITIVE_INFINITY }, 80)).toBe('  measured 10, 40/s, 7 s left');
  expect(renderBar({ ...state, done: 200 }, 40)).toBe('  measured 200 of 400, 40/s, 7 s left');
  expect(renderBar({ ...state, done: 200 }, 20)).toHaveLength(19);
});
