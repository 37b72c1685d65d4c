import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as core from '@actions/core';
import { createClients } from './aws-clients.ts';
import { systemClock } from './clock.ts';
import { exitCodeOf, skipped } from './compare/verdict.ts';
import { describeConfigChange } from './config-change.ts';
import { ConfigurationError, MeasurementError } from './errors.ts';
import { gate, type Outcome } from './gate.ts';
import { type CheckRun, renderCheck, startCheckRun } from './github/check-run.ts';
import { adviceFor, createGitHub, describeFailure, type GitHub } from './github/client.ts';
import {
  type BaselineCommits,
  fetchBaselineCommits,
  fetchChangedFiles,
  fetchFile,
  measuredCommit,
} from './github/commits.ts';
import { type GitHubContext, readContext } from './github/context.ts';
import { fetchAcceptance } from './github/labels.ts';
import { withPullRequest } from './github/pull-request.ts';
import { filesOfSides, listCheckout } from './github/sources.ts';
import { publishStickyComment } from './github/sticky-comment.ts';
import { listenForInterruption } from './interruption.ts';
import { renderCalls } from './lambda/calls.ts';
import type { Interruption } from './lambda/load.ts';
import { createReport } from './outcome-report.ts';
import { createCallTrees } from './outcome-trees.ts';
import { gzipProfile } from './pprof/encode.ts';
import { createProgress } from './progress.ts';
import type { Recording } from './recordings/recording.ts';
import { computeTrendPoint, fetchTrend } from './recordings/trend.ts';
import { renderAnnotations } from './report/annotations.ts';
import { commentKey, renderComment } from './report/comment.ts';
import { renderPage } from './report/flamegraph/page.ts';
import { renderSvg } from './report/flamegraph/svg.ts';
import { renderJson } from './report/json.ts';
import type { Report } from './report/report.ts';
import { renderSummary, type TrendPoint } from './report/summary.ts';
import { INPUT_NAMES, parseSettings, type RawInputs, type Settings } from './settings.ts';

const DEFAULT_CONFIG = '.github/lambda-profile.yml';

/** Measure, files and summary, outputs, comment, then fail: whatever breaks late, what was found is not lost. */
async function run(env: NodeJS.ProcessEnv): Promise<void> {
  const interruption = listenForInterruption(
    process,
    (signal) => core.info(`${signal}: no further call is sent; what was measured is published.`),
    () => {
      core.setFailed('Cancelled before the measurement could be published. Run the job again.');
      process.exit();
    },
  );
  const event = readContext(env, readEvent(env.GITHUB_EVENT_PATH));
  const inputs: RawInputs = Object.fromEntries(INPUT_NAMES.map((name) => [name, core.getInput(name)]));
  for (const secret of [inputs['github-token'], env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN])
    if (secret) core.setSecret(secret);
  const github = createGitHub(inputs['github-token'] ?? '', event.apiUrl, core.info);
  const number = /^\d{1,9}$/.test(inputs['pr-number'] ?? '') ? Number(inputs['pr-number']) : undefined;
  const context = await withPullRequest(github, event, number);
  const check = await startCheck(github, context, inputs);
  try {
    await measureAndTell(env, context, inputs, github, check, interruption);
  } catch (error) {
    // A check that is left in progress would block the pull request for good.
    const summary = error instanceof ConfigurationError ? error.message : 'The log of the job has the details.';
    await check?.complete({ conclusion: 'failure', title: 'Not measured', summary });
    throw error;
  }
}

