import pc from 'picocolors';
import { EXIT, endingOf } from './cli/exit.ts';
import { createProgram } from './cli/program.ts';
import { inert, type Shell } from './cli/shell.ts';
import { systemClock } from './clock.ts';

const { stdin, stdout, stderr, env } = process;

const SHOW_CURSOR = '\u001b[?25h';
const interrupt = (): void => {
  if (stdout.isTTY) stdout.write(SHOW_CURSOR);
  process.exit(EXIT.interrupted);
};
process.once('SIGINT', interrupt);

const shell: Shell = {
  env,
  clock: systemClock,
  print: (text) => void stdout.write(text),
  say: (line) => void stderr.write(`${line}\n`),
  ...(stderr.isTTY && !env.CI && { draw: (text: string) => void stderr.write(text) }),
  interactive: Boolean(stdin.isTTY && stdout.isTTY && !env.CI),
  color: pc.isColorSupported,
  takeSignals() {
    process.removeListener('SIGINT', interrupt);
    return process;
  },
  columns: stdout.columns ?? 80,
};

// Whoever reads may stop reading: `lambda-profile top x.pb.gz | head`.
for (const stream of [stdout, stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });

try {
  await createProgram(shell).parseAsync(process.argv);
} catch (error) {
  const { exitCode, message } = endingOf(error);
  for (const line of message.split('\n')) if (line !== '') shell.say(inert(line));
  process.exitCode = exitCode;
}
