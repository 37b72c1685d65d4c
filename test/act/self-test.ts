/**
 * Runs `.github/workflows/self-test.yml` with act, on this machine as its runner, for a pull request of a GitHub on
 * loopback; and looks at how its steps ended and at the comment: `node test/act/self-test.ts`. Ends
 * `N passed, N failed`; exits 1 on failure. act is built once, into `.cache/tools`; without Go, says so and counts nothing.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startGitHub } from '../cloud/github/server.ts';
import { Outcomes } from '../conformance/outcomes.ts';

const ACT = 'github.com/nektos/act@v0.2.89';
const root = fileURLToPath(new URL('../..', import.meta.url));
const TOKEN = 'ghs_loopbackTokenOfAct';

/** The path of act, or undefined where it cannot be built. */
function buildAct(): string | undefined {
  const tools = join(root, '.cache/tools');
  const path = join(tools, 'act');
  if (existsSync(path)) return path;
  try {
    execFileSync('go', ['install', ACT], {
      env: { ...process.env, GOBIN: tools },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return path;
  } catch (error) {
    console.log(`act cannot be built on this machine: ${(error as Error).message.split('\n')[0]}`);
    return undefined;
  }
}

interface Run {
  exitCode: number | null;
  log: string;
}

/** Runs the workflow in a copy of what git knows, with folders of its own in place of the user's. */
async function runWorkflow(act: string, directory: string, event: object, apiUrl: string): Promise<Run> {
  const file = (name: string): string => join(directory, name);
  for (const folder of ['cache', 'config/act']) mkdirSync(file(folder), { recursive: true });
  writeFileSync(file('config/act/actrc'), '-P ubuntu-latest=-self-hosted\n');
  writeFileSync(file('event.json'), JSON.stringify(event));
  const child = spawn(
    act,
    [
      ...['pull_request', '--workflows', '.github/workflows/self-test.yml', '--eventpath', file('event.json')],
      ...['--secret', `GITHUB_TOKEN=${TOKEN}`, '--env', `GITHUB_API_URL=${apiUrl}`],
      ...['--env', 'GITHUB_REPOSITORY=octo-org/shop', '--env', 'GITHUB_RUN_ID=7'],
      '--no-cache-server',
    ],
    {
      cwd: root,
      env: {
        // Node.js 24, which the Action runs on, is that of the lockfile.
        PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
        HOME: process.env.HOME,
        XDG_CACHE_HOME: file('cache'),
        XDG_CONFIG_HOME: file('config'),
        NO_COLOR: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (log += text));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { exitCode, log };
}

const act = buildAct();
const outcomes = new Outcomes();
if (act !== undefined) {
  const directory = mkdtempSync(join(tmpdir(), 'act-'));
  const github = await startGitHub({
    tokens: [
      {
        token: TOKEN,
        login: 'github-actions[bot]',
        type: 'Bot',
        permissions: { contents: 'read', issues: 'write', 'pull-requests': 'write' },
      },
    ],
    repository: { owner: 'octo-org', name: 'shop' },
  });
  try {
    const tip = github.commit({ branch: 'main', files: { 'README.md': 'Prices orders.\n' } });
    const change = { 'README.md': 'Prices orders fairly.\n' };
    const headSha = github.commit({ branch: 'fair-discounts', parents: [tip], files: change });
    const { number } = github.openPullRequest({ head: 'fair-discounts', base: 'main' });
    const { exitCode, log } = await runWorkflow(act, directory, github.pullRequestEvent(number), github.url);
    const comments = github.comments(number).map(({ body }) => body);
    const steps = log.split('\n').filter((line) => /(Success|Failure) - /.test(line));
    outcomes.check('the workflow succeeds', () => (exitCode === 0 ? [] : [`exit ${exitCode}`, log.slice(-6000)]));
    outcomes.check('the step of the Action fails, and all others succeed', () => {
      const failed = steps.filter((line) => line.includes('Failure - '));
      return failed.length === 1 && failed[0]!.includes('Failure - Main ./') ? [] : steps;
    });
    outcomes.check('one comment names what got slower', () =>
      comments.length === 1 && /^### .*bestDiscount/m.test(comments[0]!) ? [] : [JSON.stringify(comments)],
    );
    outcomes.check('the comment is about the head of the pull request', () =>
      comments[0]?.includes(headSha.slice(0, 7)) ? [] : [String(comments[0]?.slice(0, 400))],
    );
    outcomes.check('nothing was asked of GitHub that it does not allow', () => [...github.violations]);
  } finally {
    await github.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
console.log(`${outcomes.passed} passed, ${outcomes.failed} failed`);
process.exitCode = outcomes.failed > 0 ? 1 : 0;
