/**
 * What is compared: the functions of both sides, one unit each. A function that got another name is one unit, because
 * vanished and appeared functions are paired before anything is tested.
 */
import type { Owner, OwnerWeights } from '../pprof/owners.ts';
import type { OwnerKind } from './comparison.ts';
import { type FileRename, pairRenamed } from './rename.ts';

export interface Unit {
  key: string;
  display: string;
  kind: OwnerKind;
  file: string;
  line: number;
  renamedFrom?: string;
  movedFrom?: string;
  /** Columns of the weights of each side; empty when the function does not exist there. */
  baseOwners: number[];
  headOwners: number[];
  /** Keys of the units next to it on the stack, on either side. */
  neighbours: Set<string>;
  /** Keys of what calls it, on either side, with the CPU it spends for each on the head side (base side when gone). */
  callers: Map<string, number>;
}

export interface ChangeEvidence {
  /** Repository-relative paths changed by the pull request. */
  changedFiles?: readonly string[];
  /** Files renamed by the pull request. */
  renames?: readonly FileRename[];
}

/** The units of both sides by key, in code-unit order of the keys. Idleness is no unit: it is no CPU. */
export function unitsOf(base: OwnerWeights, head: OwnerWeights, evidence: ChangeEvidence = {}): Unit[] {
  const baseOf = groupOwners(base);
  const headOf = groupOwners(head);
  const total = (side: OwnerWeights) => side.counts.reduce((sum, row) => row.reduce((a, b) => a + b, sum), 0);
  const only = (mine: Map<string, Grouped>, others: Map<string, Grouped>) =>
    [...mine.values()].filter(({ owner, nanos }) => nanos > 0 && !(others.get(owner.key)?.nanos ?? 0));
  const renamed = pairRenamed(
    { candidates: only(baseOf, headOf), totalNanos: total(base) },
    { candidates: only(headOf, baseOf), totalNanos: total(head) },
    evidence,
  );
  const baseOfHead = new Map([...renamed].map(([baseKey, headKey]) => [headKey, baseKey]));

  const units = new Map<string, Unit>();
  for (const key of new Set([...baseOf.keys(), ...headOf.keys()])) {
    if (renamed.has(key)) continue;
    const here = headOf.get(key);
    const before = baseOf.get(baseOfHead.get(key) ?? key);
    const owner = (here ?? before)!.owner;
    const { display, kind, file, line } = owner;
    if (kind === 'idle' || kind === 'agent') continue;
    const neighbours = new Set<string>();
    const callers = new Map<string, number>();
    for (const grouped of [before, here])
      for (const { callers: above, callees } of grouped?.owners ?? []) {
        for (const [key, nanos] of above) {
          const caller = renamed.get(key) ?? key;
          callers.set(caller, (callers.get(caller) ?? 0) + (grouped === (here ?? before) ? nanos : 0));
        }
        for (const key of callees.keys()) neighbours.add(renamed.get(key) ?? key);
      }
    for (const caller of callers.keys()) neighbours.add(caller);
    units.set(key, {
      key,
      display,
      kind,
      file,
      line,
      ...originOf(before?.owner, here?.owner),
      baseOwners: before?.columns ?? [],
      headOwners: here?.columns ?? [],
      neighbours,
      callers,
    });
  }
  return [...units.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

interface Grouped {
  /** The one whose name and place are shown: own code before others. */
  owner: Owner;
  owners: Owner[];
  columns: number[];
  nanos: number;
}

/** Owners by key: one key may own frames of two kinds, when a file is the function's own on one path only. */
function groupOwners({ owners, counts }: OwnerWeights): Map<string, Grouped> {
  const groups = new Map<string, Grouped>();
  owners.forEach((owner, column) => {
    const nanos = counts.reduce((sum, row) => sum + row[column]!, 0);
    const group = groups.get(owner.key);
    if (group === undefined) {
      groups.set(owner.key, { owner, owners: [owner], columns: [column], nanos });
      return;
    }
    group.owners.push(owner);
    group.columns.push(column);
    group.nanos += nanos;
    if (owner.kind === 'own' && group.owner.kind !== 'own') group.owner = owner;
  });
  return groups;
}

function originOf(before: Owner | undefined, here: Owner | undefined): { renamedFrom?: string; movedFrom?: string } {
  if (before === undefined || here === undefined) return {};
  if (before.display !== here.display) return { renamedFrom: before.display };
  if (before.key !== here.key) return { renamedFrom: before.key };
  // A path may begin with the directory of the machine that built it.
  const samePlace =
    before.file === '' || here.file === '' || before.file.endsWith(here.file) || here.file.endsWith(before.file);
  return samePlace ? {} : { movedFrom: before.file };
}
