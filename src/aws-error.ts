import { MeasurementError } from './errors.ts';

/** What a failed AWS call tells: the service's error code, and the HTTP status (0 when no response came). */
export interface AwsFailure {
  code: string;
  status: number;
  message: string;
}

/** Reads an error thrown by the AWS SDK, or by anything below it. */
export function readAwsFailure(error: unknown): AwsFailure {
  const { name, code, message, $metadata } = (error ?? {}) as {
    name?: string;
    code?: string;
    message?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode ?? 0;
  return { code: (status === 0 && code) || name || 'UnknownError', status, message: withoutAccounts(message ?? '') };
}

/** The text without account ids and access keys: messages of AWS quote whole ARNs. */
export function withoutAccounts(text: string): string {
  return text.replace(/\b\d{12}\b/g, '************').replace(/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g, '****');
}

const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired', 'TokenRefreshRequired']);
const UNKNOWN_CREDENTIALS = new Set([
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
]);
const DENIED = new Set(['AccessDenied', 'AccessDeniedException', 'Forbidden']);
/** S3 has a code for it; Lambda says that a signature is expired or not yet current. */
function isSkewed({ code, message }: AwsFailure): boolean {
  return (
    code === 'RequestTimeTooSkewed' ||
    (code === 'InvalidSignatureException' && /signature (expired|not yet current)/i.test(message))
  );
}

/** Whether a request was refused for its time alone, and the client has set its clock right by the answer. */
export function wasSkewed(error: unknown): boolean {
  const { $metadata } = (error ?? {}) as { $metadata?: { clockSkewCorrected?: boolean } };
  return $metadata?.clockSkewCorrected === true && isSkewed(readAwsFailure(error));
}

/** Whether the failure is about who asks, not about what is asked. */
export function isDenied(failure: AwsFailure): boolean {
  return (
    DENIED.has(failure.code) ||
    (failure.status === 403 && !EXPIRED.has(failure.code) && !UNKNOWN_CREDENTIALS.has(failure.code))
  );
}

/**
 * A failed AWS call as a sentence for the user.
 * @param what the step in words, e.g. `invoke orders:7`
 * @param action the IAM action it needs, e.g. `lambda:InvokeFunction`
 */
export function explainAwsError(error: unknown, what: string, action: string): MeasurementError {
  if (error instanceof MeasurementError) return error;
  const failure = readAwsFailure(error);
  const { cause, next } = causeOf(failure, action);
  return new MeasurementError(
    `Cannot ${what}: ${cause}.`,
    next,
    [
      {
        what: action,
        state: 'failed',
        found: failure.status ? `${failure.code} (HTTP ${failure.status})` : failure.code,
      },
    ],
    { cause: error },
  );
}

function causeOf(failure: AwsFailure, action: string): { cause: string; next: string } {
  if (EXPIRED.has(failure.code))
    return {
      cause: 'the AWS credentials have expired',
      next: 'Sign in again. In a workflow, ask for a longer session (role-duration-seconds of aws-actions/configure-aws-credentials), or measure for a shorter time.',
    };
  if (isSkewed(failure))
    return {
      cause: 'the clock of this machine is off',
      next: 'Set the clock: it must be within 5 minutes of that of AWS.',
    };
  if (UNKNOWN_CREDENTIALS.has(failure.code))
    return {
      cause: `AWS does not accept the credentials (${failure.code})`,
      next: 'Check whose they are: `aws sts get-caller-identity`. In a workflow, check the step aws-actions/configure-aws-credentials, with a role of docs/iam.md.',
    };
  if (failure.code === 'CredentialsProviderError')
    return {
      cause: 'there are no AWS credentials',
      next: 'Sign in, or set AWS_PROFILE. In a workflow, run aws-actions/configure-aws-credentials before this step, with `permissions: id-token: write`.',
    };
  if (isDenied(failure))
    return { cause: `the role lacks ${action}`, next: `Add ${action} to the policy of the role, as in docs/iam.md.` };
  const timeLimitMs = /configured (\d+) ms/.exec(failure.message)?.[1];
  if (failure.status === 0 && timeLimitMs !== undefined)
    return {
      cause: `no answer within ${Number(timeLimitMs) / 1000} s, however often it was asked`,
      next: 'Check the network and the region, then try again.',
    };
  if (failure.status === 0)
    return {
      cause: `no answer (${failure.code}${failure.message ? `: ${failure.message}` : ''})`,
      next: 'Check the network and the region, then try again.',
    };
  if (failure.status < 300)
    return {
      cause: `the answer cannot be read (${failure.code}${failure.message ? `: ${failure.message}` : ''})`,
      next: 'Try again; if it stays so, look at what is between this machine and AWS (a proxy, AWS_ENDPOINT_URL).',
    };
  if (failure.status === 429 || failure.code === 'SlowDown')
    return {
      cause: `AWS throttles this account (${failure.status} ${failure.code})`,
      next: 'Try again in some minutes, or let fewer jobs run at the same time.',
    };
  return {
    cause: `AWS answered ${failure.status} ${failure.code}${failure.message ? `: ${failure.message}` : ''}`,
    next:
      failure.status >= 500 || failure.status === 409
        ? 'Try again in some minutes.'
        : 'Check what was given: function, bucket, region.',
  };
}
