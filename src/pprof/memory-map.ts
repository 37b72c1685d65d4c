import { ProfileError } from './limits.ts';

/** A file in the memory of a process, as `/proc/self/maps` or a legacy profile lists it. */
export interface MappedFile {
  start: bigint;
  limit: bigint;
  offset: bigint;
  file: string;
  buildId: string;
}

/** Longer lines are skipped; so are what follows after so many, and longer definitions of variables. */
const MAX_LINE = 4096;
const MAX_LINES = 100_000;
const MAX_DEFINITION = 256;
const MAX_VARIABLES = 100;
/** Addresses times mapped files: every address is looked for in all files. */
const MAX_LOOKUPS = 50_000_000;

/**
 * Parses lines such as `00400000-00fcb000 r-xp 00000000 08:01 1234 /bin/x` or `00400000-00fcb000: /bin/x (@ff00) buildid`.
 * `name=value` lines define what `$name` stands for in later ones. Other lines are skipped, and so are files that hold no code.
 */
export function parseMemoryMap(lines: string[]): MappedFile[] {
  const files: MappedFile[] = [];
  const variables: [string, string][] = [];
  for (const line of lines.slice(0, MAX_LINES)) {
    if (line.length > MAX_LINE) continue;
    const text = expanded(line.trim(), variables);
    const file = parseEntry(text);
    if (file === undefined) {
      const equals = text.indexOf('=');
      if (equals > 0 && text.length < MAX_DEFINITION && variables.length < MAX_VARIABLES)
        variables.push([`$${text.slice(0, equals).trim()}`, text.slice(equals + 1).trim()]);
    } else if (file !== 'no code') files.push(file);
  }
  return ordered(joined(files));
}

// What a variable stands for may hold the name of a later one: the text must not grow without bound.
function expanded(line: string, variables: [string, string][]): string {
  let text = line;
  for (const [name, value] of variables) if (text.length <= MAX_LINE) text = text.replaceAll(name, () => value);
  return text.slice(0, MAX_LINE);
}

function parseEntry(line: string): MappedFile | 'no code' | undefined {
  const range = /^(?:0x)?([0-9a-f]{1,16})[\s-] *(?:0x)?([0-9a-f]{1,16}):?(?:\s|$)/i.exec(line);
  if (range === null) return undefined;
  const fields = line.slice(range[0].length).trim().split(/\s+/);
  const permissions = /^[-rwxp]+$/.test(fields[0]!) ? fields.shift()! : '';
  if (permissions !== '' && !permissions.includes('x')) return 'no code';
  const [start, limit] = [BigInt(`0x${range[1]}`), BigInt(`0x${range[2]}`)];
  const isProc = isHex(fields[0]) && /^[0-9a-f]+:[0-9a-f]+$/i.test(fields[1] ?? '');
  if (isProc) return { start, limit, offset: BigInt(`0x${fields[0]}`), file: fields[3] ?? '', buildId: '' };
  const [file = '', ...rest] = fields;
  const offset = /^\(@([0-9a-f]{1,16})\)$/i.exec(rest[0] ?? '');
  const buildId = offset === null ? rest[0] : rest[1];
  return {
    start,
    limit,
    offset: offset === null ? 0n : BigInt(`0x${offset[1]}`),
    file,
    buildId: isHex(buildId) ? buildId : '',
  };
}

function isHex(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]{1,64}$/i.test(text);
}

// Parts of one file that follow each other are one mapping.
function joined(files: MappedFile[]): MappedFile[] {
  const result: MappedFile[] = [];
  for (const file of files) {
    const last = result.at(-1);
    if (last === undefined || !isNext(last, file)) result.push({ ...file });
    else {
      last.limit = file.limit;
      last.file = file.file || last.file;
      last.buildId = file.buildId || last.buildId;
    }
  }
  return result;
}

function isNext(a: MappedFile, b: MappedFile): boolean {
  if (a.limit !== b.start) return false;
  if (a.file !== '' && b.file !== '' && a.file !== b.file) return false;
  if (a.buildId !== '' && b.buildId !== '' && a.buildId !== b.buildId) return false;
  return a.offset === 0n || b.offset === 0n || a.offset + (a.limit - a.start) === b.offset;
}

// The main binary comes first: it is the first file that is neither a library nor a pseudo file.
function ordered(files: MappedFile[]): MappedFile[] {
  const main = files.findIndex(({ file }) => {
    const name = file.replace('(deleted)', '').trim();
    return name !== '' && !name.startsWith('[') && !/[.]so(?:$|[._][0-9])/.test(name);
  });
  if (main > 0) [files[0], files[main]] = [files[main]!, files[0]!];
  return files;
}

/**
 * Which mapping each address is in, -1 for address 0. Addresses outside all mappings get one of their own, without a file, at
 * the end of the list.
 * @throws ProfileError if they are too many to be looked up.
 */
export function mapAddresses(
  addresses: bigint[],
  files: MappedFile[],
): { mappings: MappedFile[]; ofAddress: Int32Array } {
  if (addresses.length * files.length > MAX_LOOKUPS)
    throw new ProfileError(
      `Cannot read the profile: it has ${addresses.length} addresses and ${files.length} mapped files, more than can be looked up.`,
    );
  const mappings = files.map((file) => ({ ...file }));
  const [main] = mappings;
  if (main !== undefined && main.start - main.offset === 0x400000n)
    Object.assign(main, { start: 0x400000n, offset: 0n });
  let unknown = -1;
  const ofAddress = Int32Array.from(addresses, (address) => {
    if (address === 0n) return -1;
    const found = mappings.findIndex(({ start, limit }) => start <= address && address < limit);
    if (found >= 0) return found;
    const before = mappings.findIndex(
      ({ start, offset }) => offset !== 0n && start - offset <= address && address < start,
    );
    if (before >= 0) {
      const mapping = mappings[before]!;
      Object.assign(mapping, { start: mapping.start - mapping.offset, offset: 0n });
      return before;
    }
    if (unknown < 0)
      unknown = mappings.push({ start: 0n, limit: 2n ** 64n - 1n, offset: 0n, file: '', buildId: '' }) - 1;
    return unknown;
  });
  return { mappings, ofAddress };
}
