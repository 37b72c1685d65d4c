import { basename } from 'node:path';
import { buildCallTree } from '../pprof/calltree.ts';
import type { Profile } from '../pprof/columns.ts';
import { dropFrames } from '../pprof/drop-frames.ts';
import { type Filter, filterProfile } from '../pprof/filter.ts';
import { classifyFrame, type Language } from '../pprof/frames.ts';
import { framesOf } from '../pprof/names.ts';
import { alignProfiles } from '../pprof/sample-types.ts';
import { sampleColumn } from '../pprof/top.ts';
import { type CallTree, flattenCallTree } from '../report/flamegraph/calltree.ts';
import { renderProfilePage } from '../report/flamegraph/page.ts';
import { renderSvg } from '../report/flamegraph/svg.ts';
import { parseWindows } from '../snapshots/window.ts';
import { TOOL } from '../version.ts';

/** One or two profiles that are looked at, and what they are called. */
export interface ProfileView {
  head: Profile;
  base?: Profile;
  title: string;
  facts: string[];
  /** The sample type that is shown first; '' for the one viewers show first. */
  sampleType: string;
  filter: Filter;
  /** Invocations each side is divided by; without them, values are in all. */
  invocations?: { base: number; head: number };
}

/** Frames below this share of both sides are pruned. */
const MIN_SHARE = 0.0001;

/** What there is at one moment: it does not grow with the invocations. */
const STATES = new Set(['inuse_objects', 'inuse_space', 'goroutine', 'threadcreate']);

/** A call tree for each sample type, the wanted one first. */
export function treesOf(view: ProfileView): CallTree[] {
  const shown = (profile: Profile): Profile => filterProfile(dropFrames(profile), view.filter);
  const [head, base] = alignProfiles(view.base ? [view.head, view.base] : [view.head]).map(shown) as [
    Profile,
    Profile | undefined,
  ];
  const language = languageOf(head);
  const first = head.sampleTypes[sampleColumn(head, view.sampleType)]!;
  const types = [first, ...head.sampleTypes.filter((type) => type !== first)];
  const distinct = types.filter(({ type }, i) => types.findIndex((other) => other.type === type) === i);
  return distinct.map(({ type, unit }) => {
    const invocations = (!STATES.has(type) && view.invocations) || { base: 1, head: 1 };
    const tree = buildCallTree(base, head, type, (frame) => classifyFrame(frame, language), {
      invocations,
      minShare: MIN_SHARE,
    });
    return flattenCallTree(tree, {
      sampleType: type,
      unit,
      baseInvocations: base ? invocations.base : 0,
      headInvocations: invocations.head,
    });
  });
}

/** The view as a page of its own. */
export function renderViewPage(view: ProfileView): string {
  const about = { title: view.title, facts: view.facts, intervalUs: intervalOf(view.head), tool: TOOL };
  return renderProfilePage(about, treesOf(view));
}

/** The view as a picture of its first sample type. */
export function renderViewSvg(view: ProfileView): string {
  return renderSvg({ functionName: view.title }, treesOf(view)[0]!);
}

/** Microseconds between samples of time; 0 for what is not sampled by time. */
function intervalOf({ periodType, period }: Profile): number {
  return /^nanoseconds?$/.test(periodType.unit) ? Number(period) / 1000 : 0;
}

/** What both sides are divided by, if the agents that published them counted invocations, and how to say so. */
export function dividedBy(head: Profile, base?: Profile): Pick<ProfileView, 'invocations' | 'facts'> {
  const ofHead = invocationsOf(head);
  const ofBase = base === undefined ? ofHead : invocationsOf(base);
  if (ofHead === undefined || ofBase === undefined) return { facts: ['Values are in all: invocations are not known.'] };
  const facts = [`Per invocation: ${ofHead} invocations${base === undefined ? '' : `, base ${ofBase}`}.`];
  return { invocations: { base: ofBase, head: ofHead }, facts };
}

function invocationsOf(profile: Profile): number | undefined {
  const sum = parseWindows(profile.comments).reduce((sum, { invocations }) => sum + invocations.n, 0);
  return sum > 0 ? sum : undefined;
}

/** The language of most functions, by their files. */
function languageOf(profile: Profile): Language {
  let go = 0;
  let node = 0;
  for (const { file } of framesOf(profile, ({ name, file }) => `${name}\n${file}`).names) {
    if (/\.(go|s)$/.test(file)) go++;
    else if (/^node:|\.[cm]?[jt]sx?$/.test(file)) node++;
  }
  return go === 0 && node === 0 ? 'other' : go >= node ? 'go' : 'node';
}

/** How files are called in titles: by their names, or by their number. */
export function titleOf(paths: string[]): string {
  return paths.length > 1 ? `${paths.length} profiles` : paths[0] === '-' ? 'standard input' : basename(paths[0]!);
}
