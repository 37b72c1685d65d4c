/** Which package a bundled module is of. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a package says of itself. */
export interface Manifest {
  name: string;
  version: string;
  license: string;
}

/** `…/node_modules/@scope/name/dist/a.js` is in `…/node_modules/@scope/name`; undefined for what is not in a package. */
export function packageFolder(id: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/@]+(?=\/)/.exec(id.replace(/^\0/, ''))?.[0];
}

export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Notices that licences ask to be kept, of all packages these modules are in; packages with equal texts share one. */
export function noticesOf(ids: Iterable<string>): string {
  const folders = new Map<string, string>(); // by package and version: one may be installed twice
  for (const id of ids) {
    const folder = packageFolder(id);
    if (folder === undefined) continue;
    const { name, version, license } = manifestOf(folder);
    folders.set(`${name} ${version} (${license})`, folder);
  }
  const packagesByText = new Map<string, string[]>();
  for (const [name, folder] of [...folders].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = noticeIn(folder);
    packagesByText.set(text, [...(packagesByText.get(text) ?? []), name]);
  }
  return [...packagesByText].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`).join(`\n${'-'.repeat(80)}\n\n`);
}

function noticeIn(folder: string): string {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  const texts = files.sort().map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
  return texts.length > 0 ? texts.join('\n\n') : 'The package has no text of its licence.';
}
