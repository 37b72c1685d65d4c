import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Declaration, declarationKey, declarationsOf, mapFrames } from './pprof/map-frames.ts';
import { type BundleTranslator, createBundleTranslator } from './pprof/source-map.ts';
import type { MappedFunction, Recording } from './recordings/recording.ts';

/** Sentences a reader must know. */
interface Mapped {
  recording: Recording;
  warnings: string[];
}

const MAX_ENTRIES = 100_000;
const MAX_MAP_BYTES = 64 << 20;
const MAX_CANDIDATES = 16;
const SKIPPED = new Set(['node_modules', '.git']);
/** Of the named functions of a profile, so many must be where the bundle of the checkout has them. */
const LEAST_AGREEMENT = 0.8;

/**
 * The recording with the functions of bundles where their sources have them, by the maps of the checkout. A map is taken
 * when it is beside its bundle (`dist/index.mjs` and `dist/index.mjs.map`), the bundle's path ends as the profile's does,
 * and the bundle has the profile's functions where they are: a bundle that was not deployed says nothing.
 * @param workspace the checkout of the measured commit
 */
export function mapSources(recording: Recording, workspace: string): Mapped {
  const byFile = new Map<string, Declaration[]>();
  for (const profile of recording.profiles.values())
    for (const declaration of declarationsOf(profile)) {
      if (!/\.[cm]?js$/.test(declaration.file) || /(^|\/)node_modules\//.test(declaration.file)) continue;
      const known = byFile.get(declaration.file);
      if (known) known.push(declaration);
      else byFile.set(declaration.file, [declaration]);
    }
  if (byFile.size === 0) return { recording, warnings: [] };

  const maps = findMaps(workspace, new Set([...byFile.keys()].map((file) => `${baseName(file)}.map`)));
  const warnings: string[] = [];
  const mapped: MappedFunction[] = [];
  for (const [file, declarations] of byFile) {
    const candidates = maps.filter((map) => endsAlike(map.slice(0, -'.map'.length), file)).slice(0, MAX_CANDIDATES);
    if (candidates.length === 0) continue;
    const translator = bestOf(workspace, candidates, declarations);
    if (translator === undefined) {
      warnings.push(
        `${candidates[0]} is not the map of the ${file} that was measured: its functions are elsewhere. Have the bundle that was deployed in the checkout when the gate runs.`,
      );
      continue;
    }
    for (const from of declarations) {
      const to = translator.translate(from);
      if (to && mapped.length < MAX_MAPPED) mapped.push([from, to]);
    }
  }
  return { recording: applyMapped(recording, mapped), warnings };
}

/** What a recording may hold of them. */
const MAX_MAPPED = 5_000;

/** The recording with these functions where they come from; it remembers them for the next measurement of its version. */
export function applyMapped(recording: Recording, mapped: MappedFunction[]): Recording {
  if (mapped.length === 0) return recording;
  const known = new Map(mapped.map(([from, to]) => [declarationKey(from), to]));
  const profiles = new Map(
    [...recording.profiles].map(([type, profile]) => [
      type,
      mapFrames(profile, (declaration) => known.get(declarationKey(declaration))),
    ]),
  );
  return { manifest: { ...recording.manifest, mapped }, profiles };
}

/** The translator of the candidate that agrees best with the profile. */
function bestOf(workspace: string, candidates: string[], declarations: Declaration[]): BundleTranslator | undefined {
  let best: BundleTranslator | undefined;
  let most = LEAST_AGREEMENT;
  for (const map of candidates) {
    const translator = readTranslator(workspace, map);
    const agreement = translator?.agreement(declarations) ?? 0;
    if (agreement < most || (best && agreement === most)) continue;
    best = translator;
    most = agreement;
  }
  return best;
}

function readTranslator(workspace: string, map: string): BundleTranslator | undefined {
  try {
    const paths = [map, map.slice(0, -'.map'.length)].map((path) => join(workspace, path));
    if (paths.some((path) => statSync(path).size > MAX_MAP_BYTES)) return undefined;
    const [mapText, code] = paths.map((path) => readFileSync(path, 'utf8'));
    const directory = map.includes('/') ? map.slice(0, map.lastIndexOf('/')) : '';
    return createBundleTranslator({ code: code!, map: mapText!, directory });
  } catch {
    return undefined; // No bundle beside it, or no source map at all.
  }
}

/** Repository-relative paths of files with one of these names; links are not followed. */
function findMaps(workspace: string, names: Set<string>): string[] {
  const found: string[] = [];
  const folders = [''];
  let seen = 0;
  for (let folder = folders.pop(); folder !== undefined && seen < MAX_ENTRIES; folder = folders.pop()) {
    for (const entry of readFolder(join(workspace, folder))) {
      seen++;
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) folders.push(path);
      else if (entry.isFile() && names.has(entry.name)) found.push(path);
    }
  }
  return found.sort();
}

function readFolder(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return []; // No checkout, or a folder nobody may read.
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether one path is the other with folders before it. */
function endsAlike(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return long === short || long.endsWith(`/${short}`);
}
