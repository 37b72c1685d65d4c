/** Files and directories at a commit. */
import { getCommit, lookUp, type TreeEntry } from '../git/objects.ts';
import { ApiError, type Call, notFound, type Reply, type Route } from '../http.ts';
import { encodePath } from '../render/commits.ts';
import { repositoryPage, repositoryUrl } from '../render/repositories.ts';
import { type Repository, resolveCommit } from '../repository.ts';

/** Larger files have no content in JSON; the raw media type serves them. */
const MAX_CONTENT_BYTES = 1024 * 1024;

const TYPES: Readonly<Record<string, string>> = { '040000': 'dir', '120000': 'symlink', '160000': 'submodule' };

function renderEntry(repository: Repository, path: string, ref: string, entry: TreeEntry) {
  const type = TYPES[entry.mode] ?? 'file';
  const encoded = encodePath(path);
  const url = `${repositoryUrl(repository)}/contents/${encoded}?ref=${encodeURIComponent(ref)}`;
  const kind = type === 'dir' ? 'tree' : 'blob';
  const git = `${repositoryUrl(repository)}/git/${kind}s/${entry.sha}`;
  const html = `${repositoryPage(repository)}/${kind}/${encodePath(ref)}/${encoded}`;
  return {
    name: path.split('/').at(-1)!,
    path,
    sha: entry.sha,
    size: repository.objects.blobs.get(entry.sha)?.length ?? 0,
    url,
    html_url: html,
    git_url: git,
    download_url: type === 'file' ? `${repositoryPage(repository)}/raw/${encodePath(ref)}/${encoded}` : null,
    type,
    _links: { self: url, git, html },
  };
}

function getContent({ repository, path, query, mediaParameter }: Call): Reply {
  const { objects } = repository;
  const ref = query.ref ?? repository.defaultBranch;
  const commit = resolveCommit(repository, ref);
  if (commit === undefined) throw new ApiError(404, `No commit found for the ref ${ref}`);
  const filePath = path.path!.replace(/\/+$/, '');
  const entry = lookUp(objects, getCommit(objects, commit).tree, filePath);
  if (entry === undefined || entry.mode === '160000') throw notFound();

  if (entry.mode === '040000') {
    const children = [...objects.trees.get(entry.sha)!].map(([name, child]) =>
      renderEntry(repository, `${filePath}/${name}`, ref, child),
    );
    return { status: 200, body: children };
  }
  const content = objects.blobs.get(entry.sha)!;
  if (mediaParameter === 'raw') return { status: 200, body: content };
  const rendered = renderEntry(repository, filePath, ref, entry);
  if (entry.mode === '120000') return { status: 200, body: { ...rendered, target: content.toString() } };
  const isLarge = content.length > MAX_CONTENT_BYTES;
  return {
    status: 200,
    body: {
      ...rendered,
      // Base64 in lines of 60 characters, each with a line feed, as GitHub sends it.
      content: isLarge ? '' : content.toString('base64').replace(/.{1,60}/g, '$&\n'),
      encoding: isLarge ? 'none' : 'base64',
    },
  };
}

export const contentRoutes: Readonly<Record<string, Route>> = { 'repos/get-content': getContent };
