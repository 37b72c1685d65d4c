/** What the platform measured of one invocation. Durations in milliseconds, memory in MB (2^20 bytes). */
export interface InvocationMetrics {
  readonly durationMs: number;
  /** Only on the first invocation of an instance. */
  readonly initDurationMs?: number | undefined;
  readonly memorySizeMB: number;
  readonly maxMemoryUsedMB: number;
  /** `error` is a function error; only a `crash` or a `timeout` shows in the text line. */
  readonly status: 'success' | 'error' | 'crash' | 'timeout';
  readonly errorType?: string | undefined;
}

/** How a function's platform lines are written: `LoggingConfig` of the function. */
export interface LogSettings {
  readonly format: 'Text' | 'JSON';
  /** Lowest level of platform events that is written in the JSON format. */
  readonly systemLevel: 'DEBUG' | 'INFO' | 'WARN';
}

/** Writes the platform's lines of one invocation. Every method answers whole lines, or '' for a suppressed event. */
export interface PlatformLog {
  start(requestId: string, version: string): string;
  end(requestId: string, metrics: InvocationMetrics): string;
  report(requestId: string, metrics: InvocationMetrics): string;
  /** Written for an initialization that failed, in the `init` phase or repeated in the `invoke` phase. */
  initReport(durationMs: number, phase: 'init' | 'invoke', status: 'error' | 'timeout', errorType?: string): string;
}

const hundredths = (milliseconds: number) => Math.round(milliseconds * 100);

/**
 * Billed duration in whole milliseconds: duration and init together, rounded up. Computed from the two values as
 * they are printed, in integers, so that a reader who adds the printed values comes to the same number.
 */
export const billedDurationMs = (durationMs: number, initDurationMs = 0): number =>
  Math.ceil((hundredths(durationMs) + hundredths(initDurationMs)) / 100);

const printed = (milliseconds: number) => (hundredths(milliseconds) / 100).toFixed(2);
const rounded = (milliseconds: number) => hundredths(milliseconds) / 100;

const textLog: PlatformLog = {
  start: (requestId, version) => `START RequestId: ${requestId} Version: ${version}\n`,
  end: (requestId) => `END RequestId: ${requestId}\n`,
  report(requestId, metrics) {
    const fields = [
      `REPORT RequestId: ${requestId}`,
      `Duration: ${printed(metrics.durationMs)} ms`,
      `Billed Duration: ${billedDurationMs(metrics.durationMs, metrics.initDurationMs)} ms`,
      `Memory Size: ${metrics.memorySizeMB} MB`,
      `Max Memory Used: ${metrics.maxMemoryUsedMB} MB`,
    ];
    if (metrics.initDurationMs !== undefined) fields.push(`Init Duration: ${printed(metrics.initDurationMs)} ms`);
    // The line ends with a TAB unless a status follows, as in CloudWatch.
    if (metrics.status === 'timeout') fields.push('Status: timeout');
    else if (metrics.status === 'crash') fields.push('Status: error', `Error Type: ${metrics.errorType}`);
    else fields.push('');
    return `${fields.join('\t')}\n`;
  },
  initReport(durationMs, phase, status, errorType) {
    const fields = [`INIT_REPORT Init Duration: ${printed(durationMs)} ms`, `Phase: ${phase}`, `Status: ${status}`];
    if (errorType !== undefined) fields.push(`Error Type: ${errorType}`);
    return `${fields.join('\t')}\n`;
  },
};

const RANKS = { DEBUG: 0, INFO: 1, WARN: 2 } as const;

const jsonLog = (systemLevel: LogSettings['systemLevel'], now: () => Date): PlatformLog => {
  const event = (level: keyof typeof RANKS, type: string, record: Record<string, unknown>) =>
    RANKS[level] < RANKS[systemLevel] ? '' : `${JSON.stringify({ time: now().toISOString(), type, record })}\n`;
  const outcome = ({ status, errorType }: InvocationMetrics) => ({
    status: status === 'crash' ? 'error' : status,
    ...(errorType === undefined ? {} : { errorType }),
  });
  // Levels from the Lambda guide: a successful runtimeDone is DEBUG, a successful report INFO, a failed one WARN.
  const level = (metrics: InvocationMetrics, success: keyof typeof RANKS) =>
    metrics.status === 'success' ? success : 'WARN';
  return {
    start: (requestId, version) => event('INFO', 'platform.start', { requestId, version }),
    end: (requestId, metrics) =>
      event(level(metrics, 'DEBUG'), 'platform.runtimeDone', {
        requestId,
        metrics: { durationMs: rounded(metrics.durationMs) },
        ...outcome(metrics),
      }),
    report: (requestId, metrics) =>
      event(level(metrics, 'INFO'), 'platform.report', {
        requestId,
        metrics: {
          durationMs: rounded(metrics.durationMs),
          billedDurationMs: billedDurationMs(metrics.durationMs, metrics.initDurationMs),
          memorySizeMB: metrics.memorySizeMB,
          maxMemoryUsedMB: metrics.maxMemoryUsedMB,
          ...(metrics.initDurationMs === undefined ? {} : { initDurationMs: rounded(metrics.initDurationMs) }),
        },
        ...outcome(metrics),
      }),
    initReport: (durationMs, phase, status, errorType) =>
      event('WARN', 'platform.initReport', {
        initializationType: 'on-demand',
        phase,
        status,
        ...(errorType === undefined ? {} : { errorType }),
        metrics: { durationMs: rounded(durationMs) },
      }),
  };
};

/** The writer for a function's log settings; `now` stamps JSON events. */
export const platformLog = ({ format, systemLevel }: LogSettings, now: () => Date): PlatformLog =>
  format === 'Text' ? textLog : jsonLog(systemLevel, now);
