import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { ConfigurationError, MeasurementError } from '../errors.ts';
import type { Profile } from '../pprof/columns.ts';
import { gzipProfile } from '../pprof/encode.ts';
import { alignProfiles, withValues } from '../pprof/sample-types.ts';
import { renderSpeedscope } from '../pprof/speedscope.ts';
import { PROFILE_TYPES, type ProfileType } from '../snapshots/layout.ts';
import { TOOL } from '../version.ts';
import { createS3 } from './aws.ts';
import { bucketOf, prefixOf } from './bucket-options.ts';
import { profileTypesOf } from './collect.ts';
import { columnOfOptions, filterOf } from './filter-options.ts';
import { writeResult } from './merge.ts';
import { findPprof, pprofArguments, runPprof } from './pprof-tool.ts';
import type { ProfileCommandOptions } from './profile.ts';
import { type ComparedProfile, fetchCompared } from './profile-base.ts';
import { foldedProfile, listStacks, listTypes } from './profile-source.ts';
import { renderViewPage } from './profile-view.ts';
import { choose } from './questions.ts';
import { servePage } from './serve.ts';
import { counted, inert, type Shell, shellWord } from './shell.ts';
import { type CachedProfile, type CachePlace, latestCached } from './snapshot-cache.ts';
import { formatAge } from './table.ts';

const ROOT = '.lambda-profile';

/** What was chosen, by options or by answers. */
interface Chosen {
  stack: string;
  type: ProfileType;
  cached: boolean;
  sampleType: string;
  base: string;
}

/** @returns the exit code: 0, or that of pprof */
export async function runProfile(
  stackArgument: string | undefined,
  options: ProfileCommandOptions,
  shell: Shell,
): Promise<number> {
  refuseContradictions(options);
  const filter = filterOf(options);
  const bucket = bucketOf(options, shell);
  const prefix = prefixOf('--s3-prefix', options.s3Prefix);
  const s3 = await createS3(shell);

  const stack = checkedStack(stackArgument ?? (await chooseStack(s3, bucket, prefix, shell)));
  const place = {
    root: join(ROOT, 'cache'),
    bucket,
    prefix,
    stack,
    functionName: options.function ?? '',
    functionVersion: options.qualifier ?? '',
  };
  const head = await chooseHead(s3, place, options, shell);
  const { type, cached } = head;
  tellFacts(head.profile, type, shell);
  const { profile, facts } = head.profile;
  const sampleType = options.sampleType || (await chooseSampleType(profile, type, shell));
  columnOfOptions(profile, { sampleType });
  const functionName = options.function ?? (facts.functions.length === 1 ? facts.functions[0]! : stack);
  const recordings = {
    bucket,
    prefix: prefixOf('--baseline-prefix', options.baselinePrefix),
    functionName,
    key: options.commentKey ?? '',
  };
  const compared = await fetchCompared(s3, recordings, type, options.base, shell);
  const chosen: Chosen = { stack, type, cached, sampleType, base: compared?.choice ?? 'none' };
  if (shell.interactive) shell.say(`\nThe same again: ${equivalentCommand(chosen, options)}\n`);

  if (options.speedscope !== undefined) return writeSpeedscope(options.speedscope, chosen, profile, compared, shell);
  if (options.pprof) return openPprof(chosen, head.profile, compared, options);
  const invocations = compared
    ? { base: compared.invocations, head: facts.invocations }
    : { base: facts.invocations, head: facts.invocations };
  const known = invocations.base > 0 && invocations.head > 0;
  const html = renderViewPage({
    head: profile,
    ...(compared && { base: compared.profile }),
    title: `${stack} ${type}${compared ? ` since ${compared.title}` : ''}`,
    facts: [
      describeFacts(head.profile, type),
      known
        ? `Per invocation: ${facts.invocations} invocations${compared ? `, base ${compared.invocations}` : ''}.`
        : 'Values are in all: invocations are not known.',
    ],
    sampleType,
    filter,
    ...(known && { invocations }),
  });
  if (options.serve) {
    await servePage(html, portOf(options), shell);
    return 0;
  }
  const path = options.output ?? join(ROOT, `${stack}-${type}.html`);
  mkdirSync(dirname(path), { recursive: true });
  writeResult(path, html);
  shell.print(`${path}\n`);
  if (options.open && shell.interactive && hasBrowser(shell)) await openFile(path);
  return 0;
}

function refuseContradictions({ pprof, speedscope, serve }: ProfileCommandOptions): void {
  const ways = [pprof && '--pprof', speedscope !== undefined && '--speedscope', serve && '--serve'].filter(Boolean);
  if (ways.length > 1) throw new ConfigurationError(`Cannot do all of ${ways.join(' and ')}: give one of them.`);
}

