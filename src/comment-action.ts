import { readFileSync, statSync } from 'node:fs';
import * as core from '@actions/core';
import { systemClock } from './clock.ts';
import { ConfigurationError } from './errors.ts';
import { createGitHub } from './github/client.ts';
import { readContext } from './github/context.ts';
import { withPullRequest } from './github/pull-request.ts';
import { publishStickyComment } from './github/sticky-comment.ts';
import { adoptReport } from './report/adopt.ts';
import { commentKey, renderComment } from './report/comment.ts';
import { parseReport } from './report/json.ts';
import type { Report } from './report/report.ts';

const MAX_REPORT_BYTES = 64 * 1024 * 1024;

/** Entry of `comment/action.yml`: takes a report that another job measured, and posts it. Decides nothing. */
async function run(env: NodeJS.ProcessEnv): Promise<void> {
  const event = env.GITHUB_EVENT_PATH ? JSON.parse(readFileSync(env.GITHUB_EVENT_PATH, 'utf8')) : undefined;
  const token = core.getInput('github-token');
  if (token) core.setSecret(token);
  const read = readContext(env, event);
  const github = createGitHub(token, read.apiUrl, core.info);
  const context = await withPullRequest(github, read, readNumber(core.getInput('pr-number')));
  const { pullRequest, repository, startedBy } = context;
  core.setOutput('comment-url', '');
  if (!pullRequest) {
    const head = startedBy
      ? ` of ${startedBy.headOwner}:${startedBy.headBranch} at ${startedBy.headSha.slice(0, 7)}`
      : '';
    core.info(`There is no open pull request${head}: nothing to comment on.`);
    return;
  }
  const report = adoptReport(readReport(core.getInput('report-json', { required: true })), {
    repository,
    pullRequest: pullRequest.number,
    fork: pullRequest.fork,
    runs: [...(startedBy ? [startedBy.run] : []), context.run],
    pageUrl: core.getInput('page-url'),
  });
  const result = await publishStickyComment(
    github,
    repository,
    {
      pullRequest: pullRequest.number,
      key: commentKey(report.key),
      run: report.run!,
      body: renderComment(report),
      create: true,
    },
    { sleep: systemClock.sleep, random: Math.random },
  );
  if (result.outcome === 'failed') throw new ConfigurationError(result.message);
  if (result.outcome === 'newer-exists') core.info('The comment already shows the result of a newer run.');
  core.setOutput('comment-url', result.url);
}

function readNumber(text: string): number | undefined {
  if (text === '') return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new ConfigurationError(
      `Cannot start: pr-number must be a whole number: it is ${JSON.stringify(text.slice(0, 100))}.`,
    );
  return Number(text);
}

/** @throws ConfigurationError when the file is not there or not a report */
function readReport(path: string): Report {
  try {
    const { size } = statSync(path);
    if (size > MAX_REPORT_BYTES) throw new Error(`Cannot read the report: the file has ${size} bytes.`);
    return parseReport(readFileSync(path, 'utf8'));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ConfigurationError(
      missing
        ? `Cannot read the report: there is no file ${path}. Download the artifact of the measuring job first.`
        : (error as Error).message,
    );
  }
}

try {
  await run(process.env);
} catch (error) {
  core.setFailed(
    error instanceof ConfigurationError
      ? error.message
      : `Unexpected failure of lambda-profile-action. Please report it with this log.\n${(error as Error).stack ?? error}`,
  );
}
