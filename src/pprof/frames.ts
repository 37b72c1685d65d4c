/**
 * Who a frame is, the same in every build: canonical names hold no address, no line, and no number that a compiler or a
 * bundler gives out. Names come from code under review, so every step here is a scan that never goes back: no regular
 * expression sees a name whole except those that cannot backtrack.
 */

/** A function as a profile describes it. */
export interface FrameName {
  name: string;
  systemName: string;
  file: string;
  /** Line of the definition, or the first line seen; 0 if unknown. */
  line: number;
  /** File of the binary or library; '' if unknown. */
  mapping: string;
}

/** `own` is code of the function under test, `library` what it depends on, `runtime` the language's own. */
export type FrameKind = 'own' | 'library' | 'runtime' | 'gc' | 'idle' | 'agent';

export type FrameClass =
  /** `nameless`: an anonymous function, which belongs to the named function of its file that calls it, if any does. */
  | { kind: 'own'; key: string; display: string; file: string; line: number; nameless?: boolean }
  | { kind: Exclude<FrameKind, 'own'>; key: string; display: string; file: string; line: number };

export type Language = 'go' | 'node' | 'other';

/** Which code is the function's own, where the rules below do not know: import path or directory prefixes. */
export interface OwnCode {
  prefixes: string[];
}

/** Longer names are cut: a name is a label, not a payload. What is parsed of one is bounded as well. */
const MAX_NAME = 300;
const MAX_PARSED = 4000;

/**
 * Who a frame is, across builds.
 *
 * Go: own is package `main`, and every package that is neither in the standard library, nor in the module cache (a file in
 * `/pkg/mod/` or with a version, `x@v1.2.3/`), nor vendored; with `ownCode`, package `main` and the packages below these
 * import paths, and nothing else.
 * Node: own is every file that is not in `node_modules`, not absolute (layers, `/var/runtime`), and not Node's (`node:`);
 * with `ownCode`, the files below these directories, wherever they are.
 * Other languages: own is what has a file that is not in a well-known library directory; with `ownCode`, files or names
 * that begin so.
 */
export function classifyFrame(frame: FrameName, language: Language, ownCode?: OwnCode): FrameClass {
  const name = (frame.name || frame.systemName).slice(0, MAX_PARSED);
  if (name === '') return described('library', unsymbolized(frame), frame);
  const pseudo = PSEUDO.get(name);
  if (pseudo !== undefined) return described(pseudo, name, frame);
  if (language === 'go') return classifyGo(name, frame, ownCode);
  if (language === 'node') return classifyNode(name, frame, ownCode);
  return classifyOther(name, frame, ownCode);
}

/** Frames that samplers make up. */
const PSEUDO = new Map<string, FrameKind>([
  ['(garbage collector)', 'gc'],
  ['(idle)', 'idle'],
  ['(program)', 'runtime'],
  ['(root)', 'runtime'],
  ['(external)', 'runtime'],
]);

function described(kind: FrameKind, key: string, frame: FrameName, display = key): FrameClass {
  return { kind, key: cut(key), display: cut(display), file: frame.file, line: frame.line };
}

function cut(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
}

function unsymbolized({ mapping }: FrameName): string {
  return `[${mapping.slice(mapping.lastIndexOf('/') + 1) || 'unknown'}]`;
}

// ---- Go

/** Top directories of Go's standard library (1.26), apart from the runtime. */
const GO_STANDARD = new Set(
  (
    'archive arena bufio builtin bytes cmp compress container context crypto database debug embed encoding errors ' +
    'expvar flag fmt go hash html image index internal io iter log maps math mime net os path plugin reflect regexp ' +
    'simd slices sort strconv strings structs sync syscall testing text time unicode unique unsafe vendor weak'
  ).split(' '),
);

/** Packages of functions for comparing and hashing types. */
const GO_GENERATED = new Set(['type:', 'type', 'go:', 'go']);

/** Where background work of Go's garbage collector begins. */
const GO_COLLECTOR = new Set(['runtime.gcBgMarkWorker', 'runtime.bgsweep', 'runtime.bgscavenge', 'runtime.gcStart']);

/** Where runtime/pprof writes down the samples of a CPU profile: it runs only because somebody profiles. */
const GO_PROFILER = 'runtime/pprof.profileWriter';

function classifyGo(name: string, frame: FrameName, ownCode: OwnCode | undefined): FrameClass {
  const key = canonicalGoName(name) || name;
  const path = goImportPath(key);
  if (GO_COLLECTOR.has(key)) return described('gc', key, frame);
  if (key === GO_PROFILER) return described('agent', key, frame);
  return described(goKind(path, frame, ownCode), key, frame, shortGoName(key, path));
}

