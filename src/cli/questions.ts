import { ConfigurationError } from '../errors.ts';
import { Interruption } from './exit.ts';
import { inert, type Shell } from './shell.ts';

/** One answer that can be chosen. */
export interface Choice {
  value: string;
  label: string;
  hint?: string;
}

/** What is asked where there is a terminal, and the flag that answers it everywhere. */
export interface Question {
  text: string;
  /** e.g. `--type` or `<stack>` */
  flag: string;
  choices: Choice[];
}

const MOST_NAMED = 20;

/**
 * The answer to a question with a few choices. One choice alone is not asked for.
 * @throws ConfigurationError that names the flag and the choices where nobody can be asked; Interruption on Ctrl-C
 */
export async function choose({ text, flag, choices }: Question, shell: Shell): Promise<string> {
  if (choices.length === 1) return choices[0]!.value;
  if (!shell.interactive) throw missing(flag, choices);
  const { isCancel, select } = await import('@clack/prompts');
  const options = choices.map(({ value, label, hint }) => ({
    value,
    label: inert(label),
    ...(hint !== undefined && { hint: inert(hint) }),
  }));
  const answer = await select({ message: text, options, maxItems: 12, output: process.stderr });
  if (isCancel(answer)) throw new Interruption();
  return answer as string;
}

function missing(flag: string, choices: Choice[]): ConfigurationError {
  const named = choices.slice(0, MOST_NAMED).map(({ value }) => inert(value));
  const more = choices.length - named.length;
  return new ConfigurationError(`Missing ${flag}: one of ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`);
}

/**
 * The answer to an open question.
 * @param problemOf why an answer will not do, if it will not
 * @throws ConfigurationError that names the flag where nobody can be asked; Interruption on Ctrl-C
 */
export async function ask(
  question: { text: string; flag: string; placeholder: string },
  problemOf: (answer: string) => string | undefined,
  shell: Shell,
): Promise<string> {
  if (!shell.interactive) throw new ConfigurationError(`Missing ${question.flag}: ${question.placeholder}.`);
  const { isCancel, text } = await import('@clack/prompts');
  const answer = await text({
    message: question.text,
    placeholder: question.placeholder,
    output: process.stderr,
    validate: (value) => problemOf(value ?? ''),
  });
  if (isCancel(answer)) throw new Interruption();
  return answer;
}
