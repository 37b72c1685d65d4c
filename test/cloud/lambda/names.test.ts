import { describe, expect, test } from 'vitest';
import { functionArn, parseFunctionName } from './names.ts';

const scope = { region: 'eu-west-1', accountId: '123456789012' };
const orders = { ...scope, name: 'orders', qualifier: undefined };

describe('parseFunctionName()', () => {
  test.each([
    ['orders', null, orders],
    ['orders:live', null, { ...orders, qualifier: 'live' }],
    ['orders:$LATEST', null, { ...orders, qualifier: '$LATEST' }],
    ['orders', '7', { ...orders, qualifier: '7' }],
    ['orders:7', '7', { ...orders, qualifier: '7' }],
    ['123456789012:function:orders', null, orders],
    ['210987654321:function:orders:7', null, { ...orders, accountId: '210987654321', qualifier: '7' }],
    ['arn:aws:lambda:eu-west-1:123456789012:function:orders', 'live', { ...orders, qualifier: 'live' }],
    [
      'arn:aws:lambda:us-east-2:123456789012:function:orders:7',
      null,
      { ...orders, region: 'us-east-2', qualifier: '7' },
    ],
    ['arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:orders', null, { ...orders, region: 'us-gov-west-1' }],
  ])('reads %s with Qualifier %s', (raw, qualifier, expected) => {
    expect(parseFunctionName(raw, qualifier, scope)).toEqual(expected);
  });

  test('refuses a Qualifier that differs from the one in the name', () => {
    expect(() => parseFunctionName('orders:7', 'live', scope)).toThrow(
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
  });

  test.each(['', 'or ders', 'a/b', 'x'.repeat(65), 'arn:aws:s3:::bucket', 'orders:7:8', 'orders:'])(
    'refuses the name %j',
    (raw) => {
      expect(() => parseFunctionName(raw, null, scope)).toThrow("at 'functionName' failed to satisfy constraint");
    },
  );

  test('refuses a malformed Qualifier', () => {
    expect(() => parseFunctionName('orders', 'li ve', scope)).toThrow("at 'qualifier' failed to satisfy constraint");
  });

  test('reads back what functionArn() writes', () => {
    expect(parseFunctionName(functionArn(scope, 'orders', 'live'), null, { region: 'x', accountId: 'y' })).toEqual({
      ...orders,
      qualifier: 'live',
    });
  });
});
