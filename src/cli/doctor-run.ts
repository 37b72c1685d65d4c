import { createHash, randomBytes } from 'node:crypto';
import { GetFunctionConfigurationCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { createColors } from 'picocolors';
import { createClients } from '../aws-clients.ts';
import { explainAwsError, isDenied, readAwsFailure } from '../aws-error.ts';
import { MeasurementError } from '../errors.ts';
import { createInvoke, type Invoke } from '../lambda/invoke.ts';
import { fetchPayloadDocuments } from '../lambda/payload-files.ts';
import { parsePayloads, payloadAt } from '../lambda/payloads.ts';
import { type FlushReply, parseFlushReply } from '../lambda/run-protocol.ts';
import { resolveTarget, type Target } from '../lambda/target.ts';
import { decodeProfile, ProfileError } from '../pprof/decode.ts';
import type { Settings } from '../settings.ts';
import { explainBucketError } from '../snapshots/collect.ts';
import { snapshotPrefix } from '../snapshots/layout.ts';
import { parseWindow } from '../snapshots/window.ts';
import { withRegion } from './aws.ts';
import type { DoctorOptions } from './doctor.ts';
import { checkEnvironment, checkRuntime } from './doctor-rules.ts';
import { EXIT } from './exit.ts';
import { readSettings } from './gate-run.ts';
import { counted, inert, type Shell } from './shell.ts';

/** One thing that was looked at, and what to do about it. */
export interface Finding {
  what: string;
  state: 'ok' | 'failed' | 'unknown';
  found: string;
  fix?: string;
}

/** @returns 0, or 3 when something is missing */
export async function runDoctor(name: string, options: DoctorOptions, shell: Shell): Promise<number> {
  const settings = readSettings(name, { s3Bucket: 'unused', ...options }, shell);
  const { lambda, createInvoker, s3, region } = createClients(settings, await withRegion(shell));
  const findings: Finding[] = [];
  const tell = (finding: Finding): void => {
    findings.push(finding);
    if (!options.json) shell.print(renderFinding(finding, shell.color));
  };
  try {
    const target = await resolveTarget(lambda, settings.function, region, shell.clock, READY_TIMEOUT_MS);
    const label = `${target.functionName}:${target.version}`;
    tell({
      what: 'Function',
      state: 'ok',
      found: `${label}, ${target.runtime}, ${target.architecture}, ${target.memoryMb} MB, ${region}`,
    });
    tell(checkRuntime(target.runtime));
    const variables = await fetchVariables(lambda, target);
    const ofFunction = variables?.LAMBDA_PROFILE_BUCKET || variables?.SPARTA_PROFILE_BUCKET_NAME;
    const bucket = options.s3Bucket ?? shell.env.LAMBDA_PROFILE_BUCKET ?? ofFunction;
    const place = { ...settings, bucket: bucket ?? '' };
    for (const finding of checkEnvironment(target.runtime, variables, place, shell.clock.nowMs())) tell(finding);
    if (bucket !== undefined) for (const finding of await checkBucket(s3, place)) tell(finding);
    if (options.invoke) await checkRun(createInvoker(target.timeoutSeconds), s3, target, place, shell, tell);
  } catch (error) {
    if (!(error instanceof MeasurementError)) throw error;
    tell({ what: 'Reason', state: 'failed', found: error.message, fix: error.next });
  }
  const missing = findings.filter(({ state }) => state === 'failed').length;
  if (options.json) shell.print(`${JSON.stringify({ schemaVersion: 1, ok: missing === 0, findings }, null, 2)}\n`);
  else shell.say(missing === 0 ? 'Everything the gate needs is there.' : `${counted(missing, 'thing')} to do.`);
  return missing === 0 ? 0 : EXIT.notMeasured;
}

const READY_TIMEOUT_MS = 60_000;

async function fetchVariables(lambda: LambdaClient, target: Target): Promise<Record<string, string> | undefined> {
  try {
    const { Environment } = await lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: target.invokeName, Qualifier: target.version }),
    );
    return Environment?.Error ? undefined : (Environment?.Variables ?? {});
  } catch (error) {
    throw explainAwsError(error, `read the configuration of ${target.functionName}`, 'lambda:GetFunctionConfiguration');
  }
}

async function checkBucket(s3: S3Client, settings: Settings): Promise<Finding[]> {
  const { bucket } = settings;
  const snapshots = snapshotPrefix(settings.prefix, settings.stack);
  const recordings = `${settings.baselinePrefix}/${settings.function.name}/`;
  const list = async (what: string, prefix: string): Promise<Finding> => {
    try {
      const { KeyCount = 0, IsTruncated } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
      return {
        what,
        state: 'ok',
        found: `s3://${bucket}/${prefix}: ${IsTruncated ? 'more than ' : ''}${counted(KeyCount, 'object')}`,
      };
    } catch (error) {
      return failed(what, explainBucketError(error, `list s3://${bucket}/${prefix}`, 's3:ListBucket', bucket));
    }
  };
  const read = async (prefix: string): Promise<Finding> => {
    const what = `Read ${prefix}`;
    try {
      await s3.send(new GetObjectCommand({ Bucket: bucket, Key: `${prefix}lambda-profile-doctor` }));
      return { what, state: 'ok', found: 'allowed' };
    } catch (error) {
      // No such object, said to somebody who may know: that is what the permission is for.
      if (readAwsFailure(error).code === 'NoSuchKey') return { what, state: 'ok', found: 'allowed' };
      return failed(what, explainBucketError(error, `read s3://${bucket}/${prefix}`, 's3:GetObject', bucket));
    }
  };
  const first = await list('List snapshots', snapshots);
  if (first.state === 'failed') return [first];
  return [
    first,
    await read(snapshots),
    await list('List recordings', recordings),
    await read(recordings),
    await checkStore(s3, bucket, recordings),
  ];
}

