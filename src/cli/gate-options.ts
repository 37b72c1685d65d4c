import { type Command, Option } from 'commander';
import type { RawInputs } from '../settings.ts';

/**
 * The settings of the gate as options, named and read as the inputs of the Action: option, what its value is called, and
 * what it means. A test keeps the list complete. `false` for what only makes sense in a workflow.
 */
export const GATE_OPTIONS: Record<string, [value: string, text: string] | false> = {
  'function-name': false, // the argument
  qualifier: ['version', 'version or alias to measure (default: $LATEST)'],
  payload: ['event', 'event to send: JSON, file:PATH, s3://bucket/key, or a weighted list (default: {})'],
  invocations: ['count', 'measured invocations, over all instances'],
  'warmup-invocations': ['count', 'invocations before the measurement (default: until durations are steady)'],
  concurrency: ['count', 'invocations in flight, hence instances (default: 8)'],
  rate: ['calls', 'calls per second, in an open loop (default: as fast as answers come)'],
  ramp: ['duration', 'time in which the rate is reached'],
  duration: ['duration', 'how long to measure, such as 90s'],
  'max-duration': ['duration', 'no call is sent after so long (default: 15m)'],
  'min-cpu-seconds': ['seconds', 'CPU to sample: the load goes on until there is so much'],
  'monthly-invocations': ['count', 'traffic for which the cost of a month is told'],
  'base-qualifier': ['version', 'version or alias of the base, measured at the same time'],
  mode: ['mode', 'all, measure (a shard) or compare (the shards)'],
  shard: ['number', 'which shard this is'],
  shards: ['count', 'how many shards there are'],
  's3-bucket': [
    'bucket',
    'bucket the agent publishes to; recordings are kept there too (default: LAMBDA_PROFILE_BUCKET)',
  ],
  's3-prefix': ['prefix', 'where snapshots are in the bucket (default: sparta/pprof)'],
  stack: ['stack', "LAMBDA_PROFILE_STACK of the function (default: the function's name)"],
  'profile-types': ['types', 'profile types to collect, separated by commas (default: cpu)'],
  'wait-timeout': ['duration', 'longest wait for snapshots of a function without our agent (default: 90s)'],
  'base-ref': ['branch', 'branch to compare with (default: that of origin)'],
  commit: ['commit', 'commit that was deployed (default: HEAD)'],
  'update-baseline': false, // a switch
  'fail-threshold': ['percent', 'a function that uses so much more CPU fails the gate (default: 10%)'],
  'warn-threshold': ['percent', 'a function that uses so much more CPU is warned of (default: 5%)'],
  'min-delta': ['duration', 'changes below this much CPU per invocation never count (default: 0.1ms)'],
  'fail-on-error': false, // a switch
  comment: false,
  'comment-key': ['key', 'separates the recordings of several measurements of one function'],
  top: ['count', 'functions shown before the fold (default: 5)'],
  'page-url': false,
  'check-name': false,
  'accept-label': false,
  'pr-number': false,
  'github-token': false,
  'baseline-prefix': ['prefix', 'where recordings are in the bucket (default: lambda-profile/recordings)'],
  config: ['file', 'config file (default: .github/lambda-profile.yml, if there is one)'],
};

/** Adds the settings among `names`, or all of them. */
export function addGateOptions(command: Command, names: string[] = Object.keys(GATE_OPTIONS)): Command {
  for (const name of names) {
    const option = GATE_OPTIONS[name];
    if (option) command.addOption(new Option(`--${name} <${option[0]}>`, option[1]));
  }
  return command;
}

/** The options as the inputs that the settings are read from. */
export function inputsOf(options: Record<string, unknown>, bucketOfEnvironment: string | undefined): RawInputs {
  const inputs: RawInputs = { ...(bucketOfEnvironment && { 's3-bucket': bucketOfEnvironment }) };
  for (const name of Object.keys(GATE_OPTIONS)) {
    const value = options[name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
    if (typeof value === 'string') inputs[name] = value;
    else if (typeof value === 'boolean') inputs[name] = String(value);
  }
  return inputs;
}
