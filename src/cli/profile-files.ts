import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Profile } from '../pprof/columns.ts';
import { DEFAULT_LIMITS, decodeProfile, ProfileError } from '../pprof/decode.ts';
import { gatherProfiles, type ProfileSource } from '../pprof/gather.ts';
import { counted, inert, type Shell } from './shell.ts';

/** What FILE means in every command, for help texts. */
export const FILE_HELP = 'a pprof file, a folder of them, s3://bucket/prefix, or - for standard input';

/**
 * Reads and merges what the arguments name. What cannot be read is left out and named on standard error.
 * @throws ProfileError if nothing can be read, or if the profiles do not fit together
 */
export async function readProfiles(paths: string[], shell: Shell): Promise<Profile> {
  const sources = (await Promise.all(paths.map((path) => sourcesOf(path, shell)))).flat();
  const [only] = sources;
  if (only === undefined) throw new ProfileError(`Cannot find any profile in ${paths.map(inert).join(', ')}.`);
  if (sources.length === 1) return readOne(only);
  const { profile, broken } = await gatherProfiles(sources);
  if (broken.length > 0) {
    shell.say(`Skipped ${broken.length} of ${counted(sources.length, 'profile')}:`);
    for (const { name, reason } of broken) shell.say(`  ${inert(name)}: ${inert(reason)}`);
  }
  return profile;
}

/** One profile as it is, not merged with itself: what it lists and never uses stays. */
async function readOne({ name, read }: ProfileSource): Promise<Profile> {
  try {
    return decodeProfile(await read());
  } catch (error) {
    if (error instanceof ProfileError) throw new ProfileError(`${inert(name)}: ${inert(error.message)}`);
    throw error;
  }
}

async function sourcesOf(path: string, shell: Shell): Promise<ProfileSource[]> {
  if (path.startsWith('s3://')) return (await import('./s3-profiles.ts')).listProfiles(path, shell);
  if (path === '-') return [{ name: 'standard input', read: readStandardInput }];
  return isFolder(path) ? filesBelow(path).map(fileSource) : [fileSource(path)];
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > DEFAULT_LIMITS.compressedBytes) throw tooLarge(`more than ${DEFAULT_LIMITS.compressedBytes}`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(bytes: string): ProfileError {
  return new ProfileError(`It has ${bytes} bytes: at most ${DEFAULT_LIMITS.compressedBytes} are read.`);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Files of a folder and of those in it, by name; not those whose name begins with a dot. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
    });
}

function fileSource(path: string): ProfileSource {
  return {
    name: path,
    read: async () => {
      try {
        const { size } = statSync(path);
        if (size > DEFAULT_LIMITS.compressedBytes) throw tooLarge(String(size));
        return readFileSync(path);
      } catch (error) {
        if (error instanceof ProfileError) throw error;
        throw new ProfileError(`Cannot read the file: ${fileFailure(error)}.`);
      }
    },
  };
}

const FILE_FAILURES = new Map([
  ['ENOENT', 'there is none of that name'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'it is a folder'],
  ['ENOSPC', 'the disk is full'],
  ['ENOTDIR', 'a part of its path is not a folder'],
]);

/** Why a file cannot be read or written, as the end of a sentence. */
export function fileFailure(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return FILE_FAILURES.get(code ?? '') ?? code ?? message;
}
