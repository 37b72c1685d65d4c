import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffLines, diffTexts, diffTrees } from './git/diff.ts';
import { ancestors, log, mergeBase } from './git/history.ts';
import { mergeFiles } from './git/merge.ts';
import { createObjectStore, EMPTY_TREE, lookUp, readTree, writeBlob, writeCommit, writeTree } from './git/objects.ts';

const file = (sha: string, mode = '100644') => ({ mode, sha });

/** A store to which commits are added by name; each is a minute younger than the one before, unless told. */
function graph() {
  const store = createObjectStore();
  const names = new Map<string, string>();
  let minute = 0;
  return {
    store,
    add(name: string, parents: string[], options: { files?: Record<string, string>; minute?: number } = {}) {
      minute = options.minute ?? minute + 1;
      const signature = { name: 'octocat', email: 'octocat@example.com', date: new Date(minute * 60_000) };
      const first = parents[0] === undefined ? undefined : store.commits.get(parents[0]);
      const files = readTree(store, first?.tree ?? EMPTY_TREE);
      for (const [path, content] of Object.entries(options.files ?? {}))
        files.set(path, file(writeBlob(store, content)));
      const tree = writeTree(store, files);
      const sha = writeCommit(store, { tree, parents, author: signature, committer: signature, message: name });
      names.set(sha, name);
      return sha;
    },
    nameOf: (sha: string | undefined) => (sha === undefined ? undefined : names.get(sha)),
  };
}

describe('objects', () => {
  test('blobs, trees and commits have the names git gives them', () => {
    const store = createObjectStore();
    const files = new Map([
      ['hello.txt', file(writeBlob(store, 'hello\n'))],
      ['dir/x', file(writeBlob(store, 'x'))],
      // Git sorts `dir.txt` before the directory `dir`.
      ['dir.txt', file(writeBlob(store, 'y'))],
    ]);
    expect(files.get('hello.txt')?.sha).toBe('ce013625030ba8dba906f756967f9e9ca394464a');
    const tree = writeTree(store, files);
    expect(tree).toBe('4b750136582d9ce0c80693ea1e5b6cd9960d3c57');
    const author = { name: 'octocat', email: 'octocat@example.com', date: new Date(1_700_000_000_000) };
    const first = writeCommit(store, { tree, parents: [], author, committer: author, message: 'First λ' });
    expect(first).toBe('16f4f6c485b7ce4affdc3cafcd8250138d6132f7');
    const later = { ...author, date: new Date(1_700_000_060_999) };
    const second = writeCommit(store, { tree, parents: [first], author: later, committer: later, message: 'Second' });
    expect(second).toBe('537be76a9cbce8103dc38a16a9db8615fc19fc65');
  });

  test('an empty tree is the one git knows', () => {
    expect(writeTree(createObjectStore(), new Map())).toBe(EMPTY_TREE);
  });

  test('readTree() gives back what writeTree() stored, and lookUp() finds files and directories in it', () => {
    const store = createObjectStore();
    const files = new Map([
      ['a/b/c', file(writeBlob(store, '1'))],
      ['a/d', file(writeBlob(store, '2'), '100755')],
    ]);
    const tree = writeTree(store, files);
    expect(readTree(store, tree)).toEqual(files);
    expect(lookUp(store, tree, 'a/d')?.mode).toBe('100755');
    expect(lookUp(store, tree, 'a/b')?.mode).toBe('040000');
    expect(lookUp(store, tree, 'a/d/e')).toBeUndefined();
  });
});

describe('mergeBase()', () => {
  test('is where a branch left', () => {
    const { store, add, nameOf } = graph();
    const root = add('root', []);
    const fork = add('fork', [root]);
    const main = add('main', [add('between', [fork])]);
    const head = add('head', [fork]);
    expect(nameOf(mergeBase(store, main, head))).toBe('fork');
    expect(nameOf(mergeBase(store, fork, head))).toBe('fork');
  });

  test('moves up when the branch merges main', () => {
    const { store, add, nameOf } = graph();
    const root = add('root', []);
    const updated = add('updated', [root]);
    const head = add('head', [add('start', [root]), updated]);
    expect(nameOf(mergeBase(store, add('main', [updated]), head))).toBe('updated');
  });

  test('of a criss-cross is the youngest of the best', () => {
    const { store, add, nameOf } = graph();
    const root = add('root', []);
    const a = add('a', [root]);
    const b = add('b', [root]);
    expect(nameOf(mergeBase(store, add('left', [a, b]), add('right', [b, a])))).toBe('b');
  });

  test('does not trust the clock of a commit over its ancestry', () => {
    const { store, add, nameOf } = graph();
    const root = add('root', [], { minute: 99 });
    const fork = add('fork', [root], { minute: 1 });
    expect(nameOf(mergeBase(store, add('main', [fork]), add('head', [fork])))).toBe('fork');
  });

  test('of unrelated histories is undefined', () => {
    const { store, add } = graph();
    expect(mergeBase(store, add('one', []), add('other', []))).toBeUndefined();
  });
});

