import { type Call, parameter } from './call.ts';
import { S3Error } from './errors.ts';
import { canonicalRequest, type SigningScope, sha256Hex, sign, signingKey, stringToSign } from './signature.ts';

/** Credentials the server knows. */
export interface S3Account {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expired?: boolean;
  /** IAM: may this account do `action` (`s3:PutObject`) on `resource` (`bucket/key` or `bucket`)? Default: everything. */
  allows?: (action: string, resource: string) => boolean;
}

/** Who sent a request, and what is needed to check the chunks of its body. */
export interface Authenticated {
  account: S3Account;
  scope: SigningScope;
  key: Buffer;
  signature: string;
  /** What the client says the body hashes to, or one of the words for bodies that are not hashed as a whole. */
  payloadHash: string;
}

interface Claim {
  accessKeyId: string;
  scope: SigningScope;
  signedHeaders: string[];
  signature: string;
  payloadHash: string;
  sessionToken: string | undefined;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const MAX_SKEW_MS = 15 * 60 * 1000;
const MAX_EXPIRES_SECONDS = 7 * 24 * 3600;
const PAYLOAD_HASH =
  /^(?:[0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-UNSIGNED-PAYLOAD-TRAILER|STREAMING-AWS4-HMAC-SHA256-PAYLOAD(?:-TRAILER)?)$/;

/** `20130524T000000Z` as milliseconds since the epoch, NaN when it is something else. */
function parseAmzDate(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  return match ? Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`) : Number.NaN;
}

function isoSeconds(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d{3}/, '');
}

/** Splits `AKIA…/20130524/us-east-1/s3/aws4_request`; the access key is what stands before the last four. */
function parseCredential(
  credential: string,
  amzDate: string,
  fail: (message: string) => S3Error,
): { accessKeyId: string; scope: SigningScope } {
  const parts = credential.split('/');
  const [date, region, service, terminator] = parts.slice(-4);
  const accessKeyId = parts.slice(0, -4).join('/');
  if (!accessKeyId || !date || !region || !service) {
    throw fail('the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".');
  }
  if (!/^\d{8}$/.test(date))
    throw fail(`incorrect date format "${date}". This date in the credential must be in the format "yyyyMMdd".`);
  if (service !== 's3') throw fail(`incorrect service "${service}". This endpoint belongs to "s3".`);
  if (terminator !== 'aws4_request')
    throw fail(`incorrect terminal "${terminator}". This endpoint uses "aws4_request".`);
  if (!amzDate.startsWith(date)) {
    throw fail(`Invalid credential date "${date}". This date is not the same as X-Amz-Date: "${amzDate.slice(0, 8)}".`);
  }
  return { accessKeyId, scope: { date, region, amzDate } };
}

/** Reads an `Authorization` header. */
function claimOfHeader(call: Call, authorization: string, now: Date): Claim {
  const malformed = (message: string) =>
    new S3Error('AuthorizationHeaderMalformed', { message: `The authorization header is malformed; ${message}` });
  if (!authorization.startsWith(`${ALGORITHM} `)) {
    throw new S3Error('InvalidRequest', {
      message: `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
    });
  }
  const fields = new Map(
    authorization
      .slice(ALGORITHM.length)
      .split(',')
      .map((field) => field.trim())
      .map((field) => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)]),
  );
  const [credential, signedHeaders, signature] = ['Credential', 'SignedHeaders', 'Signature'].map((name) => {
    const value = fields.get(name);
    if (!value)
      throw malformed(`the authorization header requires three components: Credential, SignedHeaders, and Signature.`);
    return value;
  }) as [string, string, string];

  const amzDate = call.wireHeaders.get('x-amz-date') ?? basicDate(call.wireHeaders.get('date') ?? '');
  const timeMs = parseAmzDate(amzDate);
  if (Number.isNaN(timeMs)) {
    throw new S3Error('AccessDenied', { message: 'AWS authentication requires a valid Date or x-amz-date header' });
  }
  const { accessKeyId, scope } = parseCredential(credential, amzDate, malformed);
  if (Math.abs(now.getTime() - timeMs) > MAX_SKEW_MS) {
    throw new S3Error('RequestTimeTooSkewed', {
      details: {
        RequestTime: amzDate,
        ServerTime: isoSeconds(now.getTime()),
        MaxAllowedSkewMilliseconds: MAX_SKEW_MS,
      },
    });
  }
  const payloadHash = call.wireHeaders.get('x-amz-content-sha256');
  if (payloadHash === undefined) {
    throw new S3Error('InvalidRequest', { message: 'Missing required header for this request: x-amz-content-sha256' });
  }
  return {
    accessKeyId,
    scope,
    signedHeaders: signedHeaders.split(';'),
    signature,
    payloadHash,
    sessionToken: call.wireHeaders.get('x-amz-security-token'),
  };
}

/** An HTTP date in the basic ISO form SigV4 signs; empty when it is not a date. */
function basicDate(httpDate: string): string {
  const timeMs = Date.parse(httpDate);
  return Number.isNaN(timeMs) ? '' : isoSeconds(timeMs).replace(/[-:]/g, '');
}