async function measureAndTell(
  env: NodeJS.ProcessEnv,
  context: GitHubContext,
  inputs: RawInputs,
  github: GitHub,
  check: CheckRun | undefined,
  interruption: Interruption,
): Promise<void> {
  const config = await readConfig(github, context, inputs.config ?? '');
  const settings = parseSettings(inputs, config);
  const pullRequest = context.pullRequest?.number;
  const commit = measuredCommit(context, settings.commit);
  const progress = createProgress(systemClock, core.info);
  const warnings: string[] = [];
  /** Without what only helps to read the report, there is still a report. */
  const optional = async <T>(what: string, permission: string, fallback: T, request: Promise<T>): Promise<T> =>
    request.catch((error: unknown) => {
      warnings.push(`Cannot ${what}: ${describeFailure(error)}. ${adviceFor(error, permission)}`);
      return fallback;
    });
  const changes =
    pullRequest === undefined
      ? []
      : await optional(
          `list the files of pull request ${pullRequest}; findings in them are not marked`,
          'pull-requests: read',
          [],
          fetchChangedFiles(github, context.repository, pullRequest),
        );
  const files = filesOfSides(listCheckout(env.GITHUB_WORKSPACE ?? '.'), changes);

  const acceptanceOf = (number: number) => ({
    label: settings.acceptLabel,
    fetch: () =>
      fetchAcceptance(github, context.repository, number, settings.acceptLabel).catch((error: unknown) => {
        core.warning(
          `Cannot see whether the label ${settings.acceptLabel} is set: ${describeFailure(error)}. ${adviceFor(error, 'pull-requests: read')}`,
        );
        return undefined;
      }),
  });

  const clients = context.pullRequest?.fork && !hasCredentials(env) ? undefined : createClients(settings, env);
  let known: Promise<BaselineCommits> | undefined;
  const baselineCommits = () =>
    (known ??= fetchBaselineCommits(github, context, commit, settings.baseRef).catch((error: unknown) => {
      throw new MeasurementError(
        `Cannot tell which commit ${commit.slice(0, 7)} is to be compared with: ${describeFailure(error)}.`,
        adviceFor(error, 'contents: read'),
      );
    }));

  const outcome =
    clients === undefined
      ? withoutMeasurement(settings)
      : await gate(commit, settings, {
          ...clients,
          clock: systemClock,
          // Shards that run at the same time meet the same instances, and must not end each other's windows.
          run: `${context.run.id}.${context.run.attempt}.${settings.mode === 'measure' ? 'shards' : randomBytes(4).toString('hex')}`,
          workflowRun: String(context.run.id),
          baseBranch: settings.baseRef || (context.pullRequest?.baseRef ?? context.defaultBranch),
          fetchBaselineCommits: baselineCommits,
          changedFiles: files.touched,
          renamedFiles: changes.flatMap(({ path, previousPath }) =>
            previousPath ? [{ from: previousPath, to: path }] : [],
          ),
          ...(pullRequest !== undefined && settings.acceptLabel && { acceptance: acceptanceOf(pullRequest) }),
          progress,
          workspace: env.GITHUB_WORKSPACE ?? '.',
          interruption,
        });
  outcome.warnings.push(...warnings);
  if (clients && clients.calls.sent > 0) progress.note(renderCalls(clients.calls));

  const loosened = await optional(
    'read the config file at the head of the pull request',
    'contents: read',
    undefined,
    configChange(github, context, inputs.config || DEFAULT_CONFIG, config, files.touched),
  );
  if (loosened) outcome.warnings.push(loosened);

  const directory = join(env.RUNNER_TEMP ?? '.', 'lambda-profile');
  const profiles = writeProfiles(directory, settings, outcome);
  const report = createReport(outcome, settings, {
    commit,
    changedFiles: files.touched,
    headFiles: files.head,
    baseFiles: files.base,
    repository: context.repository,
    ...(pullRequest !== undefined && { pullRequest }),
    run: context.run,
    files: {
      ...profiles,
      reportJson: join(directory, `${fileStem(settings)}-report.json`),
      reportHtml: join(directory, `${fileStem(settings)}-report.html`),
    },
    ...(clients && { calls: clients.calls }),
    timings: progress.done(),
  });
  const trees = createCallTrees(outcome, settings.policy.ownCode);
  writeFileSync(report.files.reportJson!, renderJson(report));
  writeFileSync(report.files.reportHtml!, renderPage(report, trees));
  for (const tree of trees)
    writeFileSync(join(directory, `${fileStem(settings)}-${tree.sampleType}.svg`), renderSvg(report, tree));
  const ancestors = await known?.catch(() => undefined);
  const trend = clients && ancestors ? await trendOf(clients.s3, settings, outcome, ancestors.commits) : [];
  await core.summary.addRaw(renderSummary(report, trend)).write();
  annotate(report);
  const commentUrl =
    pullRequest === undefined || settings.mode === 'measure'
      ? ''
      : await comment(github, context, settings, report, pullRequest);
  await check?.complete(renderCheck(report, settings));
  setOutputs(report, commentUrl);
  end(report, settings);
}

/** The last recordings of the branch that is compared with, and this one when it joins them. */
async function trendOf(
  s3: Parameters<typeof fetchTrend>[0],
  { bucket, baselinePrefix: prefix, key, updateBaseline }: Settings,
  { head }: Outcome,
  commits: string[],
): Promise<TrendPoint[]> {
  if (!head) return [];
  const { functionName } = head.manifest;
  const { points, unreadable } = await fetchTrend(s3, { bucket, prefix, functionName, key }, commits);
  if (unreadable > 0)
    core.info(`${unreadable} recordings could not be read: the trend in the summary is without them.`);
  const joining = updateBaseline ? computeTrendPoint(head.manifest) : undefined;
  return joining ? [...points, joining] : points;
}

/** Shards decide nothing, so they show no check. */
async function startCheck(github: GitHub, context: GitHubContext, inputs: RawInputs): Promise<CheckRun | undefined> {
  const name = inputs['check-name']?.trim().slice(0, 100);
  if (!name || inputs.mode === 'measure') return undefined;
  const headSha = context.pullRequest?.headSha ?? context.sha;
  return startCheckRun(github, context.repository, { name, headSha, detailsUrl: context.run.url }, core.warning);
}

