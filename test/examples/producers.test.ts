import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeProfile } from '../../src/pprof/decode.ts';
import { weighProfile } from '../../src/pprof/weigh.ts';
import { parseSnapshotKey } from '../../src/snapshots/layout.ts';

const root = fileURLToPath(new URL('../../examples/producers', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'producers-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function has(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** CPU of a function with what it calls, in ms, of the snapshot in a file. */
function cpuOf(file: string, name: string): number {
  const profile = decodeProfile(readFileSync(join(directory, file)));
  expect(profile.sampleTypes).toMatchObject([
    { type: 'samples', unit: 'count' },
    { type: 'cpu', unit: 'nanoseconds' },
  ]);
  const { names, total } = weighProfile(profile, 'cpu');
  return (total[0]![names.indexOf(name)] ?? 0) / 1e6;
}

describe('examples/producers', () => {
  it.skipIf(!has('python3'))('Python: publishes windows that say where the CPU went', () => {
    const main = `
import math, os, sys, time
sys.path.insert(0, sys.argv[1])
os.environ["AWS_LAMBDA_FUNCTION_NAME"] = "orders"
from profiled import profiled

def price_items():
    return sum(math.log1p(math.sqrt(i)) for i in range(20000))

def handle(event, context):
    until = time.process_time() + 0.05
    while time.process_time() < until:
        price_items()
    return event

def put(key, body):
    print(key)
    with open(os.path.join(sys.argv[2], f"python-{key.split('/')[-1][0]}.profile"), "wb") as file:
        file.write(body)

handler = profiled(handle, put, every=8)
for i in range(16):
    assert handler(i, None) == i
`;
    const keys = execFileSync('python3', ['-B', '-c', main, join(root, 'python'), directory], { encoding: 'utf8' });
    const places = keys
      .trim()
      .split('\n')
      .map((key) => parseSnapshotKey(key, 'sparta/pprof', 'orders'));
    expect(places).toMatchObject([
      { type: 'cpu', slot: 1 },
      { type: 'cpu', slot: 2 },
    ]);
    for (const { slot } of places as { slot: number }[]) {
      const all = cpuOf(`python-${slot}.profile`, 'handler');
      expect(all).toBeGreaterThan(200);
      expect(all).toBeLessThan(800);
      expect(cpuOf(`python-${slot}.profile`, 'price_items') / all).toBeGreaterThan(0.6);
    }
  });

  it.skipIf(!has('javac'))('Java: takes windows that say where the CPU went', () => {
    for (const file of readdirSync(join(root, 'java'))) copyFileSync(join(root, 'java', file), join(directory, file));
    writeFileSync(
      join(directory, 'Main.java'),
      `import java.nio.file.*;
public class Main {
    static volatile double sink;
    static void priceItems() { double sum = 0; for (int i = 0; i < 2_000_000; i++) sum += Math.sin(i) * Math.tan(i); sink = sum; }
    public static void main(String[] arguments) throws Exception {
        var profiler = new Profiler();
        for (int window = 0; window < 2; window++) {
            var clock = java.lang.management.ManagementFactory.getThreadMXBean();
            for (long from = clock.getCurrentThreadCpuTime(); clock.getCurrentThreadCpuTime() - from < 250_000_000L; ) priceItems();
            Files.write(Path.of("java-" + window + ".profile"), profiler.rotate());
        }
    }
}`,
    );
    const sources = ['Main.java', 'Pprof.java', 'Profiler.java'];
    execFileSync('javac', ['-encoding', 'utf8', ...sources], { cwd: directory });
    execFileSync('java', ['Main'], { cwd: directory, stdio: 'ignore' });
    for (const window of [0, 1]) expect(cpuOf(`java-${window}.profile`, 'Main.priceItems')).toBeGreaterThan(0);
  });
});
