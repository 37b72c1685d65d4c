import { expect, test } from 'vitest';
import { relocateOpt, relocateScript } from './environment.ts';

test.each([
  ['/opt/wrapper', '/l/wrapper'],
  ['/opt', '/l'],
  ['--import /opt/a.mjs --require=/opt/b.cjs', '--import /l/a.mjs --require=/l/b.cjs'],
  ['--import=file:///opt/a.mjs', '--import=file:///l/a.mjs'],
  ['PATH=$PATH:/opt/bin:"/opt"', 'PATH=$PATH:/l/bin:"/l"'],
  ['/usr/opt/x ./opt/x /optional /opt-in', '/usr/opt/x ./opt/x /optional /opt-in'],
])('relocateOpt() turns %s into %s', (text, expected) => {
  expect(relocateOpt(text, '/l')).toBe(expected);
});

test('relocateScript() changes scripts and nothing else', () => {
  const relocated = (text: string) => Buffer.from(relocateScript(Buffer.from(text), '/l')).toString();
  expect(relocated('#!/bin/sh\nexport _HANDLER=/opt/h.handler\n')).toBe('#!/bin/sh\nexport _HANDLER=/l/h.handler\n');
  expect(relocated('const path = "/opt/x";')).toBe('const path = "/opt/x";');
});
