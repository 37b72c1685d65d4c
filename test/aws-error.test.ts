import { describe, expect, it } from 'vitest';
import { explainAwsError, withoutAccounts } from '../src/aws-error.ts';

function awsError(name: string, httpStatusCode: number, message = ''): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });
}

const explain = (error: unknown) => {
  const { message, next } = explainAwsError(error, 'invoke orders:7', 'lambda:InvokeFunction');
  return `${message} ${next}`;
};

describe('explainAwsError()', () => {
  it.each([
    [
      awsError('AccessDeniedException', 403),
      /the role lacks lambda:InvokeFunction\. Add lambda:InvokeFunction to the policy of the role, as in docs\/iam\.md/,
    ],
    [awsError('AccessDenied', 403), /the role lacks lambda:InvokeFunction/],
    [
      awsError('ExpiredTokenException', 403),
      /credentials have expired\. Sign in again\. In a workflow, ask for a longer session/,
    ],
    [awsError('UnrecognizedClientException', 403), /does not accept the credentials \(UnrecognizedClientException\)/],
    [awsError('RequestTimeTooSkewed', 403), /the clock of this machine is off\. Set the clock/],
    [
      awsError('CredentialsProviderError', 0),
      /no AWS credentials\. Sign in, or set AWS_PROFILE\. In a workflow, run aws-actions\/configure-aws-credentials/,
    ],
    [
      Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
      /no answer \(ECONNREFUSED: connect ECONNREFUSED\)\. Check the network/,
    ],
    [awsError('ServiceException', 500, 'oops'), /AWS answered 500 ServiceException: oops\. Try again/],
    ['a string', /no answer \(UnknownError\)/],
  ])('explains %o', (error, text) => {
    expect(explain(error)).toMatch(text);
  });

  it('keeps account ids and access keys out of messages', () => {
    const text = explain(
      awsError(
        'ServiceException',
        500,
        'arn:aws:lambda:eu-west-1:123456789012:function:orders of AKIAABCDEFGHIJKLMNOP',
      ),
    );
    expect(text).not.toMatch(/123456789012|AKIAABCD/);
    expect(withoutAccounts('1234567890123 is no account')).toBe('1234567890123 is no account');
  });
});
