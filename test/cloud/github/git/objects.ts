/**
 * Git's object model in memory: blobs, trees and commits under the SHA-1 names that git itself gives them.
 * Formats: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
 */
import { createHash } from 'node:crypto';

export interface Signature {
  name: string;
  email: string;
  /** Git keeps whole seconds. */
  date: Date;
}

export interface Commit {
  sha: string;
  tree: string;
  parents: readonly string[];
  author: Signature;
  committer: Signature;
  message: string;
}

/** What a name in a tree points to: 100644, 100755 and 120000 a blob, 040000 a tree, 160000 a commit elsewhere. */
export interface TreeEntry {
  mode: string;
  sha: string;
}

/** A whole tree flattened: `src/orders.ts` -> entry. Holds no 040000 entries. */
export type Files = ReadonlyMap<string, TreeEntry>;

export interface ObjectStore {
  blobs: Map<string, Buffer>;
  trees: Map<string, ReadonlyMap<string, TreeEntry>>;
  commits: Map<string, Commit>;
}

export const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

export function createObjectStore(): ObjectStore {
  return { blobs: new Map(), trees: new Map([[EMPTY_TREE, new Map()]]), commits: new Map() };
}

function hash(type: 'blob' | 'tree' | 'commit', content: Buffer): string {
  return createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
}

/** Stores a blob and returns its sha. */
export function writeBlob(store: ObjectStore, content: Buffer | string): string {
  const bytes = Buffer.from(content);
  const sha = hash('blob', bytes);
  store.blobs.set(sha, bytes);
  return sha;
}

// Git compares names byte by byte, and a directory as if its name ended with a slash.
function compareNames([a, left]: [string, TreeEntry], [b, right]: [string, TreeEntry]): number {
  const suffix = (entry: TreeEntry) => (entry.mode === '040000' ? '/' : '');
  return Buffer.compare(Buffer.from(a + suffix(left)), Buffer.from(b + suffix(right)));
}

/** Stores one directory and returns its sha. */
function writeDirectory(store: ObjectStore, entries: Iterable<[string, TreeEntry]>): string {
  const sorted = [...entries].sort(compareNames);
  const content = Buffer.concat(
    sorted.flatMap(([name, entry]) => [
      Buffer.from(`${entry.mode.replace(/^0/, '')} ${name}\0`),
      Buffer.from(entry.sha, 'hex'),
    ]),
  );
  const sha = hash('tree', content);
  store.trees.set(sha, new Map(sorted));
  return sha;
}

/** Stores the directories of a flattened tree and returns the sha of the root. */
export function writeTree(store: ObjectStore, files: Files): string {
  const here = new Map<string, TreeEntry>();
  const below = new Map<string, Map<string, TreeEntry>>();
  for (const [path, entry] of files) {
    const slash = path.indexOf('/');
    if (slash < 0) {
      here.set(path, entry);
      continue;
    }
    const name = path.slice(0, slash);
    const directory = below.get(name) ?? new Map<string, TreeEntry>();
    below.set(name, directory.set(path.slice(slash + 1), entry));
  }
  for (const [name, directory] of below) here.set(name, { mode: '040000', sha: writeTree(store, directory) });
  return writeDirectory(store, here);
}

/** The files of a tree, by path. An unknown sha is an empty tree. */
export function readTree(store: ObjectStore, tree: string, prefix = ''): Map<string, TreeEntry> {
  const files = new Map<string, TreeEntry>();
  for (const [name, entry] of store.trees.get(tree) ?? []) {
    if (entry.mode !== '040000') files.set(prefix + name, entry);
    else for (const [path, file] of readTree(store, entry.sha, `${prefix}${name}/`)) files.set(path, file);
  }
  return files;
}

/** What a path names in a tree, a file or a directory (mode 040000); undefined when there is no such path. */
export function lookUp(store: ObjectStore, tree: string, path: string): TreeEntry | undefined {
  let entry: TreeEntry | undefined = { mode: '040000', sha: tree };
  for (const name of path.split('/')) {
    entry = entry?.mode === '040000' ? store.trees.get(entry.sha)?.get(name) : undefined;
  }
  return entry;
}

function signatureLine({ name, email, date }: Signature): string {
  return `${name} <${email}> ${Math.floor(date.getTime() / 1000)} +0000`;
}

/** Stores a commit and returns its sha. */
export function writeCommit(store: ObjectStore, commit: Omit<Commit, 'sha'>): string {
  const content = [
    `tree ${commit.tree}`,
    ...commit.parents.map((parent) => `parent ${parent}`),
    `author ${signatureLine(commit.author)}`,
    `committer ${signatureLine(commit.committer)}`,
    '',
    commit.message,
  ].join('\n');
  const sha = hash('commit', Buffer.from(content));
  store.commits.set(sha, { ...commit, sha });
  return sha;
}

/** @throws when the store has no such commit: an invariant of the caller is broken */
export function getCommit(store: ObjectStore, sha: string): Commit {
  const commit = store.commits.get(sha);
  if (commit === undefined) throw new Error(`Cannot read commit '${sha}': the repository has no such commit.`);
  return commit;
}
