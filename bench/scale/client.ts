/** One step of the gate, as a process of its own: `client.ts STEP BUCKET`. Prints what it found. */
import { S3Client } from '@aws-sdk/client-s3';
import { createGitHub } from '../../src/github/client.ts';
import { fetchBaselineCommits } from '../../src/github/commits.ts';
import type { GitHubContext } from '../../src/github/context.ts';
import { publishStickyComment } from '../../src/github/sticky-comment.ts';
import { createAccount } from '../../src/lambda/account.ts';
import { fetchBaseline } from '../../src/recordings/baseline.ts';
import { createRecording } from '../../src/recordings/recording.ts';
import { storeRecording } from '../../src/recordings/store.ts';
import { commentMarker } from '../../src/report/comment.ts';
import { collectSnapshots, listSnapshots } from '../../src/snapshots/collect.ts';

const [step, bucket = ''] = process.argv.slice(2);
const s3 = new S3Client({ forcePathStyle: true });
const place = { bucket, prefix: 'lambda-profile/recordings', functionName: 'orders', key: '' };
const repository = { owner: 'octo-org', name: 'shop', serverUrl: 'https://github.example.com' };
const github = () => createGitHub(process.env.INPUT_TOKEN!, process.env.GITHUB_API_URL!, () => {});

async function baseline(): Promise<string> {
  const context = { repository, sha: process.env.GITHUB_SHA!, defaultBranch: 'main' } as GitHubContext;
  const { commits } = await fetchBaselineCommits(github(), context, context.sha, '');
  const found = await fetchBaseline(s3, place, commits);
  return `${commits.length} ancestors, ${found ? `baseline at ${found.distance}` : 'no baseline'}`;
}

async function comment(): Promise<string> {
  const run = { id: 7, attempt: 1 };
  const report = { key: 'orders', run: { ...run, url: '' }, commit: 'c' };
  const body = `${commentMarker(report)}\nDone.`;
  const jitter = { sleep: async () => {}, random: () => 0 };
  const result = await publishStickyComment(
    github(),
    repository,
    { pullRequest: Number(process.env.PULL_REQUEST), key: 'orders', run, body, create: true },
    jitter,
  );
  return result.outcome;
}

async function collect(): Promise<string> {
  const source = { bucket, prefix: 'sparta/pprof', stack: 'orders', types: ['cpu' as const] };
  const collected = await collectSnapshots(s3, { source, before: [], run: 'run-1', functionName: 'orders' });
  const { snapshots } = collected;
  const account = createAccount();
  const recording = createRecording({
    ...{ tool: 'bench', key: '', commit: 'c'.repeat(40), run: 'run-1', measuredAt: new Date().toISOString() },
    target: {
      ...{ functionName: 'orders', invokeName: 'orders', version: '1', region: 'eu-west-1', codeSha256: 'x' },
      ...{ memoryMb: 512, timeoutSeconds: 10, architecture: 'x86_64', runtime: 'provided.al2023' },
    },
    ...{ snapshots, account },
  });
  await storeRecording(s3, place, recording);
  return `${snapshots.length} snapshots, ${recording.profiles.get('cpu')?.sampleCount} stacks`;
}

async function list(): Promise<string> {
  const source = { bucket, prefix: 'sparta/pprof', stack: 'orders', types: ['cpu' as const] };
  const plan = { source, before: await listSnapshots(s3, source), run: 'run-1', functionName: 'orders' };
  const { snapshots } = await collectSnapshots(s3, plan);
  return `${plan.before.length} listed, ${snapshots.length} new`;
}

const steps: Record<string, () => Promise<string>> = { baseline, comment, collect, list };
console.log(await steps[step!]!());
