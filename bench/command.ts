/**
 * What the benchmark measures, as a process of its own: `merge OUT FILE…`, `diff OUT BASE… -- HEAD…`, `weigh OUT FILE…`
 * (merge, and the values of every function in every file), `gunzip FILE…`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Profile } from '../src/pprof/columns.ts';
import { diffFunctions, type FunctionDiff } from '../src/pprof/diff.ts';
import { encodeProfile } from '../src/pprof/encode.ts';
import { gatherProfiles } from '../src/pprof/gather.ts';
import { defaultSampleType } from '../src/pprof/sample-types.ts';
import { weighProfile } from '../src/pprof/weigh.ts';

async function gather(files: string[]): Promise<Profile> {
  const { profile } = await gatherProfiles(files.map((name) => ({ name, read: () => readFile(name) })));
  return profile;
}

async function main([command, ...rest]: string[]): Promise<void> {
  if (command === 'gunzip') {
    for (const file of rest) gunzipSync(readFileSync(file));
    return;
  }
  const [out, ...files] = rest;
  if (command === 'merge') writeFileSync(out!, gzipSync(encodeProfile(await gather(files)), { level: 6 }));
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
