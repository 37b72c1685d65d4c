import type { IncomingMessage, ServerResponse } from 'node:http';
import { S3Error, type S3ErrorCode } from '../cloud/s3/errors.ts';
import { sendError } from '../cloud/s3/server.ts';

export type Service = 'lambda' | 's3' | 'github';

/** What goes wrong. Faults last until the end of the run, except those that say how often they happen. */
export type Fault =
  /** Nothing listens any more. */
  | 'refused'
  /** The connection breaks before anything is done. */
  | 'reset'
  /** Once: the work is done, and the connection breaks before the answer. */
  | 'answer lost'
  /** Every answer comes 600 ms late. */
  | 'slow'
  | 'hang'
  | '403'
  | '404'
  | '409'
  /** Twice. */
  | '429 with Retry-After'
  /** Once. */
  | '429'
  | '429 for ever'
  | '500 once'
  | '500 for ever'
  /** Once: half of the answer, then the connection breaks. */
  | 'truncated body'
  /** The page of some proxy, with status 200. */
  | 'wrong body'
  | 'expired credentials'
  /** The clock of the service is 10 minutes ahead of the runner's. */
  | 'clock skew';

const SKEW_MS = 10 * 60_000;
const TOLERATED_SKEW_MS = 5 * 60_000;
const SLOW_MS = 600;

/** How often a fault happens in a run. */
const TIMES: Partial<Record<Fault, number>> = {
  'answer lost': 1,
  '429 with Retry-After': 2,
  '429': 1,
  '500 once': 1,
  'truncated body': 1,
};

/** A fault in one run. */
export interface Injection {
  /** Deals with a request that belongs to the phase of the fault; true when it is answered, or never will be. */
  meet(request: IncomingMessage, response: ServerResponse): boolean | Promise<boolean>;
  /** How many requests met it. */
  met: number;
}

/** @param refuse makes the service refuse all further connections */
export function createInjection(service: Service, fault: Fault, refuse: () => void): Injection {
  const injection: Injection = {
    met: 0,
    meet(request, response) {
      if (injection.met >= (TIMES[fault] ?? Number.POSITIVE_INFINITY)) return false;
      if (fault === 'clock skew' && service !== 'github') {
        // Every answer tells the time, and the SDK listens.
        response.setHeader('date', new Date(Date.now() + SKEW_MS).toUTCString());
        if (isWithinSkew(request)) return false;
      }
      injection.met++;
      return happen(service, fault, request, response, refuse);
    },
  };
  return injection;
}

function happen(
  service: Service,
  fault: Fault,
  request: IncomingMessage,
  response: ServerResponse,
  refuse: () => void,
): boolean | Promise<boolean> {
  switch (fault) {
    case 'refused':
      refuse();
      return true;
    case 'reset':
      request.socket.destroy();
      return true;
    case 'hang':
      return true;
    case 'slow':
      return new Promise((resolve) => setTimeout(resolve, SLOW_MS, false));
    case 'answer lost':
      response.end = () => {
        request.socket.destroy();
        return response;
      };
      return false;
    case 'truncated body':
      cutInHalf(request, response);
      return false;
    default:
      request.resume();
      ANSWERS[service](fault, request, response);
      return true;
  }
}

/** Half of the body leaves, though the header promises all of it. */
function cutInHalf(request: IncomingMessage, response: ServerResponse): void {
  response.end = ((body?: Uint8Array) => {
    const bytes = Buffer.from(body ?? []);
    response.write(bytes.subarray(0, bytes.length >> 1), () => request.socket.destroy());
    return response;
  }) as ServerResponse['end'];
}

/** A request signed with the time of the service, as the SDK does once it has been told. */
function isWithinSkew({ headers }: IncomingMessage): boolean {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? [];
  const signedMs = Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
  return Math.abs(signedMs - (Date.now() + SKEW_MS)) < TOLERATED_SKEW_MS;
}

type Answer = (fault: Fault, request: IncomingMessage, response: ServerResponse) => void;

const PAGE = '<!DOCTYPE html><html><body><h1>Welcome to the network of the hotel</h1></body></html>';

