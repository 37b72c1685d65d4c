/**
 * Prints what CHANGELOG.md says of a release: `node build/release-notes.ts v1.2.3`. Fails when the tag is not the version
 * of package.json, or when nobody wrote what changed.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The section of a version, without its heading.
 * @throws Error when tag, version and changelog do not agree
 */
export function releaseNotes(tag: string, version: string, changelog: string): string {
  if (tag !== `v${version}`)
    throw new Error(`Cannot release ${tag}: package.json has version ${version}, so the tag must be v${version}.`);
  const section = changelog.split(/^## /m).find((text) => text.split('\n')[0]!.trim() === version);
  const notes = section?.slice(section.indexOf('\n')).trim();
  if (!notes) throw new Error(`Cannot release ${tag}: CHANGELOG.md says nothing below "## ${version}".`);
  return `${notes}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
  const { version } = JSON.parse(read('package.json')) as { version: string };
  try {
    process.stdout.write(releaseNotes(process.argv[2] ?? '', version, read('CHANGELOG.md')));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
