/**
 * Regular expressions in the syntax of RE2, which pprof uses, that take time proportional to the text: names in profiles come
 * from code under review, and a JavaScript RegExp may take exponential time on them. A pattern is a machine that is in several
 * states at once (Thompson 1968; Russ Cox, "Regular Expression Matching Can Be Simple And Fast"). Only whether a text
 * contains a match is decided, so there are no captures, and lazy repetition is the same as greedy.
 *
 * Understood: literals, `.`, classes (`[a-z]`, `[^…]`, `[[:alpha:]]`, `\d \w \s \pL \p{Greek}` and their complements),
 * `\Q…\E`, `^ $ \A \z \b \B`, groups `(…)`, `(?:…)`, `(?P<name>…)`, flags `(?i)`, `(?s)`, `(?i:…)`, `|`, `* + ? {n,m}`.
 */
export interface Pattern {
  /** Whether `text` contains a match. */
  test(text: string): boolean;
}

/** Characters a pattern may have. */
const MAX_LENGTH = 1000;
/** States a pattern may have, and how often `{n,m}` may repeat (as in RE2). */
const MAX_STATES = 10_000;
const MAX_REPEAT = 1000;

/** Compiles a pattern. @throws SyntaxError with the pattern and the position of the fault. */
export function compilePattern(source: string): Pattern {
  if (source.length > MAX_LENGTH)
    throw new SyntaxError(`Cannot use the pattern: it is longer than ${MAX_LENGTH} characters.`);
  const node = new Parser(source).parse();
  const program = new Program();
  const start = program.add(node, program.accept());
  return { test: (text) => program.matches(text, start) };
}

type CharTest = (code: number) => boolean;
type Assertion = 'start' | 'end' | 'boundary' | 'no boundary';

type Node =
  | { kind: 'char'; test: CharTest }
  | { kind: 'assert'; what: Assertion }
  | { kind: 'all'; nodes: Node[] }
  | { kind: 'any'; nodes: Node[] }
  | { kind: 'repeat'; node: Node; min: number; max: number };

interface Flags {
  ignoreCase: boolean;
  dotAll: boolean;
}

class Parser {
  readonly #source: string;
  readonly #chars: string[];
  #at = 0;
  #flags: Flags = { ignoreCase: false, dotAll: false };

  constructor(source: string) {
    this.#source = source;
    this.#chars = [...source];
  }

