/** `node profile-bundle.ts BUNDLE OUT`: calls the bundle's handler with the Node.js agent's sampler, and writes the profile. */
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeCpuProfile } from '../../agents/node/src/cpu-profile.ts';
import { startCpuSampler } from '../../agents/node/src/cpu-sampler.ts';

const [bundle = '', out = ''] = process.argv.slice(2);
const sampler = startCpuSampler(1000);
const { handler } = (await import(bundle)) as { handler: (units: number) => number };
sampler.setPhase('invocation');
for (const from = process.cpuUsage().user; process.cpuUsage().user - from < 600_000; ) handler(20);
const roots = { task: dirname(bundle), layer: '', runtime: '', agent: '/nowhere' };
const header = { startMs: Date.now(), durationMs: 600, comment: '' };
writeFileSync(out, gzipSync(encodeCpuProfile(sampler.rotate(), 1000, roots, header)));
sampler.stop();