/**
 * Whether this role may store recordings, without storing anything: S3 asks for the permission first, and refuses the
 * object then, for its content is not what its digest says.
 */
async function checkStore(s3: S3Client, bucket: string, prefix: string): Promise<Finding> {
  const what = `Store ${prefix}`;
  try {
    await s3.send(
      new PutObjectCommand({
        ...{ Bucket: bucket, Key: `${prefix}lambda-profile-doctor`, Body: 'doctor', IfNoneMatch: '*' },
        ContentMD5: createHash('md5').update('another content').digest('base64'),
      }),
    );
    return {
      what,
      state: 'ok',
      found: 'allowed: an object lambda-profile-doctor is there now, for its digest was not checked',
    };
  } catch (error) {
    const failure = readAwsFailure(error);
    // 412: somebody stored one there before.
    if (failure.code === 'BadDigest' || failure.status === 412) return { what, state: 'ok', found: 'allowed' };
    if (isDenied(failure))
      return {
        what,
        state: 'unknown',
        found: 'not allowed: right for the role of pull requests; that of the base branch needs s3:PutObject',
      };
    return failed(what, explainBucketError(error, `write to s3://${bucket}/${prefix}`, 's3:PutObject', bucket));
  }
}

function failed(what: string, error: unknown): Finding {
  if (!(error instanceof MeasurementError)) throw error;
  return { what, state: 'failed', found: error.message, fix: error.next };
}

/** Two invocations of a run of their own, then a flush: what the agent does with them. */
async function checkRun(
  invoker: LambdaClient,
  s3: S3Client,
  target: Target,
  settings: Settings,
  shell: Shell,
  tell: (finding: Finding) => void,
): Promise<void> {
  const documents = await fetchPayloadDocuments(settings.payload, s3);
  const payload = payloadAt(
    parsePayloads(documents, () => 0),
    0,
  );
  const run = `doctor.${randomBytes(6).toString('hex')}`;
  const invoke: Invoke = createInvoke(invoker, target, shell.clock);
  for (let i = 0; i < 2; i++) {
    const { invocation } = await invoke(payload, { op: 'invoke', run, commit: '' });
    if (invocation.status !== 'succeeded')
      return tell({
        what: 'Invoke',
        state: 'failed',
        found: `${invocation.status}: ${invocation.errorType ?? 'Unknown'}`,
        fix: 'Look at the log of the function; give an event it understands as --payload.',
      });
    if (i === 0) continue;
    const { report } = invocation;
    tell({ what: 'Invoke', state: 'ok', found: report ? `${report.durationMs} ms` : 'it returned' });
    tell(
      report
        ? { what: 'REPORT line', state: 'ok', found: `billed ${report.billedDurationMs} ms` }
        : {
            what: 'REPORT line',
            state: 'failed',
            found: 'none in the log tail: durations and cost are not known',
            fix: "Set SystemLogLevel of the function's LoggingConfig to INFO.",
          },
    );
  }
  const { payload: answer } = await invoke(payload, { op: 'flush', run, commit: '', holdMs: 0 });
  const reply = parseFlushReply(answer);
  tell(checkReply(reply, target));
  const published = reply?.published[0];
  if (published) tell(await checkSnapshot(s3, settings.bucket, published.key));
}

function checkReply(reply: FlushReply | undefined, { runtime }: Target): Finding {
  const what = 'Agent';
  if (reply === undefined)
    return {
      what,
      state: 'failed',
      found: 'no answer to the flush: it is not installed, or switched off',
      fix: runtime.startsWith('nodejs')
        ? 'Attach the agent layer to this version, and set AWS_LAMBDA_EXEC_WRAPPER and LAMBDA_PROFILE_BUCKET (docs/agent.md).'
        : 'Start the agent in the function (docs/agent.md). Producers that write pprof files by themselves need none.',
    };
  const [failure] = reply.failures;
  if (failure)
    return {
      what,
      state: 'failed',
      found: `it could not publish ${failure.type}: ${failure.code}`,
      fix: "Let the function's role put objects below its snapshots, and let it reach S3 (docs/iam.md).",
    };
  if (reply.published.length === 0)
    return {
      what,
      state: 'unknown',
      found: `it answered as ${reply.instance} and had nothing to publish: the invocations ran on other instances`,
    };
  return {
    what,
    state: 'ok',
    found: `${reply.instance} published ${reply.published.map(({ type }) => type).join(', ')}`,
  };
}

async function checkSnapshot(s3: S3Client, bucket: string, key: string): Promise<Finding> {
  const what = 'Snapshot';
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    const profile = decodeProfile(await Body!.transformToByteArray());
    const window = parseWindow(profile.comments);
    const interval = window ? `, ${window.intervalUs} µs between samples` : '';
    return { what, state: 'ok', found: `${counted(profile.sampleCount, 'sample')} in ${key}${interval}` };
  } catch (error) {
    if (error instanceof ProfileError) return { what, state: 'failed', found: error.message };
    return failed(what, explainBucketError(error, `read s3://${bucket}/${key}`, 's3:GetObject', bucket));
  }
}

function renderFinding({ what, state, found, fix }: Finding, color: boolean): string {
  const colors = createColors(color);
  const mark = { ok: colors.green('✓'), failed: colors.red('✗'), unknown: colors.yellow('?') }[state];
  const lines = [`${mark} ${what}: ${inert(found)}`, ...(fix ? [`    ${colors.bold('→')} ${inert(fix)}`] : [])];
  return lines.map((line) => `${line}\n`).join('');
}