function sendPage(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/html', 'content-length': PAGE.length }).end(PAGE);
}

const answerOfLambda: Answer = (fault, _request, response) => {
  if (fault === 'wrong body') return sendPage(response);
  const errors: Partial<Record<Fault, [status: number, type: string, message: string]>> = {
    '403': [403, 'AccessDeniedException', 'User is not authorized to perform this action.'],
    '404': [404, 'ResourceNotFoundException', 'Function not found.'],
    '409': [
      409,
      'ResourceConflictException',
      'The operation cannot be performed at this time. An update is in progress.',
    ],
    '429 with Retry-After': [429, 'TooManyRequestsException', 'Rate Exceeded.'],
    '429': [429, 'TooManyRequestsException', 'Rate Exceeded.'],
    '429 for ever': [429, 'TooManyRequestsException', 'Rate Exceeded.'],
    '500 once': [500, 'ServiceException', 'An error occurred and the request cannot be processed.'],
    '500 for ever': [500, 'ServiceException', 'An error occurred and the request cannot be processed.'],
    'expired credentials': [403, 'ExpiredTokenException', 'The security token included in the request is expired'],
    'clock skew': [
      403,
      'InvalidSignatureException',
      'Signature expired: 20261120T100000Z is now earlier than 20261120T101000Z',
    ],
  };
  const [status, type, message] = errors[fault]!;
  const body = JSON.stringify({ Type: 'User', message, ...(status === 429 && { Reason: 'CallerRateLimitExceeded' }) });
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-amzn-errortype': type,
      'x-amzn-requestid': '00000000-0000-4000-8000-000000000000',
      ...(fault === '429 with Retry-After' && { 'retry-after': '1' }),
    })
    .end(body);
};

const answerOfS3: Answer = (fault, { method, url = '' }, response) => {
  if (fault === 'wrong body') return sendPage(response);
  if (fault.startsWith('429')) {
    if (fault === '429 with Retry-After') response.setHeader('retry-after', '1');
    const tooMany = { code: 'TooManyRequests', message: 'Please reduce your request rate.', status: 429 };
    return sendError(response, { ...tooMany, details: {}, headers: {} } as unknown as S3Error);
  }
  const ofOneObject = method === 'GET' && !url.includes('list-type');
  const codes: Partial<Record<Fault, S3ErrorCode>> = {
    '403': 'AccessDenied',
    '404': ofOneObject ? 'NoSuchKey' : 'NoSuchBucket',
    '409': 'ConditionalRequestConflict',
    '500 once': 'InternalError',
    '500 for ever': 'InternalError',
    'expired credentials': 'ExpiredToken',
    'clock skew': 'RequestTimeTooSkewed',
  };
  sendError(response, new S3Error(codes[fault]!));
};

const answerOfGitHub: Answer = (fault, _request, response) => {
  if (fault === 'wrong body') return sendPage(response);
  const errors: Partial<Record<Fault, [status: number, message: string]>> = {
    '403': [403, 'Resource not accessible by integration'],
    '404': [404, 'Not Found'],
    '409': [409, 'Conflict'],
    '429 with Retry-After': [429, 'You have exceeded a secondary rate limit.'],
    '429': [429, 'Too many requests'],
    '429 for ever': [429, 'You have exceeded a secondary rate limit.'],
    '500 once': [500, 'Server Error'],
    '500 for ever': [500, 'Server Error'],
    'expired credentials': [401, 'Bad credentials'],
    'clock skew': [403, 'API rate limit exceeded for installation.'],
  };
  const [status, message] = errors[fault]!;
  const body = JSON.stringify({ message, documentation_url: 'https://docs.github.com/rest', status: String(status) });
  response
    .writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      ...(fault === '429 with Retry-After' && { 'retry-after': '1' }),
      ...(fault === '429 for ever' && { 'retry-after': '20' }),
      // By the runner's clock, the limit ends in three hours.
      ...(fault === 'clock skew' && {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.round(Date.now() / 1000) + 3 * 3600),
      }),
    })
    .end(body);
};

const ANSWERS: Record<Service, Answer> = { lambda: answerOfLambda, s3: answerOfS3, github: answerOfGitHub };
