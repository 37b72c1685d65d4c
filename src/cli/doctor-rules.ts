import type { Finding } from './doctor-run.ts';

/** Whether there is an agent for a runtime. */
export function checkRuntime(runtime: string): Finding {
  const what = 'Runtime';
  if (/^nodejs(22|24|26)\.x$/.test(runtime)) return { what, state: 'ok', found: `${runtime}: there is an agent layer` };
  if (/^provided\./.test(runtime)) return { what, state: 'ok', found: `${runtime}: there is an agent for Go` };
  if (runtime === 'image')
    return { what, state: 'unknown', found: 'a container image: the agent must be built into it' };
  return {
    what,
    state: 'failed',
    found: `${runtime}: there is no agent`,
    fix: 'Use Node.js 22, 24 or 26, or Go; or publish pprof files from the function (docs/producers.md).',
  };
}

/** Where the gate will look. */
export interface Place {
  bucket: string;
  prefix: string;
  stack: string;
  function: { name: string };
}

/** Whether the variables of a function switch the agent on, and name the place where the gate looks. */
export function checkEnvironment(
  runtime: string,
  variables: Record<string, string> | undefined,
  place: Place,
  nowMs: number,
): Finding[] {
  if (variables === undefined)
    return [{ what: 'Variables', state: 'unknown', found: 'they are encrypted, and this role may not decrypt them' }];
  const findings: Finding[] = [];
  if (runtime.startsWith('nodejs')) findings.push(checkWrapper(variables));
  findings.push(checkSwitches(variables, nowMs));
  const bucket = variables.LAMBDA_PROFILE_BUCKET || variables.SPARTA_PROFILE_BUCKET_NAME || '';
  findings.push(same('LAMBDA_PROFILE_BUCKET', bucket, '--s3-bucket', place.bucket));
  findings.push(
    same('LAMBDA_PROFILE_PREFIX', variables.LAMBDA_PROFILE_PREFIX || 'sparta/pprof', '--s3-prefix', place.prefix),
    same(
      'LAMBDA_PROFILE_STACK',
      variables.LAMBDA_PROFILE_STACK || variables.SPARTA_STACK_NAME || place.function.name,
      '--stack',
      place.stack,
    ),
  );
  return findings;
}

const WRAPPER = '/opt/lambda-profile';

function checkWrapper({ AWS_LAMBDA_EXEC_WRAPPER: wrapper }: Record<string, string>): Finding {
  const what = 'AWS_LAMBDA_EXEC_WRAPPER';
  if (wrapper === WRAPPER) return { what, state: 'ok', found: wrapper };
  return {
    what,
    state: 'failed',
    found: wrapper ? `${wrapper} is another wrapper` : 'not set: the agent does not start',
    fix: wrapper
      ? `Set it to ${WRAPPER}, and LAMBDA_PROFILE_NEXT_WRAPPER to ${wrapper}.`
      : `Attach the agent layer, and set it to ${WRAPPER} (docs/agent.md).`,
  };
}

function checkSwitches(variables: Record<string, string>, nowMs: number): Finding {
  const what = 'Agent switches';
  const { LAMBDA_PROFILE_DISABLE, LAMBDA_PROFILE_UNTIL, LAMBDA_PROFILE_MODE, LAMBDA_PROFILE_TYPES } = variables;
  if (LAMBDA_PROFILE_DISABLE === '1')
    return { what, state: 'failed', found: 'LAMBDA_PROFILE_DISABLE is 1', fix: 'Remove it.' };
  if (LAMBDA_PROFILE_UNTIL && Date.parse(LAMBDA_PROFILE_UNTIL) < nowMs)
    return {
      what,
      state: 'failed',
      found: `LAMBDA_PROFILE_UNTIL is over: ${LAMBDA_PROFILE_UNTIL}`,
      fix: 'Set a later time, or remove it.',
    };
  const mode = LAMBDA_PROFILE_MODE === 'marker' ? 'only invocations of the gate' : 'every invocation';
  return { what, state: 'ok', found: `on: ${LAMBDA_PROFILE_TYPES || 'cpu'} of ${mode}` };
}

function same(variable: string, value: string, flag: string, wanted: string): Finding {
  if (value === '' && variable === 'LAMBDA_PROFILE_BUCKET')
    return {
      what: variable,
      state: 'failed',
      found: 'not set: the agent is off',
      fix: `Set it to the bucket for snapshots${wanted ? `: ${wanted}` : ''}.`,
    };
  if (value === wanted) return { what: variable, state: 'ok', found: value };
  return {
    what: variable,
    state: 'failed',
    found: `the function publishes to ${value}, the gate looks in ${wanted}`,
    fix: `Give ${flag} ${value}, or set the variable to ${wanted}.`,
  };
}
