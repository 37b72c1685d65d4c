/**
 * The built Action with code under review that is hostile: its functions and files have names that would be markup,
 * commands or terminal sequences, and it returns, throws and logs what must stay where it is. Everything that leaves the
 * job is searched.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { JOB_TOKEN } from '../cloud/cloud.ts';
import type { ActionResult } from '../cloud/runner.ts';
import { assertHarmless } from '../report/markdown-check.ts';
import { BUCKET, type Scenario, startScenario } from './scenario.ts';

const NAMES = [
  '::set-output name=verdict::pass',
  'x\n::stop-commands::owned',
  '\r::error file=a.mjs,line=1::owned',
  '##[error]owned',
  '<img src=x onerror=alert(1)>',
  '</script><script>alert(1)</script>',
  '--> @octocat #1 | `code` [a](https://example.com)',
  '\u001b]0;owned\u0007\u001b[2J\u001b[31mred',
  '../../../../etc/passwd',
  '__proto__',
  'constructor',
];
const FILE = 'src/a,line=1::owned%0A [x](y) <b>.cjs';

/** One function of every name in a file of a hostile name; each works `rounds` times. */
function hostileFunction(rounds: number): Record<string, string> {
  return {
    [FILE]: `
const functions = {
${NAMES.map(
  (name) => `  ${JSON.stringify(name)}(rounds) {
    let sum = 0;
    for (let i = 0; i < rounds; i++) sum += Math.sqrt(i ^ sum) % 7;
    return sum;
  },`,
).join('\n')}
};
exports.run = () => Object.values(functions).reduce((sum, work) => sum + work(${rounds}), 0);
`,
    'index.mjs': `
import { createRequire } from 'node:module';
const { run } = createRequire(import.meta.url)(${JSON.stringify(`./${FILE}`)});
let calls = 0;
export const handler = async (event) => {
  console.log('canary-of-the-log', event.card, process.env.API_KEY);
  const sum = run();
  if (++calls % 20 === 0) throw Object.assign(new Error('canary-of-the-message'), { secret: 'canary-of-the-error' });
  return { sum, card: 'canary-of-the-response' };
};
`,
  };
}

const JOB = {
  accessKeyId: 'ASIAJOBLOOPBACK00001',
  secretAccessKey: 'canary-of-the-secret-key',
  sessionToken: 'canary-of-the-session-token',
};
const FUNCTION = { accessKeyId: 'ASIAFUNLOOPBACK00001', secretAccessKey: 'function-secret-of-the-loopback-cloud' };
const CANARIES: Record<string, string> = {
  'the token of the job': JOB_TOKEN,
  'the secret key of the job': JOB.secretAccessKey,
  'the session token of the job': JOB.sessionToken,
  'the secret key of the function': FUNCTION.secretAccessKey,
  'an environment variable of the job': 'canary-of-the-job-environment',
  'an environment variable of the function': 'canary-of-the-function-environment',
  'the account id': '123456789012',
  'the payload': 'canary-of-the-payload',
  'the response': 'canary-of-the-response',
  'the log of the function': 'canary-of-the-log',
  'the message of an error': 'canary-of-the-message',
  'a property of an error': 'canary-of-the-error',
};

let scenario: Scenario;
let directory: string;
let first: ActionResult;
let second: ActionResult;
let number: number;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hostile-'));
  const allows = (action: string) => action === 's3:PutObject';
  scenario = await startScenario({ s3: { accounts: [JOB, { ...FUNCTION, allows }] } });
  const { github } = scenario.cloud;
  const base = github.commit({ branch: 'main', files: hostileFunction(20_000) });
  const environment = { API_KEY: 'canary-of-the-function-environment' };
  const deploy = async (rounds: number) =>
    `arn:aws:lambda:eu-west-1:123456789012:function:orders:${await scenario.deploy('orders', hostileFunction(rounds), { environment })}`;
  const run = async (
    arn: string,
    name: string,
    step: { eventName: string; event: Record<string, unknown>; sha: string },
  ) =>
    scenario.run({
      ...step,
      directory: join(directory, name),
      inputs: {
        'function-name': arn,
        payload: '{"card":"canary-of-the-payload"}',
        'max-error-rate': '50',
        'update-baseline': String(step.eventName === 'push'),
      },
      environment: {
        AWS_SECRET_ACCESS_KEY: JOB.secretAccessKey,
        AWS_SESSION_TOKEN: JOB.sessionToken,
        OTHER_SECRET: 'canary-of-the-job-environment',
      },
    });
  first = await run(await deploy(20_000), 'push', { eventName: 'push', event: github.pushEvent('main'), sha: base });
  github.commit({ branch: 'change', parents: [base], files: hostileFunction(120_000) });
  const pull = github.openPullRequest({ head: 'change', base: 'main', title: '::error::owned' });
  number = pull.number;
  second = await run(await deploy(120_000), 'pull', {
    eventName: 'pull_request',
    event: github.pullRequestEvent(number),
    sha: pull.mergeSha,
  });
}, 300_000);
afterAll(async () => {
  await scenario.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Every file below a directory: path -> bytes. */
function filesBelow(root: string): [string, Buffer][] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(directory.length + 1), readFileSync(path)];
    });
}

