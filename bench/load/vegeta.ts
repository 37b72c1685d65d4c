import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../../.cache/go', import.meta.url));

/** Pinned, so that ratios of two days compare. */
const VEGETA = { module: 'github.com/tsenart/vegeta/v12', version: 'v12.12.0' };

/** Path of vegeta, installed with Go into the checkout's cache when it is not there; why not, when that fails. */
export function installVegeta(): { path: string } | { missing: string } {
  const path = `${cache}/bin/vegeta`;
  if (existsSync(path)) return { path };
  const build = `${cache}/vegeta`;
  try {
    mkdirSync(build, { recursive: true });
    // A module of our own that requires the version: `go install …@version` would ask for the list of versions too.
    writeFileSync(`${build}/go.mod`, `module bench\n\ngo 1.22\n\nrequire ${VEGETA.module} ${VEGETA.version}\n`);
    execFileSync('go', ['install', '-mod=mod', VEGETA.module], {
      cwd: build,
      env: { ...process.env, GOBIN: `${cache}/bin` },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 300_000,
    });
    return { path };
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer };
    if (code === 'ENOENT') return { missing: 'Go is not installed' };
    return { missing: `go install failed: ${String(stderr).trim().split('\n').at(-1)}` };
  }
}

/** What vegeta reports of an attack, latencies in ms, and what its process used. */
export interface Attack {
  ratePerSecond: number;
  throughputPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  cpuMsPerCall: number;
}

/**
 * Sends the Invoke request of the loopback endpoint at a constant rate; rate 0 means as fast as `workers` can.
 * The same method, path, headers and body as the AWS SDK sends, without a signature.
 */
export function attack(path: string, url: string, rate: number, seconds: number, workers: number): Attack {
  const target = `${JSON.stringify({
    method: 'POST',
    url: `${url}/2015-03-31/functions/orders/invocations?Qualifier=7`,
    header: { 'Content-Type': ['application/octet-stream'], 'X-Amz-Log-Type': ['Tail'] },
    body: Buffer.from('{}').toString('base64'),
  })}\n`;
  const args = ['attack', '-format=json', `-duration=${seconds}s`, `-rate=${rate}`];
  args.push(`-workers=${workers}`, ...(rate === 0 ? [`-max-workers=${workers}`] : []));
  const { results, cpuMs } = timed([path, ...args], target);
  const report = JSON.parse(execFileSync(path, ['report', '-type=json'], { input: results }).toString()) as {
    requests: number;
    rate: number;
    throughput: number;
    latencies: { '50th': number; '99th': number };
  };
  return {
    ratePerSecond: report.rate,
    throughputPerSecond: report.throughput,
    p50Ms: report.latencies['50th'] / 1e6,
    p99Ms: report.latencies['99th'] / 1e6,
    cpuMsPerCall: cpuMs / report.requests,
  };
}

/** Runs a command under bash's `time`, whose two numbers are the last line of its stderr. */
function timed(command: string[], input: string): { results: Buffer; cpuMs: number } {
  const script = 'TIMEFORMAT="%U %S"; time "$@"';
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script, 'bash', ...command], {
    input,
    maxBuffer: 1 << 30,
  });
  if (status !== 0) throw new Error(`vegeta failed: ${stderr.toString().slice(0, 500)}`);
  const [user, system] = stderr.toString().trim().split('\n').at(-1)!.split(' ').map(Number) as [number, number];
  return { results: stdout, cpuMs: (user + system) * 1000 };
}
