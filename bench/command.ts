/**
 * What the benchmark measures, as a process of its own: `merge OUT FILE…`, `diff OUT BASE… -- HEAD…`, `sum FILE…` (merge
 * without writing), `weigh FILE…` (the same, and self and total of every function in every file), `gunzip FILE…`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Profile } from '../src/pprof/columns.ts';
import { Decoder } from '../src/pprof/decode.ts';
import { diffFunctions, type FunctionDiff } from '../src/pprof/diff.ts';
import { gzipProfile } from '../src/pprof/encode.ts';
import { gatherProfiles } from '../src/pprof/gather.ts';
import { inflateAside } from '../src/pprof/inflate.ts';
import { Merge } from '../src/pprof/merge.ts';
import { defaultSampleType } from '../src/pprof/sample-types.ts';
import { weighProfile, weighSides } from '../src/pprof/weigh.ts';

async function gather(files: string[]): Promise<Profile> {
  const { profile } = await gatherProfiles(files.map((name) => ({ name, read: async () => readFileSync(name) })));
  return profile;
}

/** Merges files into one side, or each into a side of its own, as instances of one build. */
async function mergeSides(files: string[], sides: number): Promise<Merge> {
  const decoder = new Decoder();
  const merge = new Merge(sides, true);
  const inflated = (file: string | undefined) => (file === undefined ? undefined : inflateAside(readFileSync(file)));
  const ahead = files.slice(0, 6).map(inflated);
  for (const [i] of files.entries()) {
    merge.add(decoder.decode((await ahead.shift())!), sides === 1 ? 0 : i);
    ahead.push(inflated(files[i + 6]));
  }
  return merge;
}

async function main([command, ...rest]: string[]): Promise<void> {
  if (command === 'gunzip') {
    for (const file of rest) gunzipSync(readFileSync(file));
    return;
  }
  if (command === 'sum' || command === 'weigh') {
    const merge = await mergeSides(rest, command === 'weigh' ? rest.length : 1);
    if (command === 'weigh') weighSides(merge, defaultSampleType(merge.stacks()), rest);
    return;
  }
  const [out, ...files] = rest;
  if (command === 'merge') writeFileSync(out!, gzipProfile(await gather(files)));
  else if (command === 'diff') writeFileSync(out!, JSON.stringify(await diff(files)));
}

async function diff(files: string[]): Promise<FunctionDiff[]> {
  const middle = files.indexOf('--');
  const base = await gather(files.slice(0, middle));
  const head = await gather(files.slice(middle + 1));
  const type = defaultSampleType(head);
  return diffFunctions(weighProfile(base, type), weighProfile(head, type));
}

main(process.argv.slice(2));
