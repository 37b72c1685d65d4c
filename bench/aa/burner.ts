/**
 * Noise from another process: spins in bursts of random length on one core. Ends with its standard input, and after
 * `seconds` at the latest. Usage: node bench/aa/burner.ts SECONDS
 */
import { seededRandom } from '../../src/seeded-random.ts';

const endMs = performance.now() + Number(process.argv[2] ?? 60) * 1000;
const random = seededRandom('burner');
process.stdin.on('end', () => process.exit()).resume();

const BURST_MS = 400;
const PAUSE_MS = 300;

function burst(): void {
  if (performance.now() > endMs) process.exit();
  const untilMs = performance.now() + BURST_MS * random();
  let spun = 1;
  while (performance.now() < untilMs) spun = Math.imul(spun, 0x01000193) ^ 1;
  setTimeout(burst, PAUSE_MS * random());
}

burst();