function checkedStack(stack: string): string {
  if (/^[\w-][\w.-]{0,127}$/.test(stack)) return stack;
  throw new ConfigurationError(
    `Cannot use the stack ${JSON.stringify(stack.slice(0, 80))}: it has 1 to 128 letters, digits, dots, hyphens and underscores.`,
  );
}

/** First question: the stacks that have published something, the latest first. */
async function chooseStack(s3: S3Client, bucket: string, prefix: string, shell: Shell): Promise<string> {
  const stacks = await listStacks(s3, bucket, prefix);
  if (stacks.length === 0)
    throw new MeasurementError(
      `Cannot find a stack in s3://${bucket}/${prefix}/: nothing was published there.`,
      'Check --s3-bucket and --s3-prefix; `lambda-profile doctor FUNCTION` tells why a function publishes nothing.',
    );
  const flag = '<stack>';
  if (!shell.interactive || stacks.length === 1)
    return choose({ text: '', flag, choices: stacks.map((value) => ({ value, label: value })) }, shell);
  const nowMs = shell.clock.nowMs();
  const known = await Promise.all(
    stacks.slice(0, MOST_DESCRIBED).map(async (stack) => {
      const listed = [...(await listTypes(s3, { bucket, prefix, stack })).values()].flat();
      return {
        stack,
        count: listed.length,
        latestMs: Math.max(0, ...listed.map(({ lastModifiedMs }) => lastModifiedMs)),
      };
    }),
  );
  known.sort((a, b) => b.latestMs - a.latestMs);
  const choices = [
    ...known
      .filter(({ count }) => count > 0)
      .map(({ stack, count, latestMs }) => ({
        value: stack,
        label: stack,
        hint: `${counted(count, 'snapshot')}, ${formatAge(nowMs - latestMs)} ago`,
      })),
    ...stacks.slice(MOST_DESCRIBED).map((value) => ({ value, label: value })),
  ];
  return choose({ text: 'Which stack?', flag, choices }, shell);
}

const MOST_DESCRIBED = 30;
const MOST_NAMED = 5;

/** Second and third question: which type, and whether what is here already will do. */
async function chooseHead(
  s3: S3Client,
  place: Omit<CachePlace, 'type'>,
  options: ProfileCommandOptions,
  shell: Shell,
): Promise<{ profile: CachedProfile; type: ProfileType; cached: boolean }> {
  const [wanted] = options.type === undefined ? [] : profileTypesOf(options.type);
  if (options.cached) {
    const known = (wanted ? [wanted] : PROFILE_TYPES).flatMap((type) => {
      const cached = latestCached({ ...place, type });
      return cached ? [{ type, cached }] : [];
    });
    if (known.length === 0)
      throw new ConfigurationError(`Cannot use --cached: nothing of ${place.stack} was downloaded yet.`);
    const choices = known.map(({ type }) => ({ value: type, label: type }));
    const type = await choose({ text: 'Which profile?', flag: '--type', choices }, shell);
    const found = known.find((one) => one.type === type)!;
    return { profile: found.cached, type: found.type, cached: true };
  }
  const types = await listTypes(s3, place);
  if (types.size === 0 || (wanted && !types.has(wanted)))
    throw new MeasurementError(
      `Cannot find a ${wanted ?? 'snapshot'} of ${place.stack} in s3://${place.bucket}/${place.prefix}/: there is ${[...types.keys()].join(', ') || 'none'}.`,
      'Check the stack and --type; `lambda-profile doctor FUNCTION` tells why a function publishes nothing.',
    );
  const choices = [...types].map(([type, listed]) => ({
    value: type,
    label: type,
    hint: counted(listed.length, 'snapshot'),
  }));
  const type = wanted ?? ((await choose({ text: 'Which profile?', flag: '--type', choices }, shell)) as ProfileType);
  const known = latestCached({ ...place, type });
  if (known && shell.interactive) {
    const age = formatAge(shell.clock.nowMs() - known.facts.downloadedMs);
    const answer = await choose(
      {
        text: 'Which snapshots?',
        flag: '--cached',
        choices: [
          { value: 'new', label: 'Those in S3 now' },
          { value: 'cached', label: `Those downloaded ${age} ago`, hint: describeFacts(known, type) },
        ],
      },
      shell,
    );
    if (answer === 'cached') return { profile: known, type, cached: true };
  }
  const profile = await foldedProfile(s3, { ...place, type }, types.get(type)!, shell);
  return { profile, type, cached: false };
}

