import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClients } from '../aws-clients.ts';
import { exitCodeOf } from '../compare/verdict.ts';
import { ConfigurationError } from '../errors.ts';
import { gate, type Outcome } from '../gate.ts';
import { listCheckout } from '../github/sources.ts';
import { listenForInterruption } from '../interruption.ts';
import { createReport } from '../outcome-report.ts';
import { createCallTrees } from '../outcome-trees.ts';
import { gzipProfile } from '../pprof/encode.ts';
import { renderComment } from '../report/comment.ts';
import { renderPage } from '../report/flamegraph/page.ts';
import { renderSvg } from '../report/flamegraph/svg.ts';
import { renderJson } from '../report/json.ts';
import type { Report } from '../report/report.ts';
import { renderTerminal } from '../report/terminal.ts';
import { parseSettings, type Settings } from '../settings.ts';
import { withRegion } from './aws.ts';
import { EXIT } from './exit.ts';
import type { GateOptions } from './gate.ts';
import { inputsOf } from './gate-options.ts';
import { createShellProgress } from './live-progress.ts';
import * as git from './local-git.ts';
import { fileFailure } from './profile-files.ts';
import type { Shell } from './shell.ts';

const DEFAULT_CONFIG = '.github/lambda-profile.yml';

/** @returns the exit code of the verdict */
export async function runGate(name: string, options: GateOptions, shell: Shell): Promise<number> {
  const commit = git.resolveCommit(git.localGit, typeof options.commit === 'string' ? options.commit : 'HEAD');
  const settings = readSettings(name, { ...options, commit }, shell);
  const base = settings.baseRef || git.defaultBranch(git.localGit);
  if (options.commit === undefined && git.hasChanges(git.localGit))
    shell.say('The checkout has changes that are not committed: what was deployed may not be what HEAD is.');
  const known = git.baselineCommits(git.localGit, commit, base);
  const changedFiles = git.changedFiles(git.localGit, known.commits[0], commit);
  const progress = createShellProgress(shell);
  const interruption = listenForInterruption(shell.takeSignals(), (signal) =>
    progress.note(`${signal}: no further call is sent; what was measured is told.`),
  );
  const run = `cli.${randomBytes(6).toString('hex')}`;
  const outcome = await gate(commit, settings, {
    ...createClients(settings, await withRegion(shell)),
    clock: shell.clock,
    run,
    workflowRun: run,
    baseBranch: base,
    fetchBaselineCommits: async () => known,
    changedFiles,
    renamedFiles: git.renamedFiles(git.localGit, known.commits[0], commit),
    progress,
    workspace: git.rootOf(git.localGit),
    interruption,
  });
  const report = createReport(outcome, settings, {
    commit,
    changedFiles,
    headFiles: listCheckout(git.rootOf(git.localGit)),
    ...repositoryOf(),
    files: {},
    timings: progress.done(),
  });
  writeFiles(options.output, report, outcome, settings);
  shell.say(`Report, page and profiles are in ${options.output}.`);
  shell.print(textOf(report, options, shell));
  return interruption.stop.aborted ? EXIT.interrupted : exitCodeOf(report.verdict, settings);
}

/** Of the checkout around the current folder; without git, of the folder. */
function defaultConfig(): string {
  try {
    return join(git.rootOf(git.localGit), DEFAULT_CONFIG);
  } catch {
    return DEFAULT_CONFIG;
  }
}

/** Options over the config file of the checkout over the defaults. @throws ConfigurationError */
export function readSettings(name: string, options: Record<string, unknown>, { env }: Pick<Shell, 'env'>): Settings {
  const path = typeof options.config === 'string' ? options.config : defaultConfig();
  const inputs = inputsOf(options, env.LAMBDA_PROFILE_BUCKET);
  if (options.config === undefined && !existsSync(path)) return parseSettings({ ...inputs, 'function-name': name });
  try {
    return parseSettings({ ...inputs, 'function-name': name }, readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw new ConfigurationError(`Cannot read the config file ${path}: ${fileFailure(error)}.`);
  }
}

function repositoryOf(): Pick<Report, 'repository'> {
  const repository = git.originOf(git.localGit);
  return repository ? { repository } : {};
}

/** Markdown is for machines that pass it on; people at a terminal get what they can read. */
function textOf(report: Report, { json }: GateOptions, { interactive, color, columns }: Shell): string {
  if (json) return renderJson(report);
  return interactive ? renderTerminal(report, { columns, color }) : `${renderComment(report).trimEnd()}\n`;
}

function writeFiles(folder: string, report: Report, outcome: Outcome, settings: Settings): void {
  const write = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, `${report.key.replace('/', '-')}-${name}`);
    writeFileSync(path, content);
    return path;
  };
  try {
    mkdirSync(folder, { recursive: true });
    for (const [side, recording] of [
      ['head', outcome.head],
      ['base', outcome.baseline?.recording],
    ] as const)
      for (const [type, profile] of recording?.profiles ?? []) {
        const path = write(`${side}.${type}.pb.gz`, gzipProfile(profile));
        if (type === 'cpu') report.files[`${side}Profile`] = path;
      }
    const trees = createCallTrees(outcome, settings.policy.ownCode);
    for (const tree of trees) write(`${tree.sampleType}.svg`, renderSvg(report, tree));
    report.files.reportHtml = write('report.html', renderPage(report, trees));
    report.files.reportJson = join(folder, `${report.key.replace('/', '-')}-report.json`);
    write('report.json', renderJson(report));
  } catch (error) {
    if (!('syscall' in (error as Error))) throw error;
    throw new ConfigurationError(`Cannot write to ${folder}: ${fileFailure(error)}.`);
  }
}
