/** The sticky pull-request comment: the whole verdict first, at most a few rows, everything else folded. */
import { createHash } from 'node:crypto';
import { changedFunctionsBlock, environmentBlock, methodBlock, unchangedFunctionsBlock } from './details.ts';
import { instancesBlock } from './instances.ts';
import { byteLength, renderBlocks } from './markdown.ts';
import type { Report } from './report.ts';
import { closingBlocks, firstBlocks } from './sections.ts';
import { stateOf } from './state.ts';
import { hottestBlock, metricsBlocks } from './tables.ts';

/** What the hidden first line of a comment says about it. */
export interface CommentMarker {
  /** As `commentKey()` writes it. */
  key: string;
  run: number;
  attempt: number;
  /** '' when unknown. */
  commit: string;
}

/**
 * The comment as GitHub Markdown of at most `budgetBytes` UTF-8 bytes: rows of the least important tables are dropped
 * first, the verdict never. GitHub refuses bodies over 65,536 characters.
 */
export function renderComment(report: Report, budgetBytes: number = 60_000): string {
  const marker = `${commentMarker(report)}\n`;
  const state = stateOf(report);
  const compact = state === 'pass' || state === 'inconclusive';
  const blocks = [
    ...firstBlocks(report),
    ...changedFunctionsBlock(report),
    ...unchangedFunctionsBlock(report, compact ? 10 : 5),
    ...metricsBlocks(report),
    ...(state === 'first-run' && report.hottest.length > report.top
      ? [hottestBlock(report, report.top, report.hottest.length, 'More functions')]
      : []),
    ...instancesBlock(report),
    ...methodBlock(report),
    ...environmentBlock(report),
    ...closingBlocks(report),
  ];
  return marker + renderBlocks(blocks, budgetBytes - byteLength(marker));
}

/** The hidden first line by which a later run finds its comment and sees whether that one is newer. */
export function commentMarker(report: Pick<Report, 'key' | 'run' | 'head' | 'commit'>): string {
  const commit = report.head?.commit ?? report.commit ?? '';
  const known = /^[0-9a-f]{1,64}$/.test(commit) ? commit : '';
  return `<!-- lambda-profile:v1 key=${encodeURIComponent(commentKey(report.key))} run=${wholeNumber(report.run?.id)} attempt=${wholeNumber(report.run?.attempt)} commit=${known} -->`;
}

/** The key a marker carries: the report's own, or its beginning and a hash when it is longer than 100 characters. */
export function commentKey(key: string): string {
  const whole = key.toWellFormed();
  if (whole.length <= 100) return whole;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 16);
  return `${whole.slice(0, 80).toWellFormed()}~${hash}`;
}

/** The marker in the first line of a comment's body; undefined when the comment is not one of ours. */
export function parseCommentMarker(body: string): CommentMarker | undefined {
  const line = /^<!-- lambda-profile:v1 key=(\S{0,2000}) run=(\d{1,16}) attempt=(\d{1,16}) commit=([0-9a-f]{0,64}) -->/;
  const match = line.exec(body.slice(0, 3_000));
  if (match === null) return undefined;
  const [, key = '', run, attempt, commit = ''] = match;
  try {
    return { key: decodeURIComponent(key), run: Number(run), attempt: Number(attempt), commit };
  } catch {
    return undefined; // A key with a broken percent escape was not written by us.
  }
}

function wholeNumber(value: number | undefined): number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
