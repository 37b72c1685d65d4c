import { expect, test } from 'vitest';
import { createTouched, isRenamedFile } from '../../src/compare/touched.ts';

test('a file of a profile is the file of the repository whose path ends with it, or that it ends with', () => {
  const isTouched = createTouched(['services/orders/src/tax.mjs', 'index.mjs', 'pricing.go']);
  expect(isTouched('src/tax.mjs')).toBe(true);
  expect(isTouched('/var/task/services/orders/src/tax.mjs')).toBe(true);
  expect(isTouched('index.mjs')).toBe(true);
  expect(isTouched('tax.mjs')).toBe(false);
  expect(isTouched('src/index.mjs')).toBe(false);
  expect(isTouched('c/tax.mjs')).toBe(false);
  expect(isTouched('')).toBe(false);
});

test('a renamed file is recognised below the root of the function', () => {
  const renames = [{ from: 'services/orders/src/tax.mjs', to: 'services/orders/lib/tax.mjs' }];
  expect(isRenamedFile('src/tax.mjs', 'lib/tax.mjs', renames)).toBe(true);
  expect(isRenamedFile('lib/tax.mjs', 'src/tax.mjs', renames)).toBe(false);
});