function readEvent(path: string | undefined): unknown {
  return path ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** A pull request must not loosen its own gate, so its config is the base branch's. */
async function readConfig(github: GitHub, context: GitHubContext, path: string): Promise<string | undefined> {
  const name = path || DEFAULT_CONFIG;
  const config = await fetchFile(github, context.repository, name, context.trustedRef).catch((error: unknown) => {
    throw new ConfigurationError(
      `Cannot start: the config file ${name} cannot be read at ${context.trustedRef}: ${describeFailure(error)}. ${adviceFor(error, 'contents: read')}`,
    );
  });
  if (config === undefined && path !== '' && !context.pullRequest)
    throw new ConfigurationError(`Cannot start: there is no config file ${path} at ${context.trustedRef}.`);
  return config;
}

async function configChange(
  github: GitHub,
  { repository, pullRequest }: GitHubContext,
  path: string,
  base: string | undefined,
  touched: string[],
): Promise<string | undefined> {
  if (!pullRequest || !touched.includes(path)) return undefined;
  return describeConfigChange(path, base, await fetchFile(github, repository, path, pullRequest.headSha));
}

function hasCredentials(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env.AWS_ACCESS_KEY_ID || env.AWS_WEB_IDENTITY_TOKEN_FILE || env.AWS_CONTAINER_CREDENTIALS_FULL_URI);
}

function withoutMeasurement({ function: { name } }: Settings): Outcome {
  const verdict = skipped({
    functionName: name,
    reason: 'a pull request from a fork gets no AWS credentials',
    next: 'A maintainer can measure it: push the branch to this repository, or merge it and look at the run of the base branch.',
  });
  return { verdict, differences: [], warnings: [] };
}

/** Names that stay distinct when several functions' files are uploaded side by side. */
function fileStem({ function: { name }, key }: Settings): string {
  return key ? `${name}-${key}` : name;
}

function writeProfiles(directory: string, settings: Settings, outcome: Outcome): Report['files'] {
  mkdirSync(directory, { recursive: true });
  const write = (recording: Recording | undefined, side: string): string | undefined => {
    const profile = recording?.profiles.get('cpu');
    if (!profile) return undefined;
    const path = join(directory, `${fileStem(settings)}-${side}.cpu.pb.gz`);
    writeFileSync(path, gzipProfile(profile));
    return path;
  };
  const headProfile = write(outcome.head, 'head');
  const baseProfile = write(outcome.baseline?.recording, 'base');
  return { ...(headProfile && { headProfile }), ...(baseProfile && { baseProfile }) };
}

const announce = { error: core.error, warning: core.warning, notice: core.notice };

function annotate(report: Report): void {
  for (const { level, file, line, title, message } of renderAnnotations(report))
    announce[level](message, { title, ...(file && { file }), ...(line && { startLine: line }) });
}

async function comment(
  github: GitHub,
  context: GitHubContext,
  settings: Settings,
  report: Report,
  pullRequest: number,
): Promise<string> {
  if (settings.comment === 'never') return '';
  const result = await publishStickyComment(
    github,
    context.repository,
    {
      pullRequest,
      key: commentKey(report.key),
      run: context.run,
      body: renderComment(report),
      create: settings.comment === 'always' || report.verdict.kind !== 'pass',
    },
    { sleep: systemClock.sleep, random: Math.random },
  );
  if (result.outcome === 'failed') {
    core.warning(result.message);
    return '';
  }
  if (result.outcome === 'newer-exists')
    core.info('The comment already shows the result of a newer run: left as it is.');
  return result.url;
}

function setOutputs(report: Report, commentUrl: string): void {
  const cpu = report.comparison?.metrics.find(({ id }) => id === 'cpu');
  const outputs: Record<string, string> = {
    verdict: report.verdict.kind,
    regressed: String(report.verdict.regressed.length > 0),
    'delta-percent': cpu && Number.isFinite(cpu.ratio) ? ((cpu.ratio - 1) * 100).toFixed(1) : '',
    'baseline-commit': report.base?.commit ?? '',
    commit: report.commit ?? '',
    'report-json': report.files.reportJson ?? '',
    'report-html': report.files.reportHtml ?? '',
    'head-profile': report.files.headProfile ?? '',
    'base-profile': report.files.baseProfile ?? '',
    'comment-url': commentUrl,
  };
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value);
}

function end(report: Report, settings: Settings): void {
  const { headline, next } = report.verdict;
  const text = next ? `${headline} ${next}` : headline;
  if (exitCodeOf(report.verdict, settings) === 0) core.info(text);
  else core.setFailed(text);
}

try {
  await run(process.env);
} catch (error) {
  // Mistakes of the user have a sentence; anything else is a mistake of ours, and its stack is what we need.
  const known = error instanceof ConfigurationError;
  core.setFailed(
    known
      ? error.message
      : `Unexpected failure of lambda-profile-action. Please report it with this log.\n${(error as Error).stack ?? error}`,
  );
}
