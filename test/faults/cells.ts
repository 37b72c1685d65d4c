import type { Fault, Service } from './faults.ts';
import type { Phase } from './lane.ts';

/** What must come of a run in which a fault strikes. */
export interface Expectation {
  /** Output `verdict`; '' when the job ends before there is one. Several, where it depends on which instance is met. */
  verdict: string | readonly string[];
  /** Of the recording of the measured commit. */
  stored: boolean;
  comment: boolean;
  /** In the log, or among the warnings of the report. */
  message?: RegExp;
}

export interface Cell {
  service: Service;
  phase: Phase;
  fault: Fault;
  expected: Expectation;
  /** Longest time it may take, in seconds, on a machine that is busy with others. */
  deadlineSeconds: number;
  /** Mostly waits for time limits of the Action, or as long as GitHub asks. */
  patient: boolean;
}

/** The fault is overcome: as if nothing had happened, except that the log may say so. */
const overcome = (message?: RegExp): Expectation => ({
  verdict: 'pass',
  stored: true,
  comment: true,
  ...(message && { message }),
});
/** As `overcome`, but an instance may have been idle meanwhile: with four of them, nothing is decided. */
const overcomeLater = (message?: RegExp): Expectation => ({ ...overcome(message), verdict: ['pass', 'inconclusive'] });
/** Nothing can be measured: the verdict says why, and so does the comment. */
const notMeasured = (message: RegExp): Expectation => ({ verdict: 'error', stored: false, comment: true, message });
/** Measured and recorded, but there is nothing to compare with: no verdict on the change. */
const notCompared = (message: RegExp): Expectation => ({ verdict: 'error', stored: true, comment: true, message });
/** The job ends before it knows how to judge. */
const notStarted = (message: RegExp): Expectation => ({ verdict: '', stored: false, comment: false, message });
/** Everything is done but the comment. */
const notCommented = (message: RegExp): Expectation => ({ verdict: 'pass', stored: true, comment: false, message });

type Row = Partial<Record<Fault, Expectation>>;

const configuration = (why: string): Expectation =>
  notMeasured(new RegExp(`Cannot read the configuration of orders:2: ${why}`));
const invoke = (why: string): Expectation => notMeasured(new RegExp(`Cannot invoke orders:2: ${why}`));
const bucket = (action: string, why: string): Expectation =>
  notMeasured(new RegExp(`Cannot ${action} s3://octo-profiles/[^ ]+: ${why}`));
const config = (why: string): Expectation =>
  notStarted(new RegExp(`Cannot start: the config file .github/lambda-profile.yml cannot be read at main: ${why}`));
const ancestors = (why: string): Expectation => notCompared(new RegExp(`Cannot tell which commit .*: ${why}`));
const commented = (why: string): Expectation => notCommented(new RegExp(`Cannot comment on the pull request: ${why}`));
const baseline = (why: string): Expectation =>
  notCompared(new RegExp(`Cannot read s3://octo-profiles/lambda-profile/recordings/[^ ]+: ${why}`));
const store = (why: string): Expectation => bucket('store the recording in', why);

const EXPIRED = 'the AWS credentials have expired';
const SILENCE = 'GitHub did not answer';