/** Reads the query of a presigned URL. */
function claimOfQuery(call: Call, now: Date): Claim {
  const malformed = (message?: string) =>
    new S3Error('AuthorizationQueryParametersError', message === undefined ? {} : { message });
  const [algorithm, credential, signature, amzDate, signedHeaders, expires] = [
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Signature',
    'X-Amz-Date',
    'X-Amz-SignedHeaders',
    'X-Amz-Expires',
  ].map((name) => {
    const value = parameter(call, name);
    if (!value) throw malformed();
    return value;
  }) as [string, string, string, string, string, string];

  if (algorithm !== ALGORITHM) throw malformed(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  const timeMs = parseAmzDate(amzDate);
  if (Number.isNaN(timeMs)) {
    throw malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  const expiresSeconds = /^\d+$/.test(expires) ? Number(expires) : Number.NaN;
  if (Number.isNaN(expiresSeconds)) throw malformed('X-Amz-Expires should be a number');
  if (expiresSeconds > MAX_EXPIRES_SECONDS) {
    throw malformed(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  }
  const { accessKeyId, scope } = parseCredential(credential, amzDate, (message) =>
    malformed(`Error parsing the X-Amz-Credential parameter; ${message}`),
  );
  if (timeMs - now.getTime() > MAX_SKEW_MS) {
    throw new S3Error('AccessDenied', { message: 'Request is not yet valid' });
  }
  const expiresMs = timeMs + expiresSeconds * 1000;
  if (now.getTime() > expiresMs) {
    throw new S3Error('AccessDenied', {
      message: 'Request has expired',
      details: {
        'X-Amz-Expires': expiresSeconds,
        Expires: isoSeconds(expiresMs),
        ServerTime: isoSeconds(now.getTime()),
      },
    });
  }
  return {
    accessKeyId,
    scope,
    signedHeaders: signedHeaders.split(';'),
    signature,
    payloadHash: call.headers.get('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD',
    sessionToken: call.headers.get('x-amz-security-token'),
  };
}

/** Finds the account and checks its session token. */
function accountOf(claim: Claim, accounts: readonly S3Account[]): S3Account {
  const account = accounts.find((known) => known.accessKeyId === claim.accessKeyId);
  // A temporary key without its token is, to S3, an unknown key.
  if (!account || (account.sessionToken !== undefined && claim.sessionToken === undefined)) {
    throw new S3Error('InvalidAccessKeyId', { details: { AWSAccessKeyId: claim.accessKeyId } });
  }
  if (account.sessionToken !== claim.sessionToken) throw new S3Error('InvalidToken');
  if (account.expired) throw new S3Error('ExpiredToken');
  return account;
}

/** The host and every `x-amz-` header must be among the signed ones, or a stranger could have added them. */
function requireSigned(call: Call, signedHeaders: readonly string[]): void {
  const unsigned = [...call.wireHeaders.keys()].filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signedHeaders.includes(name),
  );
  if (unsigned.length > 0) {
    throw new S3Error('AccessDenied', {
      message: 'There were headers present in the request which were not signed',
      details: { HeadersNotSigned: unsigned.join(', ') },
    });
  }
}

/** The access key a request claims to be from, not verified; empty when it claims none. For the request log. */
export function claimedAccessKeyId(call: Call): string {
  const header = /Credential=([^/,]+)/.exec(call.wireHeaders.get('authorization') ?? '')?.[1];
  return header ?? parameter(call, 'X-Amz-Credential')?.split('/')[0] ?? '';
}

/**
 * Verifies the SigV4 signature of a request, in its header or its query, at this time.
 * Throws what S3 answers: `SignatureDoesNotMatch`, `RequestTimeTooSkewed`, `ExpiredToken` and so on.
 */
export function authenticate(call: Call, accounts: readonly S3Account[], now: Date): Authenticated {
  const authorization = call.wireHeaders.get('authorization');
  if (authorization !== undefined && call.presigned) {
    throw new S3Error('InvalidArgument', {
      message:
        'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    });
  }
  if (authorization === undefined && !call.presigned) throw new S3Error('AccessDenied');
  const claim = authorization === undefined ? claimOfQuery(call, now) : claimOfHeader(call, authorization, now);
  if (!PAYLOAD_HASH.test(claim.payloadHash)) {
    throw new S3Error('InvalidArgument', {
      message:
        'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
      details: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: claim.payloadHash },
    });
  }
  const account = accountOf(claim, accounts);
  requireSigned(call, claim.signedHeaders);

  const key = signingKey(account.secretAccessKey, claim.scope);
  const canonical = canonicalRequest(call, claim.signedHeaders, claim.payloadHash);
  // Header bytes arrive as Latin-1. Some clients signed exactly those bytes, Node's signed the text in UTF-8.
  const expected = (['utf8', 'latin1'] as const).map((encoding) =>
    sign(key, stringToSign(claim.scope, sha256Hex(Buffer.from(canonical, encoding)))),
  );
  if (!expected.includes(claim.signature)) {
    throw new S3Error('SignatureDoesNotMatch', {
      details: {
        AWSAccessKeyId: claim.accessKeyId,
        StringToSign: stringToSign(claim.scope, sha256Hex(canonical)),
        SignatureProvided: claim.signature,
        CanonicalRequest: canonical,
      },
    });
  }
  return { account, scope: claim.scope, key, signature: claim.signature, payloadHash: claim.payloadHash };
}
