import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { invalidParameter } from './errors.ts';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const UTF8_NAMES = 0x800;
const FILE_TYPE = 0o170000;
const SYMBOLIC_LINK = 0o120000;

/**
 * Unix modes of a zip's entries by name, from the upper half of the external attributes (PKZIP APPNOTE 4.4.15); 0 for
 * an archive made without them. The unzip library does not hand them out.
 */
function readModes(zip: Buffer): Map<string, number> {
  const modes = new Map<string, number>();
  let end = zip.length - 22;
  while (end >= 0 && zip.readUInt32LE(end) !== END_OF_DIRECTORY) end--;
  if (end < 0) return modes;
  let offset = zip.readUInt32LE(end + 16);
  while (offset + 46 <= end && zip.readUInt32LE(offset) === DIRECTORY_ENTRY) {
    const nameLength = zip.readUInt16LE(offset + 28);
    const latin1 = (zip.readUInt16LE(offset + 8) & UTF8_NAMES) === 0;
    const name = strFromU8(zip.subarray(offset + 46, offset + 46 + nameLength), latin1);
    modes.set(name, zip.readUInt16LE(offset + 40));
    offset += 46 + nameLength + zip.readUInt16LE(offset + 30) + zip.readUInt16LE(offset + 32);
  }
  return modes;
}

const isInside = (directory: string, path: string) => {
  const way = relative(directory, path);
  return way !== '' && !way.startsWith('..');
};

/**
 * Unpacks a zip into `directory`, keeping permission bits and symbolic links; later archives overwrite earlier files, as
 * layers do. `edit` may replace the contents of an entry.
 * @throws LambdaApiError 400 for bytes that are not a zip, or entries that leave the directory
 */
export function extractZip(
  zip: Uint8Array,
  directory: string,
  edit: (contents: Uint8Array) => Uint8Array = (contents) => contents,
): void {
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(zip);
  } catch {
    throw invalidParameter('Could not unzip uploaded file. Please check your file, then try to upload again.');
  }
  const modes = readModes(Buffer.from(zip.buffer, zip.byteOffset, zip.byteLength));
  mkdirSync(directory, { recursive: true });
  for (const [name, contents] of Object.entries(entries)) {
    const path = resolve(directory, name);
    if (!isInside(directory, path)) throw invalidParameter(`The archive entry ${name} is outside of the archive.`);
    const mode = modes.get(name) ?? 0;
    if (name.endsWith('/')) {
      mkdirSync(path, { recursive: true });
      continue;
    }
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true }); // never write through a link of an earlier archive
    if ((mode & FILE_TYPE) === SYMBOLIC_LINK) {
      const target = strFromU8(contents);
      if (!isInside(directory, resolve(dirname(path), target))) {
        throw invalidParameter(`The symbolic link ${name} points outside of the archive.`);
      }
      symlinkSync(target, path);
    } else {
      writeFileSync(path, edit(contents));
      chmodSync(path, (mode & 0o777) | 0o644);
    }
  }
}
