import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { extractZip } from './archive.ts';
import { archive } from './deployment.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'archive-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const read = (name: string) => readFileSync(join(directory, name), 'utf8');
const mode = (name: string) => statSync(join(directory, name)).mode & 0o777;

describe('extractZip()', () => {
  test('keeps contents and permissions', () => {
    extractZip(archive({ bootstrap: { contents: '#!/bin/sh\n', mode: 0o755 }, 'lib/größe.js': 'one' }), directory);
    expect(read('bootstrap')).toBe('#!/bin/sh\n');
    expect(mode('bootstrap')).toBe(0o755);
    expect(read('lib/größe.js')).toBe('one');
    expect(mode('lib/größe.js')).toBe(0o644);
  });

  test('makes files of an archive without permissions readable', () => {
    extractZip(zipSync({ 'index.js': Buffer.from('one') }), directory);
    expect(mode('index.js')).toBe(0o644);
  });

  test('keeps symbolic links inside of the archive', () => {
    extractZip(archive({ 'a/real': 'one', 'a/link': { contents: 'real', mode: 0o120777 } }), directory);
    expect(lstatSync(join(directory, 'a/link')).isSymbolicLink()).toBe(true);
    expect(readlinkSync(join(directory, 'a/link'))).toBe('real');
    expect(read('a/link')).toBe('one');
  });

  test('lets a later archive overwrite an earlier one', () => {
    extractZip(archive({ shared: 'one', first: 'one' }), directory);
    extractZip(archive({ shared: 'two' }), directory);
    expect([read('shared'), read('first')]).toEqual(['two', 'one']);
  });

  test.each([
    ['a path that leaves the archive', archive({ '../evil': 'x' }), 'outside of the archive'],
    ['an absolute path', archive({ '/evil': 'x' }), 'outside of the archive'],
    [
      'a link that leaves the archive',
      archive({ link: { contents: '../../evil', mode: 0o120777 } }),
      'outside of the archive',
    ],
    ['what is not a zip', Buffer.from('not a zip'), 'Could not unzip uploaded file'],
  ])('refuses %s', (_what, zip, message) => {
    expect(() => extractZip(zip, directory)).toThrow(message);
  });
});
