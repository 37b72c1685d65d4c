import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { mergeProfiles, subtractProfile } from '../../src/pprof/merge.ts';
import { weighProfile } from '../../src/pprof/weigh.ts';
import { valuesBySample } from '../pprof/canonical.ts';
import type { Outcomes } from './outcomes.ts';

const CUMULATIVE = ['alloc_objects', 'alloc_space', 'contentions', 'delay'];

/** Pairs of cumulative profiles: every counter of the difference is after minus before, computed here by text keys. */
export function checkDeltas(directory: string, outcomes: Outcomes): void {
  const pairs = join(directory, 'dd-trace-go', 'profiler', 'internal', 'fastdelta', 'testdata');
  const files = readdirSync(pairs).filter((name) => name.endsWith('.before.pprof'));
  for (const file of files)
    outcomes.check(`delta of ${file}`, () => {
      const before = decodeProfile(readFileSync(join(pairs, file)));
      const after = decodeProfile(readFileSync(join(pairs, file.replace('.before.', '.after.'))));
      const types = after.sampleTypes.map(({ type }) => type).filter((type) => CUMULATIVE.includes(type));
      const { profile, clamped } = subtractProfile(after, before, types);
      const differences: string[] = [];
      let negative = 0;
      for (const [column, { type }] of after.sampleTypes.entries()) {
        const earlier = types.includes(type) ? valuesBySample(before, column) : new Map<string, bigint>();
        const later = valuesBySample(after, column);
        const found = valuesBySample(profile, column);
        for (const key of new Set([...later.keys(), ...earlier.keys()])) {
          const exact = (later.get(key) ?? 0n) - (earlier.get(key) ?? 0n);
          if (exact < 0n) negative++;
          if ((found.get(key) ?? 0n) !== (exact < 0n ? 0n : exact)) differences.push(`${type} of ${key.slice(0, 200)}`);
        }
      }
      if (clamped !== negative) differences.push(`${clamped} counters clamped, expected ${negative}`);
      return differences;
    });
}

interface Event {
  instance: string;
  seq: number;
  inv_before_cpu: number;
  inv_after_cpu: number;
}

/**
 * A function that publishes as Sparta does, whose invocations were counted: CPU time per invocation from the windows, and
 * bytes allocated per invocation from first to last snapshot, where adding up all snapshots would count most of them twice.
 */
export function checkGroundTruth(directory: string, outcomes: Outcomes): void {
  const cpuMs = new Map<string, number>();
  for (const side of ['base', 'head']) {
    const archive = join(directory, 'own-sparta-sim', side, 'archive');
    const events = readFileSync(join(directory, 'own-sparta-sim', side, 'events.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Event);
    const load = (file: string) => decodeProfile(readFileSync(join(archive, file)));
    const sum = (profile: ReturnType<typeof load>, type: string) => weighProfile(profile, type).totals[0]!;
    outcomes.check(`CPU per invocation of ${side}`, () => {
      const files = readdirSync(archive).filter((file) => file.includes('.cpu.'));
      const invocations = events.reduce((n, event) => n + event.inv_after_cpu - event.inv_before_cpu, 0);
      const milliseconds = sum(mergeProfiles(files.map(load)), 'cpu') / 1e6 / invocations;
      cpuMs.set(side, milliseconds);
      const [from, to] = side === 'base' ? [2.77, 3.27] : [4.03, 4.63];
      return milliseconds >= from! && milliseconds <= to! ? [] : [`${milliseconds} ms, expected ${from} to ${to}`];
    });
    outcomes.check(`bytes allocated per invocation of ${side}`, () => {
      const differences: string[] = [];
      for (const instance of new Set(events.map((event) => event.instance))) {
        const own = events.filter((event) => event.instance === instance).sort((a, b) => a.seq - b.seq);
        const snapshot = (seq: number) => load(`${instance}.seq${String(seq).padStart(2, '0')}.heap.pb.gz`);
        const first = own[0]!;
        const last = own.at(-1)!;
        const { profile, clamped } = subtractProfile(snapshot(last.seq), snapshot(first.seq), [
          'alloc_space',
          'alloc_objects',
        ]);
        const kilobytes = sum(profile, 'alloc_space') / 1024 / (last.inv_after_cpu - first.inv_after_cpu);
        if (clamped > 0) differences.push(`${instance}: ${clamped} counters went down`);
        if (kilobytes < 1000 || kilobytes > 1400) differences.push(`${instance}: ${kilobytes} KB`);
      }
      return differences;
    });
  }
  outcomes.check('the head of the simulation is 43 % slower', () => {
    const ratio = cpuMs.get('head')! / cpuMs.get('base')!;
    return ratio > 1.35 && ratio < 1.51 ? [] : [`${ratio}`];
  });
}