  parse(): Node {
    const node = this.#alternatives();
    if (this.#at < this.#chars.length) throw this.#fault('unexpected )');
    return node;
  }

  #alternatives(): Node {
    const nodes = [this.#sequence()];
    while (this.#takes('|')) nodes.push(this.#sequence());
    return nodes.length === 1 ? nodes[0]! : { kind: 'any', nodes };
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    while (this.#at < this.#chars.length && this.#peek() !== '|' && this.#peek() !== ')') {
      if (this.#peekAll('\\Q')) nodes.push(...this.#quoted());
      else nodes.push(this.#repeated(this.#atom()));
    }
    return { kind: 'all', nodes };
  }

  #quoted(): Node[] {
    this.#at += 2;
    const nodes: Node[] = [];
    while (this.#at < this.#chars.length && !this.#peekAll('\\E')) nodes.push(this.#literal(this.#chars[this.#at++]!));
    if (this.#at < this.#chars.length) this.#at += 2;
    return nodes;
  }

  #repeated(atom: Node): Node {
    let node = atom;
    for (;;) {
      const bounds = this.#bounds();
      if (bounds === undefined) return node;
      this.#takes('?');
      node = { kind: 'repeat', node, ...bounds };
    }
  }

  #bounds(): { min: number; max: number } | undefined {
    if (this.#takes('*')) return { min: 0, max: Infinity };
    if (this.#takes('+')) return { min: 1, max: Infinity };
    if (this.#takes('?')) return { min: 0, max: 1 };
    const braces = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#chars.slice(this.#at, this.#at + 12).join(''));
    if (braces === null) return undefined;
    this.#at += braces[0].length;
    const min = Number(braces[1]);
    const max = braces[2] === undefined ? min : braces[3] === '' ? Infinity : Number(braces[3]);
    if (min > max || Math.max(min, Number.isFinite(max) ? max : 0) > MAX_REPEAT)
      throw this.#fault('invalid repeat count');
    return { min, max };
  }

  #atom(): Node {
    const char = this.#chars[this.#at++]!;
    if (char === '(') return this.#group();
    if (char === '[') return { kind: 'char', test: this.#class() };
    if (char === '.') return { kind: 'char', test: this.#flags.dotAll ? () => true : (code) => code !== 10 };
    if (char === '^') return { kind: 'assert', what: 'start' };
    if (char === '$') return { kind: 'assert', what: 'end' };
    if (char === '\\') return this.#escape();
    if (char === '*' || char === '+' || char === '?') throw this.#fault(`nothing to repeat with ${char}`);
    return this.#literal(char);
  }

  #group(): Node {
    const outer = this.#flags;
    if (this.#takes('?')) {
      if (this.#takes('P') || this.#peek() === '<') {
        if (!this.#takes('<')) throw this.#fault('invalid group');
        while (this.#at < this.#chars.length && this.#chars[this.#at++] !== '>');
      } else {
        this.#flags = this.#readFlags();
        if (this.#takes(')')) return { kind: 'all', nodes: [] }; // (?i) holds for the rest of the group around it
        if (!this.#takes(':')) throw this.#fault('invalid group');
      }
    }
    const node = this.#alternatives();
    if (!this.#takes(')')) throw this.#fault('missing )');
    this.#flags = outer;
    return node;
  }

  #readFlags(): Flags {
    const flags = { ...this.#flags };
    let value = true;
    for (;;) {
      if (this.#takes('-')) value = false;
      else if (this.#takes('i')) flags.ignoreCase = value;
      else if (this.#takes('s')) flags.dotAll = value;
      else if (!this.#takes('U')) return flags;
    }
  }

  #escape(): Node {
    const char = this.#chars[this.#at];
    if (char === 'A' || char === 'z' || char === 'b' || char === 'B') {
      this.#at++;
      const what = ({ A: 'start', z: 'end', b: 'boundary', B: 'no boundary' } as const)[char];
      return { kind: 'assert', what };
    }
    const set = this.#escapedClass();
    if (set !== undefined) return { kind: 'char', test: set };
    return this.#literal(this.#escapedChar());
  }

  // After a backslash: \d, \W, \pL, \P{Greek}; undefined if it is a character.
  #escapedClass(): CharTest | undefined {
    const char = this.#chars[this.#at] ?? '';
    const known = CLASSES.get(char.toLowerCase());
    if (known !== undefined && char !== '') {
      this.#at++;
      return char === char.toLowerCase() ? known : not(known);
    }
    if (char !== 'p' && char !== 'P') return undefined;
    const rest = this.#chars.slice(this.#at + 1, this.#at + 40).join('');
    const found = /^(?:([A-Z])|\{(\^?)([A-Za-z_]+)\})/.exec(rest);
    if (found === null) throw this.#fault('invalid \\p');
    this.#at += 1 + found[0].length;
    const test = unicodeClass(found[1] ?? found[3]!);
    if (test === undefined) throw this.#fault('unknown \\p');
    return (char === 'P') !== (found[2] === '^') ? not(test) : test;
  }

  #escapedChar(): string {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw this.#fault('trailing \\');
    const control = CONTROLS.get(char);
    if (control !== undefined) return control;
    if (char === 'x') {
      const hex = /^(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(
        this.#chars.slice(this.#at, this.#at + 8).join(''),
      );
      const code = Number.parseInt(hex?.[1] ?? hex?.[2] ?? 'FFFFFF', 16);
      if (hex === null || code > 0x10ffff) throw this.#fault('invalid \\x');
      this.#at += hex[0].length;
      return String.fromCodePoint(code);
    }
    if (/[A-Za-z0-9]/.test(char)) throw this.#fault(`unknown escape \\${char}`);
    return char;
  }

  #class(): CharTest {
    const negated = this.#takes('^');
    const tests: CharTest[] = [];
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#at >= this.#chars.length) throw this.#fault('missing ]');
      tests.push(this.#classPart());
    }
    this.#at++;
    const any: CharTest = (code) => tests.some((test) => test(code));
    return negated ? not(any) : any;
  }

  #classPart(): CharTest {
    const posix = /^\[:(\^?)([a-z]+):\]/.exec(this.#chars.slice(this.#at, this.#at + 12).join(''));
    if (posix !== null) {
      const test = POSIX.get(posix[2]!);
      if (test === undefined) throw this.#fault('unknown class');
      this.#at += posix[0].length;
      return posix[1] === '^' ? not(test) : test;
    }
    if (this.#peek() === '\\') {
      this.#at++;
      const set = this.#escapedClass();
      if (set !== undefined) return set;
      this.#at--;
    }
    const from = this.#classChar();
    if (this.#peek() !== '-' || this.#chars[this.#at + 1] === ']') return this.#range(from, from);
    this.#at++;
    const to = this.#classChar();
    if (to < from) throw this.#fault('invalid range');
    return this.#range(from, to);
  }

  #classChar(): number {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw this.#fault('missing ]');
    return (char === '\\' ? this.#escapedChar() : char).codePointAt(0)!;
  }

  #literal(char: string): Node {
    const code = char.codePointAt(0)!;
    return { kind: 'char', test: this.#range(code, code) };
  }

  #range(from: number, to: number): CharTest {
    const test: CharTest = (code) => code >= from && code <= to;
    if (!this.#flags.ignoreCase) return test;
    return (code) => {
      const char = String.fromCodePoint(code);
      return test(code) || test(char.toLowerCase().codePointAt(0)!) || test(char.toUpperCase().codePointAt(0)!);
    };
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #peekAll(text: string): boolean {
    return this.#chars[this.#at] === text[0] && this.#chars[this.#at + 1] === text[1];
  }

  #takes(char: string): boolean {
    if (this.#chars[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #fault(what: string): SyntaxError {
    return new SyntaxError(`Cannot understand the pattern ${JSON.stringify(this.#source)} at ${this.#at}: ${what}.`);
  }
}

function not(test: CharTest): CharTest {
  return (code) => !test(code);
}

function inRanges(...ranges: string[]): CharTest {
  return (code) => ranges.some((range) => code >= range.codePointAt(0)! && code <= range.codePointAt(1)!);
}

const isWord = inRanges('09', 'AZ', 'az', '__');

const CLASSES = new Map<string, CharTest>([
  ['d', inRanges('09')],
  ['w', isWord],
  ['s', inRanges('\t\n', '\f\r', '  ')],
]);

const POSIX = new Map<string, CharTest>([
  ['alnum', inRanges('09', 'AZ', 'az')],
  ['alpha', inRanges('AZ', 'az')],
  ['ascii', inRanges('\0\x7f')],
  ['blank', inRanges('\t\t', '  ')],
  ['cntrl', inRanges('\0\x1f', '\x7f\x7f')],
  ['digit', inRanges('09')],
  ['graph', inRanges('!~')],
  ['lower', inRanges('az')],
  ['print', inRanges(' ~')],
  ['punct', inRanges('!/', ':@', '[`', '{~')],
  ['space', inRanges('\t\r', '  ')],
  ['upper', inRanges('AZ')],
  ['word', isWord],
  ['xdigit', inRanges('09', 'AF', 'af')],
]);

const CONTROLS = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['f', '\f'],
  ['v', '\v'],
  ['a', '\x07'],
]);

// One character at a time, so that the RegExp has nothing to go back to.
function unicodeClass(name: string): CharTest | undefined {
  for (const property of [name, `Script=${name}`])
    try {
      const expression = new RegExp(`^\\p{${property}}$`, 'u');
      return (code) => expression.test(String.fromCodePoint(code));
    } catch {
      // not a property of this kind
    }
  return undefined;
}

type State =
  | { kind: 'char'; test: CharTest; next: number }
  | { kind: 'assert'; what: Assertion; next: number }
  | { kind: 'split'; nexts: number[] }
  | { kind: 'accept' };

/** The states of a pattern; each knows which come next. Built from the end. */
class Program {
  readonly #states: State[] = [];

  accept(): number {
    return this.#push({ kind: 'accept' });
  }

  /** Adds the states of a node that go on to `next`. @returns the state to begin with. */
  add(node: Node, next: number): number {
    if (node.kind === 'char') return this.#push({ kind: 'char', test: node.test, next });
    if (node.kind === 'assert') return this.#push({ kind: 'assert', what: node.what, next });
    if (node.kind === 'all') return node.nodes.reduceRight((following, part) => this.add(part, following), next);
    if (node.kind === 'any')
      return this.#push({ kind: 'split', nexts: node.nodes.map((part) => this.add(part, next)) });
    let start = next;
    if (node.max === Infinity) {
      const loop: State = { kind: 'split', nexts: [next] };
      start = this.#push(loop);
      loop.nexts.push(this.add(node.node, start));
    } else
      for (let i = node.min; i < node.max; i++) {
        const rest: number = this.add(node.node, start);
        start = this.#push({ kind: 'split', nexts: [next, rest] });
      }
    for (let i = 0; i < node.min; i++) start = this.add(node.node, start);
    return start;
  }

  /** Whether the text contains a match: from every position at once, in one pass. */
  matches(text: string, start: number): boolean {
    const chars = Array.from(text, (char) => char.codePointAt(0)!);
    let current: number[] = [];
    for (let at = 0; at <= chars.length; at++) {
      const seen = new Set<number>();
      const following: number[] = [];
      if (this.#enter([...current, start], chars, at, seen, following)) return true;
      if (at === chars.length) return false;
      current = [];
      for (const state of following) {
        const { test, next } = this.#states[state] as State & { kind: 'char' };
        if (test(chars[at]!)) current.push(next);
      }
    }
    return false;
  }

  // Follows everything that takes no character. @returns true if the pattern is at its end.
  #enter(states: number[], chars: number[], at: number, seen: Set<number>, waiting: number[]): boolean {
    while (states.length > 0) {
      const number = states.pop()!;
      if (seen.has(number)) continue;
      seen.add(number);
      const state = this.#states[number]!;
      if (state.kind === 'accept') return true;
      if (state.kind === 'char') waiting.push(number);
      else if (state.kind === 'split') states.push(...state.nexts);
      else if (holds(state.what, chars, at)) states.push(state.next);
    }
    return false;
  }

  #push(state: State): number {
    if (this.#states.length >= MAX_STATES)
      throw new SyntaxError(`Cannot use the pattern: it needs more than ${MAX_STATES} states.`);
    return this.#states.push(state) - 1;
  }
}

function holds(what: Assertion, chars: number[], at: number): boolean {
  if (what === 'start') return at === 0;
  if (what === 'end') return at === chars.length;
  const before = at > 0 && isWord(chars[at - 1]!);
  const after = at < chars.length && isWord(chars[at]!);
  return (before !== after) === (what === 'boundary');
}