function goKind(path: string, { file }: FrameName, ownCode: OwnCode | undefined): FrameKind {
  if (path.includes('lambda-profile-action/agents/go')) return 'agent';
  if (path === 'main') return 'own';
  if (path === 'runtime' || path.startsWith('runtime/') || path.startsWith('internal/runtime/')) return 'runtime';
  if (path === '' || GO_GENERATED.has(path)) return 'runtime'; // assembly, C, and what the compiler writes
  if (ownCode !== undefined)
    return ownCode.prefixes.some((prefix) => isBelow(path, canonicalGoPath(prefix))) ? 'own' : 'library';
  const slash = path.indexOf('/');
  if (GO_STANDARD.has(slash < 0 ? path : path.slice(0, slash))) return 'library';
  const vendored = file.startsWith('vendor/') || file.includes('/vendor/');
  return vendored || file.includes('/pkg/mod/') || /@v\d/.test(file) ? 'library' : 'own';
}

function isBelow(path: string, prefix: string): boolean {
  const directory = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  return path === directory || path.startsWith(`${directory}/`);
}

/**
 * A Go function name without what the compiler numbers: closures lose their ordinals (`f.func2.1` is `f.func`), wrappers
 * (`f.gowrap1`, `f.deferwrap2`, `f-range3`, `m-fm`) their suffix, `init.0` its number, generics their shapes
 * (`F[go.shape.int]` is `F[...]`), vendored packages the path they were vendored into, and modules their major version.
 */
export function canonicalGoName(name: string): string {
  let canonical = withoutNumbering(name);
  // Hostile names hide one suffix behind another; those that Go writes are done after the first pass.
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const again = withoutNumbering(canonical);
    if (again === canonical) return canonical;
    canonical = again;
  }
  return canonical;
}

const MAX_PASSES = 16;

function withoutNumbering(name: string): string {
  const generic = withoutBrackets(name);
  const path = goImportPath(generic);
  const rest = generic
    .slice(path.length)
    .split('.')
    .map(canonicalGoPart)
    .filter((part, i) => i === 0 || part !== '')
    .join('.');
  return canonicalGoPath(path) + withoutRepeated(rest, '.func').replaceAll('[]', '[...]');
}

// Type arguments may contain dots, slashes and brackets: F[go.shape.int] becomes F[] until its parts are told apart.
function withoutBrackets(name: string): string {
  const open = name.indexOf('[');
  if (open <= 0) return name;
  let result = name.slice(0, open);
  let depth = 0;
  for (let i = open; i < name.length; i++) {
    const char = name[i]!;
    if (char === '[') {
      if (depth++ === 0) result += '[]';
    } else if (char === ']' && depth > 0) depth--;
    else if (depth === 0) result += char;
  }
  return result;
}

/** The import path of a function name: up to the first dot after the last slash. Dots in the path itself are escaped by Go. */
export function goImportPath(name: string): string {
  const bracket = name.indexOf('[');
  const paren = name.indexOf('(');
  const end = Math.min(bracket < 0 ? name.length : bracket, paren < 0 ? name.length : paren);
  const slash = name.lastIndexOf('/', end);
  const dot = name.indexOf('.', slash + 1);
  return dot < 0 || dot > end ? '' : name.slice(0, dot);
}

function canonicalGoPath(path: string): string {
  const vendored = path.lastIndexOf('/vendor/');
  const plain = vendored >= 0 ? path.slice(vendored + 8) : path.startsWith('vendor/') ? path.slice(7) : path;
  return plain
    .split('/')
    .filter((part, i) => i === 0 || part === 'v0' || part === 'v1' || !isNumbered(part, 'v'))
    .map((part) => withoutMajor(part))
    .join('/')
    .replaceAll('%2e', '.');
}

// gopkg.in/yaml.v3 (escaped as yaml%2ev3 in names)
function withoutMajor(part: string): string {
  const at = part.lastIndexOf('%2e');
  return at > 0 && isNumbered(part.slice(at + 3), 'v') ? part.slice(0, at) : part;
}

function canonicalGoPart(part: string): string {
  const dash = part.indexOf('-range');
  let plain = dash >= 0 ? part.slice(0, dash) : part;
  while (plain.endsWith('-fm')) plain = plain.slice(0, -3);
  if (isDigits(plain)) return '';
  if (isNumbered(plain, 'gowrap') || isNumbered(plain, 'deferwrap')) return '';
  return isNumbered(plain, 'func') ? 'func' : plain;
}

function withoutRepeated(text: string, part: string): string {
  let result = text;
  while (result.endsWith(part + part)) result = result.slice(0, -part.length);
  return result;
}

// `github.com/octo-org/orders/internal/pricing.(*Table).Lookup` reads better as `pricing.(*Table).Lookup`.
function shortGoName(key: string, path: string): string {
  const canonical = canonicalGoPath(path);
  return key.slice(canonical.lastIndexOf('/') + 1);
}

function isNumbered(text: string, prefix: string): boolean {
  return text.startsWith(prefix) && text.length > prefix.length && isDigits(text.slice(prefix.length));
}

function isDigits(text: string): boolean {
  if (text === '') return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 48 || text.charCodeAt(i) > 57) return false;
  return true;
}

// ---- Node