/** Fourth question: what a heap profile counts. */
async function chooseSampleType(profile: Profile, type: ProfileType, shell: Shell): Promise<string> {
  if (!shell.interactive || (type !== 'heap' && type !== 'allocs')) return '';
  const choices = profile.sampleTypes.map(({ type, unit }) => ({ value: type, label: type, hint: unit })).reverse(); // what viewers show first is the last
  return choose({ text: 'Which values?', flag: '--sample-type', choices }, shell);
}

function describeFacts({ facts, profile }: CachedProfile, type: ProfileType): string {
  const skipped = facts.skipped > 0 ? ` (${facts.skipped} could not be read)` : '';
  return `${type}: ${facts.merged} of ${counted(facts.listed, 'snapshot')}${skipped}, ${counted(facts.instances, 'instance')}, ${counted(profile.sampleCount, 'stack')}`;
}

function tellFacts(cached: CachedProfile, type: ProfileType, shell: Shell): void {
  const age = formatAge(shell.clock.nowMs() - cached.facts.downloadedMs);
  shell.say(`${describeFacts(cached, type)}; downloaded ${age} ago.`);
  const { versions } = cached.facts;
  if (versions.length > 1)
    shell.say(
      `They are of ${versions.slice(0, MOST_NAMED).map(inert).join(', ')}${versions.length > MOST_NAMED ? ' and more' : ''}: --qualifier takes one.`,
    );
}

/** The command that does the same without asking. */
function equivalentCommand({ stack, type, cached, sampleType, base }: Chosen, options: ProfileCommandOptions): string {
  const words = ['lambda-profile', 'profile', stack, '--type', type];
  const flag = (name: string, value: string | undefined): void => {
    if (value) words.push(`--${name}`, value);
  };
  flag('s3-bucket', options.s3Bucket);
  if (options.s3Prefix !== 'sparta/pprof') flag('s3-prefix', options.s3Prefix);
  if (options.baselinePrefix !== 'lambda-profile/recordings') flag('baseline-prefix', options.baselinePrefix);
  flag('function', options.function);
  flag('qualifier', options.qualifier);
  if (cached) words.push('--cached');
  flag('sample-type', sampleType);
  flag('base', base);
  for (const name of ['focus', 'ignore', 'hide', 'show', 'tagfocus', 'tagignore'] as const) flag(name, options[name]);
  flag('comment-key', options.commentKey);
  flag('speedscope', options.speedscope);
  flag('output', options.output);
  flag('port', options.port);
  for (const name of ['pprof', 'serve'] as const) if (options[name]) words.push(`--${name}`);
  if (!options.open) words.push('--no-open');
  return words.map(shellWord).join(' ');
}

function writeSpeedscope(
  path: string,
  { stack, type }: Chosen,
  profile: Profile,
  compared: ComparedProfile | undefined,
  shell: Shell,
): number {
  const profiles = [
    { name: compared ? 'head' : stack, profile },
    ...(compared ? [{ name: `base ${compared.title}`, profile: compared.profile }] : []),
  ];
  writeResult(path, renderSpeedscope(`${stack} ${type}`, profiles, TOOL));
  shell.print(`${path}\n`);
  return 0;
}

/** pprof subtracts totals, so the base is first scaled to the invocations of the head. */
async function openPprof(
  { stack, type, sampleType }: Chosen,
  { profile, path, facts }: CachedProfile,
  compared: ComparedProfile | undefined,
  options: ProfileCommandOptions,
): Promise<number> {
  const tool = findPprof();
  if (!compared) return runPprof(tool, pprofArguments(path, undefined, sampleType, portOf(options)));
  const [head, base] = alignProfiles([profile, compared.profile]) as [Profile, Profile];
  const ratio = facts.invocations > 0 && compared.invocations > 0 ? facts.invocations / compared.invocations : 1;
  const scaled = withValues(base, (value) => BigInt(Math.round(Number(value) * ratio)));
  const files = { head: join(ROOT, `${stack}-${type}-head.pb.gz`), base: join(ROOT, `${stack}-${type}-base.pb.gz`) };
  writeFileSync(files.head, gzipProfile(head));
  writeFileSync(files.base, gzipProfile(scaled));
  return runPprof(tool, pprofArguments(files.head, files.base, sampleType, portOf(options)));
}

/** @throws ConfigurationError */
function portOf({ port }: ProfileCommandOptions): number {
  if (port === undefined) return 0;
  if (/^\d{1,5}$/.test(port) && Number(port) < 65_536) return Number(port);
  throw new ConfigurationError(`Cannot use --port ${JSON.stringify(inert(port))}: it must be a number below 65536.`);
}

/** Over SSH there is a terminal, but no browser to open. */
function hasBrowser({ env }: Shell): boolean {
  return !env.SSH_CONNECTION || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
}

async function openFile(path: string): Promise<void> {
  const { default: open } = await import('open');
  await open(path);
}
