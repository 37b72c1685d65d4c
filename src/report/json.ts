/** `report.json`: the whole report for machines, and the way back for the job that posts comments of forks. */
import type { Report } from './report.ts';
import { reportSchema } from './schema.ts';

/** Longest text `parseReport()` looks at, in characters. */
const maxReportLength = 32 * 1024 * 1024;

/** The report as JSON with sorted keys: equal reports are equal texts. NaN and infinities become strings. */
export function renderJson(report: Report): string {
  return `${JSON.stringify(toJson(report), null, 2)}\n`;
}

/**
 * The report in a text written by `renderJson()`. The text is untrusted: it is bounded and validated, and unknown
 * fields are dropped. Throws an Error that names the first fields that are wrong.
 */
export function parseReport(text: string): Report {
  if (text.length > maxReportLength) {
    throw new Error(
      `Cannot read the report: it has ${text.length} characters, at most ${maxReportLength} are read. Write it with the version of lambda-profile-action that reads it.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error('Cannot read the report: it is not JSON. Pass the report.json of the measuring job.', { cause });
  }
  const result = reportSchema.safeParse(value);
  if (result.success) return result.data;
  const wrong = result.error.issues
    .slice(0, 3)
    .map(
      (issue) => `${issue.path.map(String).join('.').slice(0, 200) || 'the report'}: ${issue.message.slice(0, 200)}`,
    );
  throw new Error(
    `Cannot read the report: ${wrong.join('; ')}. Pass the report.json of a measuring job of the same version.`,
  );
}

function toJson(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, entry]) => [key, toJson(entry)]));
}
