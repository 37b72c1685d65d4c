/**
 * Bundles the interactive part of the page into `src/report/flamegraph/viewer.generated.ts`, as a string: the page is
 * one file, and its content security policy names the hash of these very bytes. Run after a change of the viewer:
 * `node build/viewer.ts`.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const directory = fileURLToPath(new URL('../src/report/flamegraph/', import.meta.url));

/** The text of `viewer.generated.ts`. */
export async function renderViewerModule(): Promise<string> {
  const build = await rolldown({
    input: `${directory}viewer/main.ts`,
    platform: 'browser',
    cwd: directory,
    transform: { target: 'es2022' },
    logLevel: 'warn',
  });
  const { output } = await build.generate({ format: 'iife', minify: true, comments: false });
  await build.close();
  const script = output[0].code.trim();
  if (/<\/script|<!--/i.test(script)) {
    throw new Error('Cannot embed the viewer: its code holds the text of a closing script tag or a comment.');
  }
  const literal = script.replace(/[\\`]|\$(?=\{)/g, '\\$&');
  return `// Written by build/viewer.ts from viewer/main.ts.\nexport const viewerScript: string = \`${literal}\`;\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(`${directory}viewer.generated.ts`, await renderViewerModule());
}
