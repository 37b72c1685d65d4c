import { parseConfig } from './settings.ts';

const MOST_NAMED = 10;

/**
 * What a pull request changes in the config file, as one sentence for the report; undefined when nothing that matters.
 * The pull request is judged by the file of its base: it must not loosen its own gate.
 * @param base text of the file on the base branch, undefined when there is none; `head` is the pull request's
 */
export function describeConfigChange(
  path: string,
  base: string | undefined,
  head: string | undefined,
): string | undefined {
  const [before, after] = [base, head].map((text) => flatten(text === undefined ? {} : parseConfig(text, [])));
  const keys = [...new Set([...before!.keys(), ...after!.keys()])].sort();
  const changes = keys
    .filter((key) => before!.get(key) !== after!.get(key))
    .map((key) => `${key}: ${before!.get(key) ?? 'not set'} → ${after!.get(key) ?? 'not set'}`);
  if (changes.length === 0) return undefined;
  const more = changes.length > MOST_NAMED ? `; ${changes.length - MOST_NAMED} more` : '';
  return `This pull request changes ${path} (${changes.slice(0, MOST_NAMED).join('; ')}${more}). It is judged by the file of its base branch; the change counts once it is merged.`;
}

/** `thresholds.cpu.fail` -> its value as JSON. Bounded, for the head's file is untrusted. */
function flatten(document: Record<string, unknown>): Map<string, string> {
  const flat = new Map<string, string>();
  const walk = (key: string, value: unknown, depth: number): void => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && depth < 4)
      for (const [name, inner] of Object.entries(value)) walk(key === '' ? name : `${key}.${name}`, inner, depth + 1);
    else if (flat.size < 1000)
      flat.set(key.slice(0, 100), cut(typeof value === 'string' ? value : JSON.stringify(value)));
  };
  walk('', document, 0);
  flat.delete('');
  return flat;
}

function cut(text = ''): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
