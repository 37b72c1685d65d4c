/** Where a function's code can be read: a profile path turned into a repository path and a link. */
import type { FunctionChange } from '../compare/comparison.ts';
import type { Report, Repository } from './report.ts';

export interface Source {
  /** `rules.go:88`; '' when the profile has no file. Untrusted text. */
  label: string;
  /** Repository-relative path; '' when the file is not in the repository. */
  path: string;
  line: number;
  /** Permanent link; '' when there is nothing to link to. */
  url: string;
  /** The pull request touches the file. */
  touched: boolean;
}

/** The source of a function: at the head commit, or at the base commit when the function is gone. */
export function sourceOf(
  report: Report,
  of: Pick<FunctionChange, 'file' | 'line'> & Partial<Pick<FunctionChange, 'presence'>>,
): Source {
  const gone = of.presence === 'gone';
  const head = lookUp(report.sources, of.file);
  const path = (gone ? lookUp(report.baseSources, of.file) : '') || head;
  const commit = gone ? report.base?.commit : (report.head?.commit ?? report.commit);
  const line = Number.isSafeInteger(of.line) && of.line > 0 ? of.line : 0;
  const name = of.file.split(/[\\/]/).at(-1) ?? '';
  return {
    label: name === '' ? '' : line > 0 ? `${name}:${line}` : name,
    path,
    line,
    url: path === '' || commit === undefined ? '' : sourceUrl(report.repository, commit, path, line),
    touched: path !== '' && report.changedFiles.includes(path),
  };
}

/** The page of a commit; '' without a repository. */
export function commitUrl(repository: Repository | undefined, commit: string): string {
  const root = repositoryUrl(repository);
  return root === '' || !isCommit(commit) ? '' : `${root}/commit/${commit}`;
}

/** The page of the workflow run; '' when it is not in the report's own repository. */
export function runUrl(report: Report): string {
  const root = repositoryUrl(report.repository);
  const url = report.run?.url ?? '';
  return root !== '' && url.startsWith(`${root}/`) && /^[\w:/.~?=&#%@-]+$/.test(url) ? url : '';
}

/** The page, at a function when one is given; '' when nobody said where the page is. */
export function pageUrl({ pageUrl: url = '' }: Report, frame = ''): string {
  if (!/^https?:\/\/[^\s<>"'`()[\]\\|#]+$/.test(url)) return '';
  return frame === '' ? url : `${url}#f=${encodeSegment(frame)}`;
}

function sourceUrl(repository: Repository | undefined, commit: string, path: string, line: number): string {
  const root = repositoryUrl(repository);
  if (root === '' || !isCommit(commit)) return '';
  const encoded = path.split('/').map(encodeSegment).join('/');
  return `${root}/blob/${commit}/${encoded}${line > 0 ? `#L${line}` : ''}`;
}

function repositoryUrl(repository: Repository | undefined): string {
  if (repository === undefined || !/^https?:\/\/[\w.:/-]+$/.test(repository.serverUrl)) return '';
  const server = repository.serverUrl.replace(/\/+$/, '');
  return `${server}/${encodeSegment(repository.owner)}/${encodeSegment(repository.name)}`;
}

function isCommit(commit: string): boolean {
  return /^[0-9a-f]{7,64}$/.test(commit);
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function lookUp(map: Record<string, string> | undefined, key: string): string {
  return map !== undefined && Object.hasOwn(map, key) ? (map[key] ?? '') : '';
}