describe('log()', () => {
  test('shows the youngest first, whichever side of a merge it is on', () => {
    const { store, add } = graph();
    const root = add('root', []);
    const side = add('side', [root], { minute: 30 });
    const main = add('main', [root], { minute: 20 });
    const merge = add('merge', [main, side], { minute: 40 });
    expect(log(store, merge).map(({ message }) => message)).toEqual(['merge', 'side', 'main', 'root']);
  });

  test('shows the first parent first when commits are equally old', () => {
    const { store, add } = graph();
    const root = add('root', [], { minute: 1 });
    const side = add('side', [root], { minute: 1 });
    const main = add('main', [root], { minute: 1 });
    const merge = add('merge', [main, side], { minute: 1 });
    expect(log(store, merge).map(({ message }) => message)).toEqual(['merge', 'main', 'side', 'root']);
  });

  test('leaves out what another commit reaches', () => {
    const { store, add } = graph();
    const root = add('root', []);
    const head = add('second', [add('first', [root])]);
    const excluded = ancestors(store, add('main', [root]));
    expect(log(store, head, { excluded }).map(({ message }) => message)).toEqual(['second', 'first']);
  });

  test('of a path shows the commits that changed it, and follows a merge to the side it took', () => {
    const { store, add } = graph();
    const root = add('root', [], { files: { a: '1', b: '1' } });
    const main = add('main', [root], { files: { b: '2' } });
    const side = add('side', [root], { files: { a: '2' } });
    const merge = add('merge', [main, side], { files: { a: '2' } });
    expect(log(store, merge, { path: 'a' }).map(({ message }) => message)).toEqual(['side', 'root']);
  });
});

describe('mergeFiles()', () => {
  const base = new Map([
    ['kept', file('1')],
    ['removed', file('1')],
    ['ours', file('1')],
    ['both', file('1')],
  ]);

  test('takes what one side changed, added or removed', () => {
    const ours = new Map([...base, ['ours', file('2')]] as const);
    const theirs = new Map([...base, ['added', file('3')]] as const);
    theirs.delete('removed');
    const { files, conflicts } = mergeFiles(base, ours, theirs);
    expect(conflicts).toEqual([]);
    expect([...files.keys()].sort()).toEqual(['added', 'both', 'kept', 'ours']);
    expect(files.get('ours')?.sha).toBe('2');
  });

  test('reports a file that both sides changed differently', () => {
    const { conflicts } = mergeFiles(
      base,
      new Map([['both', file('2')]]),
      new Map([...base, ['both', file('3')]] as const),
    );
    expect(conflicts).toEqual(['both']);
  });
});

describe('diffs', () => {
  test('diffTexts() writes the hunks git writes', () => {
    const lines = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`);
    const changed = lines.with(1, 'line two').toSpliced(9, 1);
    const { patch, additions, deletions } = diffTexts(`${lines.join('\n')}\n`, [...changed, 'line 13'].join('\n'));
    expect({ additions, deletions }).toEqual({ additions: 2, deletions: 2 });
    expect(patch.split('\n')).toEqual([
      '@@ -1,5 +1,5 @@',
      ' line 1',
      '-line 2',
      '+line two',
      ' line 3',
      ' line 4',
      ' line 5',
      '@@ -7,6 +7,6 @@',
      ' line 7',
      ' line 8',
      ' line 9',
      '-line 10',
      ' line 11',
      ' line 12',
      '+line 13',
      '\\ No newline at end of file',
    ]);
  });

  test('diffTexts() of a new file starts its hunk at line 0 of nothing', () => {
    expect(diffTexts('', 'a\nb\n').patch).toBe('@@ -0,0 +1,2 @@\n+a\n+b');
    expect(diffTexts('a\n', '').patch).toBe('@@ -1 +0,0 @@\n-a');
  });

  test('the edits of diffLines() rebuild both sides', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const edits = diffLines(before, after);
        expect(edits.filter(({ kind }) => kind !== '+').map(({ line }) => line)).toEqual(before);
        expect(edits.filter(({ kind }) => kind !== '-').map(({ line }) => line)).toEqual(after);
      }),
    );
  });

  test('diffLines() replaces a region that differs too much instead of searching for ever', () => {
    const before = Array.from({ length: 3000 }, (_, index) => `before ${index}`);
    const after = before.map((line) => `${line} after`);
    expect(diffLines(['same', ...before], ['same', ...after]).filter(({ kind }) => kind === '-')).toHaveLength(3000);
  });

  test('diffTrees() tells added, removed, modified, renamed and binary files', () => {
    const store = createObjectStore();
    const tree = (contents: Record<string, string>) =>
      writeTree(store, new Map(Object.entries(contents).map(([path, text]) => [path, file(writeBlob(store, text))])));
    const changes = diffTrees(
      store,
      tree({ gone: 'g\n', edited: 'one\n', 'old-name': 'same\n', picture: 'a\0b' }),
      tree({ edited: 'two\n', 'new-name': 'same\n', picture: 'c\0d', 'src/new': 'n\n' }),
    );
    expect(changes.map(({ path, status, additions, deletions }) => [path, status, additions, deletions])).toEqual([
      ['edited', 'modified', 1, 1],
      ['gone', 'removed', 0, 1],
      ['new-name', 'renamed', 0, 0],
      ['picture', 'modified', 0, 0],
      ['src/new', 'added', 1, 0],
    ]);
    expect(changes[2]?.previousPath).toBe('old-name');
    expect(changes[3]?.patch).toBeUndefined();
  });
});
