import type { Cell } from './cells.ts';
import type { Lane, RunResult, Stored } from './lane.ts';

/** What a run left, besides its own answers. */
export interface Aftermath {
  result: RunResult;
  /** Recordings before and after. */
  before: Stored;
  after: Stored;
  commit: string;
  comments: string[];
  reached: number;
  received: number;
}

/** Exit code of the job by verdict, with the Action's defaults. */
const EXIT_CODES: Record<string, number> = {
  pass: 0,
  warn: 0,
  accepted: 0,
  inconclusive: 0,
  'no-baseline': 0,
  skipped: 0,
  fail: 1,
  error: 1,
  '': 1,
};
const MEASURED = new Set(['pass', 'warn', 'fail', 'accepted', 'inconclusive', 'no-baseline']);

/** What is not as the cell expects, as sentences. */
export function compareWithExpectation({ expected }: Cell, { result, after, commit, comments }: Aftermath): string[] {
  const problems: string[] = [];
  const verdict = result.outputs.verdict ?? '';
  if (![expected.verdict].flat().includes(verdict))
    problems.push(
      `verdict '${verdict}', not '${expected.verdict}': ${result.report?.verdict.headline ?? lastLine(result)}`,
    );
  const isStored = [...after.keys()].some((key) => key.endsWith(`/${commit}/recording.json`));
  if (isStored !== expected.stored) problems.push(isStored ? 'a recording was stored' : 'no recording was stored');
  if (comments.length > 0 !== expected.comment) problems.push(comments.length > 0 ? 'it commented' : 'no comment');
  const told = [result.log, ...(result.report?.warnings ?? [])].join('\n');
  if (expected.message && !expected.message.test(told))
    problems.push(`the log lacks ${expected.message}: ${lastLine(result)}`);
  if (result.met === 0) problems.push('the fault met no request');
  return problems;
}

/** What must hold in every cell, whatever it expects. */
export function checkInvariants(
  { result, before, after, comments, reached, received }: Aftermath,
  lane: Lane,
  deadlineSeconds: number,
): string[] {
  const problems: string[] = [];
  const claim = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem);
  };
  const { report, outputs, exitCode, log, stderr } = result;
  const verdict = outputs.verdict ?? '';
  claim(result.seconds <= deadlineSeconds, `it took ${result.seconds.toFixed(0)} s, more than ${deadlineSeconds}`);
  claim(exitCode === EXIT_CODES[verdict], `exit code ${exitCode} with verdict '${verdict}'`);
  if (verdict !== '')
    claim(report?.verdict.kind === verdict, `report.json says ${report?.verdict.kind}, the output ${verdict}`);

  if (MEASURED.has(verdict)) {
    const succeeded = report?.head?.invocations.succeeded ?? 0;
    claim(succeeded > 0 && (report?.head?.instances.length ?? 0) > 0, `verdict ${verdict} without a measurement`);
    claim(succeeded <= reached, `${succeeded} invocations succeeded, but ${reached} reached the function`);
  }

  for (const [key, hash] of before) {
    if (!after.has(key)) problems.push(`lost: ${key}`);
    else claim(after.get(key) === hash, `overwritten: ${key}`);
  }
  problems.push(...brokenRecordings(lane));

  const calls = report?.calls ?? { sent: 0, ran: 0, refused: 0, unknown: 0 };
  claim(
    calls.sent === calls.ran + calls.refused + calls.unknown,
    `the account does not balance: ${JSON.stringify(calls)}`,
  );
  // What the network lost, or was given up while it left, never came in.
  claim(
    received <= calls.sent && received >= calls.sent - calls.unknown,
    `${received} calls came in, the account says ${JSON.stringify(calls)}`,
  );
  claim(
    reached >= calls.ran && reached <= calls.ran + calls.unknown,
    `${reached} calls reached the function, the account says ${JSON.stringify(calls)}`,
  );

  claim(comments.length <= 1, `${comments.length} comments`);
  claim(result.leftProcesses.length === 0, `processes left: ${result.leftProcesses.join(', ')}`);
  claim(result.leftFiles.length === 0, `files left: ${result.leftFiles.join(', ')}`);
  claim(!/Unexpected failure|^ {4}at /m.test(log), `unexpected failure: ${lastLine(result)}`);
  claim(stderr === '', `on standard error: ${stderr.slice(0, 300)}`);
  claim(
    !/123456789012|job-secret|ghs_(?!\*)/.test(log.replace(/::add-mask::.*\n/g, '')),
    'a secret or an account id in the log',
  );
  return problems;
}

/** Manifests that are not whole, or whose profiles are not what they say. */
export function brokenRecordings({ stored, cloud }: Lane): string[] {
  const hashes = stored();
  return cloud.s3
    .objects('octo-profiles', 'lambda-profile/')
    .filter(({ key }) => key.endsWith('/recording.json'))
    .flatMap(({ key, body }) => {
      try {
        const { profiles } = JSON.parse(body.toString()) as { profiles: { file: string; sha256: string }[] };
        const folder = key.slice(0, key.lastIndexOf('/') + 1);
        return profiles.flatMap(({ file, sha256 }) =>
          hashes.get(folder + file) === sha256 ? [] : [`half-written: ${folder}${file}`],
        );
      } catch {
        return [`half-written: ${key}`];
      }
    });
}

function lastLine({ log }: RunResult): string {
  return log.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
}
