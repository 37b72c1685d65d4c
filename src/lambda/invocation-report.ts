/** What the platform says of one invocation: the REPORT line, or `platform.report` in the JSON log format. */
export interface InvocationReport {
  requestId: string;
  durationMs: number;
  billedDurationMs: number;
  memorySizeMb: number;
  maxMemoryUsedMb: number;
  /** Present on the first invocation of an instance. */
  initDurationMs?: number;
  /** Present on the first invocation of an instance restored from a SnapStart snapshot. */
  restoreDurationMs?: number;
  billedRestoreDurationMs?: number;
  status: 'success' | 'error' | 'timeout' | 'failure';
  errorType?: string;
}

/**
 * The report in a log tail (`LogResult`, decoded), or undefined when there is none: a tail is cut to 4 KB and a
 * function may log JSON of its own, so lines are read from the end and everything else is passed over.
 * A report of another request is not ours.
 */
export function parseInvocationReport(logTail: string, requestId?: string): InvocationReport | undefined {
  const lines = logTail.split('\n');
  for (let i = lines.length - 1; i >= 0; i--) {
    const line = lines[i]!.trim();
    const report = line.startsWith('REPORT RequestId:') ? parseTextReport(line) : parseJsonReport(line);
    if (report && (requestId === undefined || report.requestId === requestId)) return report;
  }
  return undefined;
}

/**
 * The platform's own arithmetic since August 2025, when INIT became billed: a breach means the numbers are not
 * what this code takes them for.
 */
export function billedAsDocumented(report: InvocationReport): boolean {
  const expected = Math.ceil(
    report.durationMs + (report.initDurationMs ?? 0) + (report.billedRestoreDurationMs ?? 0) - 1e-6,
  );
  return report.billedDurationMs === expected;
}

// Fields come in any order (the cloud and SAM differ), parted by tabs or, in some viewers, spaces.
const NUMBER_FIELDS = {
  durationMs: /(?:^|\s)Duration: ([\d.]+) ms/,
  billedDurationMs: /(?:^|\s)Billed Duration: ([\d.]+) ms/,
  memorySizeMb: /(?:^|\s)Memory Size: ([\d.]+) MB/,
  maxMemoryUsedMb: /(?:^|\s)Max Memory Used: ([\d.]+) MB/,
  initDurationMs: /(?:^|\s)Init Duration: ([\d.]+) ms/,
  restoreDurationMs: /(?:^|\s)Restore Duration: ([\d.]+) ms/,
  billedRestoreDurationMs: /(?:^|\s)Billed Restore Duration: ([\d.]+) ms/,
} as const;

function parseTextReport(line: string): InvocationReport | undefined {
  // "Billed Duration:" and "Init Duration:" contain "Duration:": they are taken out before the plain one is read.
  const plain = line.replace(/(?:Billed Restore|Billed|Init|Restore) Duration: [\d.]+ ms/g, '');
  const read = (name: keyof typeof NUMBER_FIELDS, text = line): number | undefined => {
    const match = NUMBER_FIELDS[name].exec(text);
    return match ? Number(match[1]) : undefined;
  };
  const requestId = /^REPORT RequestId:\s*([\w-]+)/.exec(line)?.[1];
  const status = /(?:^|\s)Status: (timeout|error|failure)/.exec(line)?.[1] as InvocationReport['status'] | undefined;
  return assemble(
    requestId,
    {
      durationMs: read('durationMs', plain),
      billedDurationMs: read('billedDurationMs'),
      memorySizeMb: read('memorySizeMb'),
      maxMemoryUsedMb: read('maxMemoryUsedMb'),
      initDurationMs: read('initDurationMs'),
      restoreDurationMs: read('restoreDurationMs'),
      billedRestoreDurationMs: read('billedRestoreDurationMs'),
    },
    status,
    /(?:^|\s)Error Type: (\S+)/.exec(line)?.[1],
  );
}

function parseJsonReport(line: string): InvocationReport | undefined {
  if (!line.startsWith('{') || !line.includes('platform.report')) return undefined;
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { type, record } = entry as { type?: unknown; record?: Record<string, unknown> };
  if (type !== 'platform.report' || typeof record !== 'object' || record === null) return undefined;
  const metrics = (record.metrics ?? {}) as Record<string, unknown>;
  const number = (name: string): number | undefined => {
    const value = metrics[name];
    return typeof value === 'number' ? value : undefined;
  };
  const status = record.status;
  return assemble(
    typeof record.requestId === 'string' ? record.requestId : undefined,
    {
      durationMs: number('durationMs'),
      billedDurationMs: number('billedDurationMs'),
      memorySizeMb: number('memorySizeMB'),
      maxMemoryUsedMb: number('maxMemoryUsedMB'),
      initDurationMs: number('initDurationMs'),
      restoreDurationMs: number('restoreDurationMs'),
      billedRestoreDurationMs: number('billedRestoreDurationMs'),
    },
    status === 'timeout' || status === 'error' || status === 'failure' ? status : undefined,
    typeof record.errorType === 'string' ? record.errorType : undefined,
  );
}

function assemble(
  requestId: string | undefined,
  numbers: Record<keyof typeof NUMBER_FIELDS, number | undefined>,
  status: InvocationReport['status'] | undefined,
  errorType: string | undefined,
): InvocationReport | undefined {
  const { durationMs, billedDurationMs, memorySizeMb, maxMemoryUsedMb } = numbers;
  if (requestId === undefined || durationMs === undefined || billedDurationMs === undefined) return undefined;
  const { initDurationMs, restoreDurationMs, billedRestoreDurationMs } = numbers;
  return {
    requestId,
    durationMs,
    billedDurationMs,
    memorySizeMb: memorySizeMb ?? 0,
    maxMemoryUsedMb: maxMemoryUsedMb ?? 0,
    ...(initDurationMs !== undefined && { initDurationMs }),
    ...(restoreDurationMs !== undefined && { restoreDurationMs }),
    ...(billedRestoreDurationMs !== undefined && { billedRestoreDurationMs }),
    status: status ?? 'success',
    ...(errorType !== undefined && { errorType }),
  };
}
