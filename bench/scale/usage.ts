/** Imported before what is measured: tells the process's largest memory when it ends, to the file that USAGE_FILE names. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

process.on('exit', () => {
  writeFileSync(process.env.USAGE_FILE!, String(largestMemoryBytes()));
});

/** On Linux, rusage counts the memory of the process that started this one, too. */
function largestMemoryBytes(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return Number(kibibytes) * 1024;
}
