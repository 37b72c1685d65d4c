import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';

const COUNTERS = new URL('counters.ts', import.meta.url).href;

interface Node {
  type: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

/** Bundles a module with all it imports, except Node's own modules. @returns JavaScript. */
export async function bundled(entry: string): Promise<string> {
  const build = await rolldown({ input: entry, platform: 'node', logLevel: 'warn' });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false });
  await build.close();
  return output[0].code;
}

/**
 * JavaScript in which every branch calls `branch(id)` of `counters.ts`, and every new typed array goes through
 * `allocated()`. Branches: functions, both sides of `if`, `?:`, the right of `&&`, `||`, `??`, loop bodies, what follows a
 * loop or an `if`, cases, catches.
 */
export function instrument(code: string): { code: string; branches: number } {
  const opening: [at: number, text: string][] = [];
  const closing: [at: number, text: string][] = [];
  let branches = 0;
  // Odd multiples are different modulo 2^16, and far apart.
  const call = () => `$branch(${(++branches * 0x9e37) & 0xffff})`;
  const block = (node: Node, visitIt = true) => {
    if (node.type === 'BlockStatement') opening.push([node.start + 1, `${call()};`]);
    else {
      opening.push([node.start, `{${call()};`]);
      if (visitIt) visit(node);
      closing.push([node.end, '}']);
      return;
    }
    if (visitIt) visit(node);
  };
  const expression = (node: Node) => {
    opening.push([node.start, `(${call()},`]);
    visit(node);
    closing.push([node.end, ')']);
  };
  const isNode = (value: unknown): value is Node =>
    typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
  const children = (node: Node, except: string[] = []) => {
    for (const [field, value] of Object.entries(node)) {
      if (except.includes(field)) continue;
      if (isNode(value)) visit(value);
      else if (Array.isArray(value)) for (const item of value) if (isNode(item)) visit(item);
    }
  };
  const visit = (node: Node): void => {
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression': {
        const body = node.body as Node;
        children(node, ['body']);
        if (body.type === 'FunctionBody' || body.type === 'BlockStatement') {
          const directives = (body.body as Node[]).filter(
            (statement) => 'directive' in statement && statement.directive,
          );
          opening.push([directives.at(-1)?.end ?? body.start + 1, `;${call()};`]);
          visit(body);
        } else expression(body);
        return;
      }
      case 'IfStatement':
        visit(node.test as Node);
        block(node.consequent as Node);
        if (node.alternate) block(node.alternate as Node);
        else closing.push([node.end, `else ${call()};`]);
        return;
      case 'ConditionalExpression':
        visit(node.test as Node);
        expression(node.consequent as Node);
        expression(node.alternate as Node);
        return;
      case 'LogicalExpression':
        visit(node.left as Node);
        expression(node.right as Node);
        return;
      case 'ForStatement':
      case 'ForOfStatement':
      case 'ForInStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
        children(node, ['body']);
        block(node.body as Node);
        return;
      case 'SwitchCase':
        if (node.test) visit(node.test as Node);
        {
          const consequent = node.consequent as Node[];
          const colon = consequent[0]?.start ?? node.end;
          opening.push([colon, `${call()};`]);
          for (const statement of consequent) visit(statement);
        }
        return;
      case 'CatchClause':
        block(node.body as Node);
        return;
      case 'NewExpression': {
        const callee = node.callee as Node;
        const isArray =
          callee.type === 'Identifier' && /^(?:Uint8|Int32|Uint32|BigInt64)Array$/.test(String(callee.name));
        if (isArray) opening.push([node.start, '$allocated(']);
        children(node);
        if (isArray) closing.push([node.end, ')']);
        return;
      }
      default:
        children(node);
    }
  };
  visit(parseAst(code) as unknown as Node);
  const head = `import { branch as $branch, allocated as $allocated } from ${JSON.stringify(COUNTERS)};\n`;
  return { code: head + inserted(code, opening, closing), branches };
}

// At one place, what closes comes before what opens; of two openings the outer, of two closings the inner first.
function inserted(code: string, opening: [number, string][], closing: [number, string][]): string {
  const all = [
    ...closing.map(([at, text], i) => ({ at, text, rank: i })),
    ...opening.map(([at, text], i) => ({ at, text, rank: closing.length + i })),
  ].sort((a, b) => a.at - b.at || a.rank - b.rank);
  let result = '';
  let from = 0;
  for (const { at, text } of all) {
    result += code.slice(from, at) + text;
    from = at;
  }
  return result + code.slice(from);
}

/** The instrumented decoder as a module's source. */
export async function instrumentedTarget(): Promise<{ code: string; branches: number }> {
  return instrument(await bundled(fileURLToPath(new URL('target.ts', import.meta.url))));
}