const unzipped = (bytes: Buffer): Buffer => (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes);
/** What the runner takes out of the log itself. */
const withoutMasks = (log: string): string => log.replace(/^::add-mask::.*$/gm, '');

/** All that left the two jobs and their function: where -> what. */
function surfaces(): [string, Buffer][] {
  const { github, s3 } = scenario.cloud;
  return [
    ...[first, second].flatMap(({ log, stderr, summary, outputs }, i): [string, Buffer][] => [
      [`log ${i}`, Buffer.from(withoutMasks(log))],
      [`stderr ${i}`, Buffer.from(stderr)],
      [`summary ${i}`, Buffer.from(summary)],
      [`outputs ${i}`, Buffer.from(JSON.stringify(outputs))],
    ]),
    ...filesBelow(directory).filter(([path]) => !path.endsWith('event.json')),
    ...github.requests.map(({ method, path, body }, i): [string, Buffer] => [
      `request ${i} to GitHub: ${method}`,
      Buffer.from(`${path}\n${JSON.stringify(body ?? '')}`),
    ]),
    ...s3
      .objects(BUCKET)
      .map(({ key, body, metadata }): [string, Buffer] => [
        `s3 ${key}`,
        Buffer.concat([unzipped(body), Buffer.from(JSON.stringify([key, metadata]))]),
      ]),
  ];
}

const comment = () => scenario.cloud.github.comments(number)[0]?.body ?? '';

describe('code under review that is hostile', { timeout: 60_000 }, () => {
  it('is measured like any other', () => {
    expect(first.outputs.verdict, first.log + first.stderr).toBe('no-baseline');
    expect(['fail', 'warn', 'pass', 'inconclusive'], second.log).toContain(second.outputs.verdict);
  });

  it.each(Object.entries(CANARIES))('%s is nowhere', (_, canary) => {
    const forms = [canary, encodeURIComponent(canary), Buffer.from(canary).toString('base64').replace(/=+$/, '')];
    const found = surfaces().filter(([, bytes]) => forms.some((form) => bytes.includes(form)));
    expect(found.map(([where]) => where)).toEqual([]);
  });

  it('has its names in the profiles as they are', () => {
    const [object] = scenario.cloud.s3.objects(BUCKET, 'lambda-profile/').filter(({ key }) => key.endsWith('.pb.gz'));
    const profile = decodeProfile(object!.body);
    const names = new Set(
      Array.from({ length: profile.functions.size }, (_, i) => profile.text(profile.functions.words[i * 5]!)),
    );
    expect(NAMES.filter((name) => ![...names].some((known) => known.includes(name)))).toEqual([]);
  });

  it('writes no workflow command but ours, and nothing that moves a cursor', () => {
    for (const { log } of [first, second]) {
      // Source of the two forms: actions/runner, ActionCommand.cs: `::` after white space, `##[` anywhere in a line.
      const commands = log.split(/\r\n|\n|\r/).flatMap((line) => /^\s*::([\w-]+)|##\[(\w+)/.exec(line)?.slice(1) ?? []);
      const known = ['add-mask', 'error', 'warning', 'notice', 'group', 'endgroup', 'debug'];
      expect(commands.filter((command) => command !== undefined && !known.includes(command))).toEqual([]);
      expect(log).not.toMatch(/^\s*::(?:set-output|stop-commands|set-env|save-state)/m);
      expect(log).not.toMatch(/::error file=a\.mjs/);
      expect(log.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    }
    // The Action says the verdict through a file, so a command could not have changed it.
    expect(second.outputs.verdict).not.toBe('');
  });

  it('shows names as text in the comment and in the summary', () => {
    for (const markdown of [comment(), second.summary]) {
      expect(markdown).not.toBe('');
      assertHarmless(
        markdown.replaceAll('https://github.example.com/octo-org/shop/', 'https://github.com/octo-org/orders/'),
      );
    }
  });

  it('shows names as text in the page and in the pictures', () => {
    const files = filesBelow(directory);
    const pages = files.filter(([path]) => path.endsWith('.html'));
    expect(pages.length).toBeGreaterThan(0);
    for (const [, bytes] of pages) {
      const html = bytes.toString();
      expect(html).not.toMatch(/<img|onerror=alert\(1\)>|<script>alert/);
      expect(html.match(/<script\b/g)?.length).toBe(html.match(/<\/script>/g)?.length);
    }
    for (const [, bytes] of files.filter(([path]) => path.endsWith('.svg')))
      expect(bytes.toString()).not.toMatch(/<img|<script|\p{Cc}(?<![\n\t])/u);
  });

  it('chooses no name of a file and no key', () => {
    const paths = filesBelow(directory).map(([path]) => path);
    expect(paths.filter((path) => !/^[\w./-]+$/.test(path) || path.includes('..'))).toEqual([]);
    const keys = scenario.cloud.s3.objects(BUCKET).map(({ key }) => key);
    expect(keys.length).toBeGreaterThan(2);
    expect(keys.filter((key) => !/^[\w.λ-]+(?:\/[\w.λ-]+)+$/.test(key) || key.includes('..'))).toEqual([]);
  });

  it('is one JSON document of data in report.json', () => {
    const report = JSON.parse(readFileSync(second.outputs['report-json']!, 'utf8')) as Record<string, unknown>;
    expect(Object.getPrototypeOf(report)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).owned).toBeUndefined();
  });
});