/** Service, phase, fault: what must come of it. Where a service has no part in a phase there is no row. */
const TABLE: Record<Service, Partial<Record<Phase, Row>>> = {
  lambda: {
    readiness: {
      refused: configuration('no answer \\(ECONNREFUSED'),
      reset: configuration('no answer \\(ECONNRESET'),
      'answer lost': overcome(),
      slow: overcome(),
      hang: configuration('no answer within \\d+ s'),
      '403': configuration('the role lacks lambda:GetFunctionConfiguration'),
      '404': notMeasured(/Cannot find the function orders:2\. .*looked for in eu-west-1/),
      '409': configuration('AWS answered 409 ResourceConflictException'),
      '429 with Retry-After': overcome(),
      '429': overcome(),
      '429 for ever': configuration('AWS throttles this account'),
      '500 once': overcome(),
      '500 for ever': configuration('AWS answered 500 ServiceException'),
      'truncated body': overcome(),
      'wrong body': configuration('the answer cannot be read'),
      'expired credentials': configuration(EXPIRED),
      'clock skew': overcome(),
    },
    'warm-up': {
      refused: invoke('none of \\d+ calls was answered \\(ECONN'),
      reset: invoke('none of \\d+ calls was answered \\(ECONNRESET'),
      'answer lost': overcome(),
      slow: overcome(),
      hang: invoke('none of \\d+ calls was answered \\(ETIMEDOUT'),
      '403': invoke('the role lacks lambda:InvokeFunction'),
      '404': invoke('it does not exist any more'),
      '409': invoke('Lambda is still changing it'),
      '429 with Retry-After': overcomeLater(),
      '429': overcomeLater(),
      '500 once': overcome(),
      '500 for ever': notMeasured(/every one of its \d+ invocations failed \(ServiceException\)/),
      'truncated body': overcome(),
      'wrong body': invoke('none of \\d+ calls was answered \\(NotLambda'),
      'expired credentials': invoke(EXPIRED),
      'clock skew': overcome(),
    },
    load: {
      refused: invoke('none of \\d+ calls was answered'),
      reset: invoke('none of \\d+ calls was answered \\(ECONNRESET'),
      'answer lost': overcome(/1 of 100 calls to orders:2 were not answered/),
      slow: overcome(),
      hang: invoke('none of \\d+ calls was answered \\(ETIMEDOUT'),
      '403': invoke('the role lacks lambda:InvokeFunction'),
      '404': invoke('it does not exist any more'),
      '409': invoke('Lambda is still changing it'),
      '429 with Retry-After': overcomeLater(),
      '429': overcomeLater(),
      '429 for ever': notMeasured(/Lambda throttled \d+ calls/),
      '500 once': overcome(),
      '500 for ever': notMeasured(/every one of its \d+ invocations failed \(ServiceException\)/),
      'truncated body': overcome(/1 of 100 calls to orders:2 were not answered/),
      'wrong body': invoke('none of \\d+ calls was answered \\(NotLambda'),
      'expired credentials': invoke(EXPIRED),
      'clock skew': overcome(),
    },
    flush: {
      refused: notMeasured(/Cannot flush the instances of orders:2: none of \d+ calls got through \(ECONN/),
      reset: notMeasured(/Cannot flush the instances of orders:2: none of \d+ calls got through \(ECONNRESET/),
      'answer lost': overcome(),
      slow: overcome(),
      hang: notMeasured(/Cannot flush the instances of orders:2: none of \d+ calls got through \(ETIMEDOUT/),
      '403': invoke('the role lacks lambda:InvokeFunction'),
      '404': invoke('it does not exist any more'),
      '409': invoke('Lambda is still changing it'),
      '429 with Retry-After': overcomeLater(),
      '429': overcomeLater(),
      '429 for ever': notMeasured(/Cannot flush .* got through \(TooManyRequestsException/),
      '500 once': overcome(),
      '500 for ever': notMeasured(/Cannot flush .* got through \(ServiceException/),
      'truncated body': overcome(),
      'wrong body': notMeasured(/Cannot flush .* got through \(NotLambda/),
      'expired credentials': invoke(EXPIRED),
      'clock skew': overcome(),
    },
  },
  s3: {
    readiness: {
      refused: bucket('list', 'no answer \\(ECONNREFUSED'),
      reset: bucket('list', 'no answer \\(ECONNRESET'),
      'answer lost': overcome(),
      slow: overcome(),
      hang: bucket('list', 'no answer within \\d+ s'),
      '403': bucket('list', 'the role lacks s3:ListBucket'),
      '404': bucket('list', 'there is no bucket octo-profiles'),
      '409': bucket('list', 'AWS answered 409'),
      '429 with Retry-After': overcomeLater(),
      '429': overcomeLater(),
      '500 once': overcome(),
      '500 for ever': bucket('list', 'AWS answered 500 InternalError'),
      'truncated body': overcome(),
      'wrong body': bucket('list', 'the answer cannot be read'),
      'expired credentials': bucket('list', EXPIRED),
      'clock skew': overcome(),
    },
    flush: {
      reset: notMeasured(/its agent could not write to s3:\/\/octo-profiles/),
      'answer lost': overcome(),
      slow: overcome(),
      '403': notMeasured(/its agent could not write to s3:.*AccessDenied.*Add s3:PutObject/),
      '404': notMeasured(/its agent could not write to s3:.*NoSuchBucket/),
      '409': notMeasured(/its agent could not write to s3:.*ConditionalRequestConflict/),
      '429 with Retry-After': overcomeLater(),
      '429': overcomeLater(),
      '500 once': overcome(),
      '500 for ever': notMeasured(/its agent could not write to s3:.*InternalError/),
      'expired credentials': notMeasured(/its agent could not write to s3:.*ExpiredToken/),
    },
    collect: {
      refused: bucket('(list|read)', 'no answer \\(ECONN'),
      reset: bucket('(list|read)', 'no answer \\(ECONNRESET'),
      'answer lost': overcome(),
      slow: overcome(),
      hang: bucket('(list|read)', 'no answer within \\d+ s'),
      '403': bucket('list', 'the role lacks s3:ListBucket'),
      '404': bucket('list', 'there is no bucket octo-profiles'),
      '409': bucket('list', 'AWS answered 409'),
      '429 with Retry-After': overcome(),
      '429': overcome(),
      '500 once': overcome(),
      '500 for ever': bucket('list', 'AWS answered 500 InternalError'),
      'truncated body': overcome(),
      'wrong body': bucket('list', 'the answer cannot be read'),
      'expired credentials': bucket('list', EXPIRED),
      'clock skew': overcome(),
    },
    baseline: {
      reset: baseline('no answer \\(ECONNRESET'),
      'answer lost': overcome(),
      slow: overcome(),
      '403': baseline('the role lacks s3:GetObject'),
      '404': { verdict: 'no-baseline', stored: true, comment: true },
      '429 with Retry-After': overcome(),
      '500 once': overcome(),
      '500 for ever': baseline('AWS answered 500 InternalError'),
      'truncated body': overcome(),
      'wrong body': notCompared(/Cannot read the recording of [0-9a-f]{7} in s3:.*: recording.json is not JSON/),
      'expired credentials': baseline(EXPIRED),
    },
    store: {
      refused: store('no answer \\(ECONNREFUSED'),
      reset: store('no answer \\(ECONNRESET'),
      'answer lost': overcome(/[0-9a-f]{7} stored/),
      slow: overcome(),
      hang: store('no answer within \\d+ s'),
      '403': store('the role lacks s3:PutObject'),
      '404': store('there is no bucket octo-profiles'),
      '409': store('AWS answered 409 ConditionalRequestConflict'),
      '429 with Retry-After': overcome(),
      '429': overcome(),
      '500 once': overcome(),
      '500 for ever': store('AWS answered 500 InternalError'),
      'wrong body': store('the answer cannot be read'),
      'expired credentials': store(EXPIRED),
      'clock skew': overcome(),
    },
  },
  github: {
    readiness: {
      refused: config(SILENCE),
      reset: config(SILENCE),
      'answer lost': overcome(),
      slow: overcome(),
      hang: config(SILENCE),
      '403': config('GitHub answered 403\\. Add `permissions: contents: read`'),
      // There is no config file, and no list of files: what only helps to read the report may be missing.
      '404': overcome(/Cannot list the files of pull request \d+.*GitHub answered 404/),
      '409': config('GitHub answered 409'),
      '429 with Retry-After': overcome(/trying again in 1 s/),
      '429': overcome(/trying again in 60 s/),
      '500 once': overcome(),
      '500 for ever': config('GitHub answered 500'),
      'truncated body': overcome(),
      'expired credentials': config('GitHub answered 401\\. Check the input github-token'),
      'clock skew': config('GitHub answered 403'),
    },
    baseline: {
      // Then nobody can comment either.
      refused: { ...ancestors(SILENCE), comment: false },
      reset: ancestors(SILENCE),
      'answer lost': overcome(),
      slow: overcome(),
      hang: ancestors(SILENCE),
      '403': ancestors('GitHub answered 403'),
      '404': ancestors('GitHub answered 404'),
      '409': ancestors('GitHub answered 409'),
      '429 with Retry-After': overcome(/trying again in 1 s/),
      '429 for ever': ancestors('GitHub answered 429'),
      '500 once': overcome(),
      '500 for ever': ancestors('GitHub answered 500'),
      'truncated body': overcome(),
      'wrong body': ancestors('the answer of GitHub cannot be read'),
      'expired credentials': ancestors('GitHub answered 401'),
    },
    comment: {
      refused: commented(SILENCE),
      reset: commented(SILENCE),
      'answer lost': overcome(),
      slow: overcome(),
      hang: commented(SILENCE),
      '403': commented('GitHub answered 403\\. Add `permissions: pull-requests: write`'),
      '404': commented('GitHub answered 404'),
      '409': commented('GitHub answered 409'),
      '429 with Retry-After': overcome(),
      '429 for ever': commented('GitHub answered 429'),
      '500 once': overcome(),
      '500 for ever': commented('GitHub answered 500'),
      'truncated body': overcome(),
      'wrong body': commented('the answer of GitHub cannot be read'),
      'expired credentials': commented('GitHub answered 401\\. Check the input github-token'),
      'clock skew': commented('GitHub answered 403'),
    },
  },
};

const PATIENT: readonly Fault[] = ['hang', '429', '429 for ever'];

export const CELLS: readonly Cell[] = (Object.keys(TABLE) as Service[]).flatMap((service) =>
  (Object.entries(TABLE[service]) as [Phase, Row][]).flatMap(([phase, row]) =>
    (Object.entries(row) as [Fault, Expectation][]).map(([fault, expected]) => {
      const patient = PATIENT.includes(fault) && (service === 'github' || fault !== '429');
      return { service, phase, fault, expected, patient, deadlineSeconds: patient ? 180 : 90 };
    }),
  ),
);
