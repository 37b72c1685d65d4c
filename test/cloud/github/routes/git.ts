/** Git's own objects: refs, commits, trees, blobs. */
import {
  type Commit,
  EMPTY_TREE,
  getCommit,
  readTree,
  type Signature,
  type TreeEntry,
  writeBlob,
  writeCommit,
  writeTree,
} from '../git/objects.ts';
import { ApiError, type Call, notFound, type Reply, type Route } from '../http.ts';
import { moveRef } from '../pulls.ts';
import { nodeId } from '../render/accounts.ts';
import { renderGitCommit } from '../render/commits.ts';
import { repositoryUrl } from '../render/repositories.ts';
import { type Repository, signatureOf } from '../repository.ts';

function requireContent({ refs }: Repository): void {
  if (refs.size === 0) throw new ApiError(409, 'Git Repository is empty.');
}

function renderRef(repository: Repository, ref: string, sha: string) {
  const url = `${repositoryUrl(repository)}/git`;
  return {
    ref,
    node_id: nodeId('Ref', ref),
    url: `${url}/${ref}`,
    object: { sha, type: 'commit', url: `${url}/commits/${sha}` },
  };
}

function getRef({ repository, path }: Call): Reply {
  requireContent(repository);
  const ref = `refs/${path.ref}`;
  const sha = repository.refs.get(ref);
  if (sha === undefined) throw notFound();
  return { status: 200, body: renderRef(repository, ref, sha) };
}

function createRef({ repository, actor, body }: Call): Reply {
  requireContent(repository);
  const { ref, sha } = body as { ref: string; sha: string };
  if (!/^refs\/[^/]+\/.+$/.test(ref) || /[\s~^:?*[\\]|\.\.|\/$/.test(ref)) {
    throw new ApiError(422, `${ref} is not a valid ref name.`);
  }
  if (repository.refs.has(ref)) throw new ApiError(422, 'Reference already exists');
  if (!repository.objects.commits.has(sha)) throw new ApiError(422, 'Object does not exist');
  moveRef(repository, ref, sha, actor!);
  const rendered = renderRef(repository, ref, sha);
  return { status: 201, body: rendered, headers: { location: rendered.url } };
}

function getGitCommit({ repository, path }: Call): Reply {
  const commit = repository.objects.commits.get(path.commit_sha!);
  if (commit === undefined) throw notFound();
  return { status: 200, body: renderGitCommit(repository, commit) };
}

function createCommit({ repository, actor, body }: Call): Reply {
  const { message, tree, parents, author, committer } = body as {
    message: string;
    tree: string;
    parents?: string[];
    author?: { name: string; email: string; date?: string };
    committer?: { name?: string; email?: string; date?: string };
  };
  const { objects } = repository;
  if (!objects.trees.has(tree)) throw new ApiError(422, 'Tree SHA does not exist');
  for (const parent of parents ?? []) {
    if (!objects.commits.has(parent)) throw new ApiError(422, 'Parent SHA does not exist or is not a commit object');
  }
  const now = signatureOf(actor!, repository.now());
  const sign = (given: Partial<Record<keyof Signature, string>>, fallback: Signature): Signature => ({
    name: given.name ?? fallback.name,
    email: given.email ?? fallback.email,
    date: given.date === undefined ? fallback.date : new Date(given.date),
  });
  const signedAuthor = sign(author ?? {}, now);
  const commit: Omit<Commit, 'sha'> = {
    tree,
    parents: parents ?? [],
    author: signedAuthor,
    // GitHub fills in the author's values where the committer's are missing.
    committer: sign(committer ?? {}, signedAuthor),
    message,
  };
  const rendered = renderGitCommit(repository, getCommit(objects, writeCommit(objects, commit)));
  return { status: 201, body: rendered, headers: { location: rendered.url } };
}

interface NewEntry {
  path?: string;
  mode?: string;
  type?: string;
  sha?: string | null;
  content?: string;
}

function createTree({ repository, body }: Call): Reply {
  const { tree, base_tree: base = EMPTY_TREE } = body as { tree: NewEntry[]; base_tree?: string };
  const { objects } = repository;
  // A commit's sha stands for its tree.
  const baseTree = objects.commits.get(base)?.tree ?? base;
  if (!objects.trees.has(baseTree)) throw new ApiError(422, 'base_tree is not a valid tree oid');
  const files = readTree(objects, baseTree);
  for (const entry of tree) applyEntry(repository, files, entry);
  const sha = writeTree(objects, files);
  const url = `${repositoryUrl(repository)}/git`;
  const entries = [...objects.trees.get(sha)!].map(([path, { mode, sha: child }]) => {
    const type = mode === '040000' ? 'tree' : mode === '160000' ? 'commit' : 'blob';
    const size = objects.blobs.get(child)?.length;
    return { path, mode, type, sha: child, ...(size === undefined ? {} : { size }), url: `${url}/${type}s/${child}` };
  });
  return {
    status: 201,
    body: { sha, url: `${url}/trees/${sha}`, tree: entries, truncated: false },
    headers: { location: `${url}/trees/${sha}` },
  };
}

function applyEntry({ objects }: Repository, files: Map<string, TreeEntry>, entry: NewEntry): void {
  const { path, mode, sha, content } = entry;
  if (path === undefined || mode === undefined || (sha === undefined && content === undefined)) {
    throw new ApiError(422, 'Must supply a valid tree.path, tree.mode, and tree.sha or tree.content');
  }
  if (path.split('/').some((name) => name === '' || name === '.' || name === '..')) {
    throw new ApiError(422, `tree.path ${JSON.stringify(path)} is malformed`);
  }
  if (sha === null) {
    files.delete(path);
  } else if (mode === '040000') {
    if (sha === undefined || !objects.trees.has(sha)) throw new ApiError(422, `tree.sha ${sha} is not a valid tree`);
    for (const [below, file] of readTree(objects, sha)) files.set(`${path}/${below}`, file);
  } else {
    if (sha !== undefined && mode !== '160000' && !objects.blobs.has(sha)) {
      throw new ApiError(422, `tree.sha ${sha} is not a valid blob`);
    }
    files.set(path, { mode, sha: sha ?? writeBlob(objects, content!) });
  }
}

function createBlob({ repository, body }: Call): Reply {
  const { content, encoding = 'utf-8' } = body as { content: string; encoding?: string };
  const sha = writeBlob(repository.objects, Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8'));
  const url = `${repositoryUrl(repository)}/git/blobs/${sha}`;
  return { status: 201, body: { sha, url }, headers: { location: url } };
}

export const gitRoutes: Readonly<Record<string, Route>> = {
  'git/get-ref': getRef,
  'git/create-ref': createRef,
  'git/get-commit': getGitCommit,
  'git/create-commit': createCommit,
  'git/create-tree': createTree,
  'git/create-blob': createBlob,
};