/** Names that say nothing without the file they are in. */
const GENERIC_NAMES = new Set(
  (
    'handler default get set run main init start next then callback cb fn done constructor execute process update create ' +
    'toString toJSON valueOf wrapper'
  ).split(' '),
);

function classifyNode(name: string, frame: FrameName, ownCode: OwnCode | undefined): FrameClass {
  const file = frame.file.startsWith('file://') ? frame.file.slice(7) : frame.file;
  const plain = canonicalNodeName(name);
  const kind = nodeKind(file, ownCode);
  if (kind === 'runtime') {
    const where = file.startsWith('node:') ? file : stem(file);
    return described(kind, where === '' ? plain : `${plain} (${where})`, frame);
  }
  const stable = plain === '' || GENERIC_NAMES.has(plain) || plain.length < 3 ? inFile(plain, file) : plain;
  if (kind === 'library') return described(kind, `${stable} (${nodePackage(file)})`, frame);
  const named = described(kind, stable, frame);
  return named.kind === 'own' && plain === '' ? { ...named, nameless: true } : named;
}

function nodeKind(file: string, ownCode: OwnCode | undefined): FrameKind {
  if (file.includes('/lambda-profile/') && (file.startsWith('/') || file.includes('node_modules/'))) return 'agent';
  if (file === '' || file.startsWith('node:') || file.startsWith('internal/')) return 'runtime';
  if (file.startsWith('/var/runtime/') || file.includes('aws-lambda-ric') || file.includes('/rapid-client.'))
    return 'runtime';
  if (ownCode !== undefined) return ownCode.prefixes.some((prefix) => isBelow(file, prefix)) ? 'own' : 'library';
  if (file.startsWith('node_modules/') || file.includes('/node_modules/')) return 'library';
  if (file.startsWith('/') && !file.startsWith('/var/task/')) return 'library';
  return 'own';
}

/**
 * A function name without what V8, a profiler or a bundler adds: `async `, `bound `, `exports.`, `Object.`, the line and
 * column of an anonymous function, and the suffix `$1` that keeps bundled names apart. '' for an anonymous function.
 */
export function canonicalNodeName(name: string): string {
  let plain = name;
  for (const prefix of NODE_PREFIXES) if (plain.startsWith(prefix)) plain = plain.slice(prefix.length);
  plain = plain.replaceAll('.prototype.', '.');
  const colon = plain.indexOf(':L#');
  if (plain.startsWith('(anonymous') || plain.startsWith('<anonymous')) return '';
  if (colon > 0) plain = plain.slice(0, colon);
  const dollar = plain.lastIndexOf('$');
  if (dollar > 0 && isDigits(plain.slice(dollar + 1))) plain = plain.slice(0, dollar);
  return plain;
}

const NODE_PREFIXES = ['async ', 'bound ', 'module.', 'exports.', 'Object.'];

function inFile(name: string, file: string): string {
  const where = stem(file);
  return `${name === '' ? '(anonymous)' : name}${where === '' ? '' : ` in ${where}`}`;
}

/** The name of a file without directory, extension and content hash: `dist/index-3fa9c1.mjs` is `index`. */
function stem(file: string): string {
  const base = file.slice(file.lastIndexOf('/') + 1);
  const dot = base.indexOf('.', 1);
  const plain = dot < 0 ? base : base.slice(0, dot);
  const dash = Math.max(plain.lastIndexOf('-'), plain.lastIndexOf('_'));
  if (dash <= 0) return plain;
  const suffix = plain.slice(dash + 1);
  return suffix.length >= 6 && suffix.length <= 64 && isHash(suffix) ? plain.slice(0, dash) : plain;
}

// A content hash is one run of letters and digits, with at least one digit.
function isHash(text: string): boolean {
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 48 && code <= 57) digits++;
    else if (!((code >= 65 && code <= 90) || (code >= 97 && code <= 122))) return false;
  }
  return digits > 0;
}

/** The package a bundled file belongs to, or the layer it is in. */
function nodePackage(file: string): string {
  const at = file.lastIndexOf('node_modules/');
  const parts = (at < 0 ? file : file.slice(at + 13)).split('/').filter((part) => part !== '');
  if (parts[0]?.startsWith('@') && parts[1] !== undefined) return `${parts[0]}/${parts[1]}`;
  return at < 0 ? parts.slice(0, 2).join('/') : (parts[0] ?? file);
}

// ---- Other languages

function classifyOther(name: string, frame: FrameName, ownCode: OwnCode | undefined): FrameClass {
  const { file } = frame;
  if (ownCode !== undefined) {
    const own = ownCode.prefixes.some((prefix) => isBelow(file, prefix) || name.startsWith(prefix));
    return described(own ? 'own' : 'library', name, frame);
  }
  const foreign = file === '' || LIBRARY_DIRECTORIES.some((directory) => file.includes(directory));
  return described(foreign ? 'library' : 'own', name, frame);
}

const LIBRARY_DIRECTORIES = ['/usr/', '/opt/', '/lib/', '/var/lang/', '/var/runtime/', 'site-packages/', '/gems/'];
