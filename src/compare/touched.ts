/** Which files of a profile a pull request touches: its paths are the repository's, a profile's begin at the function's root. */
import type { FileRename } from './rename.ts';

/**
 * Tells whether a file of a profile is one of these paths of the repository, by the longer of the two ending with the
 * other. `src/tax.mjs` is `services/orders/src/tax.mjs`; a mere file name is only itself.
 */
export function createTouched(paths: readonly string[]): (file: string) => boolean {
  const known = new Map<string, boolean>();
  return (file) => {
    let touched = known.get(file);
    if (touched === undefined) {
      touched = paths.some((path) => isSameFile(file, path));
      known.set(file, touched);
    }
    return touched;
  };
}

/** Whether the pull request renamed the first of two files of profiles to the second. */
export function isRenamedFile(from: string, to: string, renames: readonly FileRename[]): boolean {
  return renames.some((rename) => isSameFile(from, rename.from) && isSameFile(to, rename.to));
}

function isSameFile(file: string, path: string): boolean {
  if (file === '' || path === '') return false;
  const [short, long] = file.length <= path.length ? [file, path] : [path, file];
  return short === long || (short.includes('/') && long.endsWith(`/${short}`));
}
