import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseFlushReply } from '../../src/lambda/run-protocol.ts';
import { PROFILE_TYPES, parseSnapshotKey } from '../../src/snapshots/layout.ts';
import { parseWindow } from '../../src/snapshots/window.ts';

const text = readFileSync(fileURLToPath(new URL('../../docs/producers.md', import.meta.url)), 'utf8');
const json = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, block]) => block!);

describe('docs/producers.md', () => {
  it('shows a key, a window and a reply that the gate understands', () => {
    const key = /^(sparta\/pprof\/.*\.profile)$/m.exec(text)![1]!;
    expect(parseSnapshotKey(key, 'sparta/pprof', 'orders')).toMatchObject({ type: 'cpu', slot: 0 });
    expect(parseWindow([`lambda-profile:${json[0]}`])).toMatchObject({ sequence: 4, invocations: { n: 50 } });
    expect(parseFlushReply(Buffer.from(json[1]!))).toMatchObject({ run: 'run-1', invocations: 50 });
  });

  it('names every type', () => {
    for (const type of PROFILE_TYPES) expect(text).toContain(`\`${type}\``);
  });
});
