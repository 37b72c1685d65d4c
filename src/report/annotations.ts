/** Notes on changed lines, as values: the caller hands them to `@actions/core`, which escapes workflow commands. */

import { formatRatio } from '../compare/format.ts';
import { visibleText } from './escape.ts';
import type { Report } from './report.ts';
import { changedRows, type FunctionRow } from './rows.ts';

export interface Annotation {
  level: 'error' | 'warning' | 'notice';
  /** Repository-relative path. */
  file: string;
  line: number;
  title: string;
  message: string;
}

/** GitHub shows ten of each level per step; three are read. */
const maxAnnotations = 3;

/** The most important slower functions whose source is in the repository: those over a limit, and no others. */
export function renderAnnotations(report: Report): Annotation[] {
  const regressed = new Set(report.verdict.regressed);
  const flagged = new Set([...report.verdict.regressed, ...report.verdict.warned]);
  return changedRows(report)
    .filter((row) => flagged.has(row.changed.key) && row.changed.presence !== 'gone')
    .filter((row) => row.source.path !== '' && row.source.line > 0)
    .slice(0, maxAnnotations)
    .map((row) => ({
      level: levelOf(report, regressed.has(row.changed.key)),
      file: row.source.path,
      line: row.source.line,
      title: titleOf(row),
      message: messageOf(report, row),
    }));
}

/** An error only when the check fails because of it. */
function levelOf(report: Report, isRegressed: boolean): Annotation['level'] {
  if (report.verdict.kind === 'fail' && isRegressed) return 'error';
  return report.verdict.kind === 'fail' || report.verdict.kind === 'warn' ? 'warning' : 'notice';
}

function titleOf(row: FunctionRow): string {
  const { changed } = row;
  const change = changed.presence === 'new' ? `new, ${row.delta}` : `${row.delta} (${formatRatio(changed.rawRatio)})`;
  return `${visibleText(changed.display, 80)}: ${change} CPU per invocation`;
}

function messageOf(report: Report, row: FunctionRow): string {
  const { changed } = row;
  const name = visibleText(changed.display, 80);
  const noise = row.interval === '—' ? '' : `, 95% CI ${row.interval}`;
  return `${name} uses ${row.pair} CPU per invocation of ${visibleText(report.functionName, 80)} (${row.word}${noise}; ${changed.headInstancesAbove} of ${changed.headInstances} head instances above the median base instance).`;
}
