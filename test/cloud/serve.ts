/** The loopback cloud as a process, for scripts that drive an endpoint: prints the three URLs, serves until killed. */
import { startGitHub } from './github/server.ts';
import { startLambda } from './lambda/server.ts';
import { startS3 } from './s3/server.ts';

const s3 = await startS3({ accounts: [{ accessKeyId: 'test', secretAccessKey: 'test' }] });
const lambda = await startLambda({ region: 'us-east-1', accountId: '000000000000' });
const github = await startGitHub({
  tokens: [{ token: 'test_token_admin', login: 'github-actions[bot]', type: 'Bot' }],
  repository: { owner: 'octocat', name: 'hello-world' },
});
github.commit({ branch: 'main', files: { 'README.md': '# hello\n' } });
console.log(s3.url, lambda.url, github.url);
