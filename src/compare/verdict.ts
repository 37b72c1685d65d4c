/** The outcome of a run, carried unchanged to outputs, comment, summary, JSON and exit code. */
export type VerdictKind = 'pass' | 'warn' | 'fail' | 'accepted' | 'inconclusive' | 'no-baseline' | 'skipped' | 'error';

/** One thing that was looked at when a measurement failed, and what was found. */
export interface Check {
  what: string;
  state: 'ok' | 'failed' | 'unknown';
  found: string;
}

export interface Verdict {
  kind: VerdictKind;
  /** The whole verdict in one line of plain text: function, number, budget. */
  headline: string;
  /** Sentences that explain it. */
  reasons: string[];
  /** What to do next: one sentence. '' when there is nothing to do. */
  next: string;
  /** Keys of the functions that are slower beyond the fail threshold, whatever the label or cap says. */
  regressed: string[];
  /** Keys beyond the warn threshold only. */
  warned: string[];
  /** For `error`: what was checked. */
  checks: Check[];
}
