/**
 * The one value every surface renders: comment, job summary, terminal, JSON, annotations, page.
 * Renderers are pure functions of it, so that no two surfaces can disagree.
 * Every name, path and message in it is untrusted text: renderers escape.
 */
import type { Comparison, FingerprintDifference, MetricId } from '../compare/comparison.ts';
import type { Verdict } from '../compare/verdict.ts';
import type { Cost } from '../lambda/cost.ts';

export interface Repository {
  /** e.g. https://github.com */
  serverUrl: string;
  owner: string;
  name: string;
}

/** One measured side, for people. */
export interface MeasuredSide {
  commit: string;
  /** The immutable version measured, e.g. `12` or `$LATEST`. */
  functionVersion: string;
  measuredAt: string;
  instances: {
    id: string;
    invocations: number;
    errors: number;
    /** NaN when the producer does not say. */
    cpuMsPerInvocation: number;
    durationP50Ms: number;
    windows: number;
    /** The rest as far as it is known. Billed time (a mean) and init are of the platform's reports. */
    durationP90Ms?: number;
    durationP95Ms?: number;
    billedMeanMs?: number;
    initMs?: number;
    maxMemoryMb?: number;
    allocatedBytesPerInvocation?: number;
    /** Measured invocations that started it: 0 or 1. */
    cold?: number;
  }[];
  /** What Lambda reported of all instances together. Absent when no report was seen. */
  reports?: {
    /** Of warm measured invocations. */
    count: number;
    durationP50Ms: number;
    durationP90Ms: number;
    durationP95Ms?: number;
    /** Of a thousand invocations or more. */
    durationP99Ms?: number;
    billedMeanMs: number;
    /** Of the client, from the time a call was due. */
    latencyP50Ms?: number;
    latencyP95Ms?: number;
    /** Share of the measured invocations that started an instance, 0..1. */
    coldShare: number;
    /** Inits of all instances that started, in calls of any kind. */
    inits: number;
    initP50Ms?: number;
    initMaxMs?: number;
    maxMemoryMb?: number;
    /** Reports whose billed time is not what AWS documents; the first one, as seen. */
    billedBreaches: number;
    firstBreach?: string;
  };
  /** At list prices. */
  cost?: Cost;
  invocations: { sent: number; succeeded: number; failed: number; throttled: number; ambiguous: number; cold: number };
  environment: {
    memoryMb: number;
    architecture: string;
    runtime: string;
    region: string;
    language: string;
    agent: string;
    intervalUs: number;
  };
}

export interface Report {
  schemaVersion: 1;
  /** e.g. `lambda-profile-action 0.1.0` */
  tool: string;
  /** Separates the sticky comments of several functions. */
  key: string;
  functionName: string;
  /** The commit under test: known even when nothing could be measured. */
  commit?: string;
  verdict: Verdict;
  head?: MeasuredSide;
  base?: MeasuredSide & {
    /** First-parent commits between the commit that was wanted and the one whose recording was used. */
    distance: number;
    /** e.g. "first parent of the merge commit", "merge base of the pull request" */
    relation: string;
  };
  /** Absent when nothing was compared. */
  comparison?: Comparison;
  /** Hottest functions of the head side: what a first run shows. CPU in nanoseconds per invocation. */
  hottest: { display: string; kind: string; file: string; line: number; nanosPerInvocation: number; share: number }[];
  differences: FingerprintDifference[];
  /** Thresholds in force, so that a value never stands without its budget. 0.1 = 10 %. */
  budget: {
    failThreshold: number;
    warnThreshold: number;
    minDeltaMs: number;
    /** Where the policy has others for a metric; `most` is in the metric's own unit. */
    metrics?: Partial<Record<MetricId, { fail: number; warn: number; most?: number }>>;
    /** Where it has others for a function that changed, by its key; `least` in milliseconds. */
    functions?: Record<string, { fail: number; warn: number; least: number }>;
  };
  /** Rows in the comment's table. */
  top: number;
  /** Repository-relative paths changed by the pull request. */
  changedFiles: string[];
  /** Profile path -> repository path of files that exist at the head commit. */
  sources: Record<string, string>;
  /** The same for files that exist at the base commit: where the code of a function that is gone can be read. */
  baseSources?: Record<string, string>;
  repository?: Repository;
  pullRequest?: number;
  run?: { id: number; attempt: number; url: string };
  /** Paths, relative to the workspace, of the files written. */
  files: { reportJson?: string; reportHtml?: string; headProfile?: string; baseProfile?: string };
  /** Where the page will be published, when that is known: rows link to their frame in it. */
  pageUrl?: string;
  /** Every call of Invoke of the whole run, whatever came of it: none is missing, also when nothing was measured. */
  calls?: { sent: number; ran: number; refused: number; unknown: number };
  timings: { step: string; ms: number }[];
  /** Whole sentences a reader must know: skipped objects, clipped concurrency, … */
  warnings: string[];
}
