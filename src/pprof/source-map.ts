import { originalPositionFor, sourceContentFor, TraceMap, traceSegment } from '@jridgewell/trace-mapping';
import type { Declaration } from './map-frames.ts';

/** A bundle and its source map, both as text. */
export interface Bundle {
  code: string;
  map: string;
  /** Directory of the map in the repository, '' for its root: sources are relative to it. */
  directory: string;
}

/** Translates the declarations of one bundle. */
export interface BundleTranslator {
  translate(declaration: Declaration): Declaration | undefined;
  /** Of the named functions, how many are declared under that name where the bundle has it: 0 to 1; 1 when none is named. */
  agreement(declarations: Iterable<Declaration>): number;
}

/**
 * Where functions of a bundle come from. V8 says of a function where its parameters begin; what stands before them in the
 * bundle is its name there, and what the map has for that name is its name in the source.
 * @throws Error when the map is none
 */
export function createBundleTranslator({ code, map, directory }: Bundle): BundleTranslator {
  const trace = new TraceMap(map);
  const lines = code.split('\n');
  const identifierOf = ({ line, column }: Declaration) => identifierAt(lines[line - 1] ?? '', column - 1);
  return {
    translate(declaration) {
      const { name, line, column } = declaration;
      if (line < 1 || column < 1) return undefined;
      const identifier = identifierOf(declaration);
      const named = identifier && traceSegment(trace, line - 1, identifier.column);
      const isExact = identifier !== undefined && named?.[0] === identifier.column;
      const at = originalPositionFor(trace, { line, column: isExact ? identifier.column : column - 1 });
      if (at.source === null) return undefined;
      const original = isExact && name !== '' ? (at.name ?? identifierIn(trace, at.source, at)) : undefined;
      const file = repositoryPath(at.source, directory);
      return { name: original ?? name, file, line: at.line, column: at.column + 1 };
    },
    agreement(declarations) {
      let named = 0;
      let alike = 0;
      for (const declaration of declarations) {
        const name = declaration.name.slice(declaration.name.lastIndexOf('.') + 1).replace(/^(async|get|set) /, '');
        if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)) continue;
        named++;
        if (identifierOf(declaration)?.name === name) alike++;
      }
      return named === 0 ? 1 : alike / named;
    },
  };
}

/** What a line is searched for a name: names and what stands between them and the parameters are short. */
const REACH = 300;
const NAME = '([\\p{ID_Start}$_][\\p{ID_Continue}$]*)';
/** `name = (`, `name: async function (` */
const ASSIGNED = new RegExp(`${NAME}\\s*[=:]\\s*(?:async\\s*)?(?:function\\s*\\*?\\s*)?$`, 'u');
/** `function name(`, `name(` of a method */
const DECLARED = new RegExp(`${NAME}\\s*$`, 'u');
const CLASS = new RegExp(`^class\\s+${NAME}`, 'u');

/** The name a function is declared with, where its parameters (or its `class`) begin at a column, counted from 0. */
function identifierAt(line: string, column: number): { name: string; column: number } | undefined {
  const isClass = CLASS.exec(line.slice(column, column + REACH));
  if (isClass) return { name: isClass[1]!, column: column + isClass[0].length - isClass[1]!.length };
  const from = Math.max(0, column - REACH);
  const before = line.slice(from, column);
  const found = ASSIGNED.exec(before) ?? DECLARED.exec(before);
  if (!found || found[1] === 'function' || found[1] === 'async') return undefined;
  return { name: found[1]!, column: from + found.index };
}

/** Maps without names have the source instead. */
function identifierIn(trace: TraceMap, source: string, at: { line: number; column: number }): string | undefined {
  const line = sourceContentFor(trace, source)?.split('\n', at.line)[at.line - 1];
  const found = new RegExp(`^${NAME}`, 'u').exec(line?.slice(at.column, at.column + REACH) ?? '')?.[1];
  return found === 'function' || found === 'async' || found === 'class' ? undefined : found;
}

/**
 * The path of a source in the repository. It is only a name, never opened: what leads out of the repository is cut off at
 * its root, and a URL (`webpack://app/./src/tax.ts`) loses scheme and host.
 */
function repositoryPath(source: string, directory: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\/[^/]*\//i.exec(source);
  const path = url ? source.slice(url[0].length) : source.startsWith('/') ? source : `${directory}/${source}`;
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments.join('/').slice(0, MAX_PATH);
}

const MAX_PATH = 512;
