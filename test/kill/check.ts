import { renderComment } from '../../src/report/comment.ts';
import { parseReport } from '../../src/report/json.ts';
import { brokenRecordings } from '../faults/check.ts';
import type { Lane, RunResult, SavedReport, Stored } from '../faults/lane.ts';

/** A run that was ended. */
export interface Ended {
  result: RunResult;
  /** Undefined when the run was over before. */
  signal: 'SIGTERM' | 'SIGKILL' | undefined;
  /** From the signal until the process was gone. */
  lastedMs: number;
  comments: string[];
  /** As many as it was to measure. */
  invocations: number;
}

/** GitHub kills 10 s after it asked. */
const PATIENCE_MS = 10_000;

/** What an ended run must not leave. */
export function checkEnded(
  { result, signal, lastedMs, comments, invocations }: Ended,
  lane: Lane,
  before: Stored,
): string[] {
  const problems: string[] = [...brokenRecordings(lane), ...lostRecordings(lane, before)];
  const claim = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem);
  };
  claim(result.leftProcesses.length === 0, `processes left: ${result.leftProcesses.join(', ')}`);
  claim(comments.length <= 1, `${comments.length} comments`);
  const [comment] = comments;
  if (comment !== undefined) {
    claim(result.reportText !== '', 'a comment without a report');
    if (result.reportText !== '')
      claim(renderComment(parseReport(result.reportText)) === comment, 'the comment is not that of the report');
  }
  if (result.reportText !== '') {
    const { verdict, head } = JSON.parse(result.reportText) as SavedReport;
    const decided = !['inconclusive', 'error'].includes(verdict.kind);
    claim(
      !decided || head?.invocations.sent === invocations,
      `${verdict.kind} after ${head?.invocations.sent} invocations`,
    );
  }
  if (signal !== 'SIGTERM') return problems;
  claim(lastedMs <= PATIENCE_MS, `it took ${(lastedMs / 1000).toFixed(1)} s to end`);
  // Node.js itself ends a process whose program has not begun, or is over: all outputs are set.
  if (result.exitCode !== null || (result.log !== '' && result.outputs['comment-url'] === undefined))
    claim(/SIGTERM: no further call is sent/.test(result.log), 'it does not say that it was cancelled');
  claim(!/Unexpected failure|^ {4}at /m.test(result.log + result.stderr), 'an unexpected failure');
  return problems;
}

/** What the next run of the same commit must do, whatever happened to the one before. */
export function checkNextRun(
  result: RunResult,
  lane: Lane,
  before: Stored,
  comments: string[],
  commit: string,
): string[] {
  const problems: string[] = [...brokenRecordings(lane), ...lostRecordings(lane, before)];
  const claim = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(`next run: ${problem}`);
  };
  const { verdict = '' } = result.outputs;
  claim(
    ['pass', 'inconclusive'].includes(verdict),
    `${verdict || 'no verdict'}: ${result.log.trim().split('\n').at(-1)}`,
  );
  claim(result.exitCode === 0, `exit code ${result.exitCode}`);
  claim(
    [...lane.stored().keys()].some((key) => key.endsWith(`/${commit}/recording.json`)),
    'no recording',
  );
  claim(comments.length <= 1, `${comments.length} comments`);
  if (comments.length === 1)
    claim(renderComment(parseReport(result.reportText)) === comments[0], 'the comment is not its own');
  return problems;
}

function lostRecordings(lane: Lane, before: Stored): string[] {
  const after = lane.stored();
  return [...before].flatMap(([key, hash]) => (after.get(key) === hash ? [] : [`lost or overwritten: ${key}`]));
}
