import type { Policies, PolicyInput } from '../iam.ts';

const ACTION = 'org/lambda-profile-action@v1';

/** The files that a repository needs, path -> content. The input must have gone through `renderPolicies`. */
export function renderInitFiles(input: PolicyInput, policies: Policies): Record<string, string> {
  const json = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`;
  const folder = '.github/lambda-profile';
  return {
    '.github/workflows/lambda-profile.yml': renderWorkflow(input),
    '.github/lambda-profile.yml': CONFIG,
    [`${folder}/function.json`]: json(policies.function),
    [`${folder}/read.json`]: json(policies.read),
    [`${folder}/read-trust.json`]: json(policies.readTrust),
    [`${folder}/store.json`]: json(policies.store),
    [`${folder}/store-trust.json`]: json(policies.storeTrust),
    [`${folder}/prune.json`]: json(policies.prune),
  };
}

function renderWorkflow({
  functionName,
  region,
  bucket,
  branch,
  stack,
  prefix,
  baselinePrefix,
  payloads,
}: PolicyInput): string {
  const inputs: [string, string, boolean][] = [
    ['function-name', functionName, true],
    ['qualifier', `\${{ steps.deploy.outputs.version }}`, true],
    ['s3-bucket', bucket, true],
    ['stack', stack, stack !== functionName],
    ['s3-prefix', prefix, prefix !== 'sparta/pprof'],
    ['baseline-prefix', baselinePrefix, baselinePrefix !== 'lambda-profile/recordings'],
    ['payload', payloads ?? '', payloads !== undefined],
  ];
  return `# Measures ${functionName} after it was deployed, and says what a change made slower.
name: Lambda profile
on:
  push: { branches: [${yamlWord(branch)}] }
  pull_request:

permissions:
  id-token: write # credentials by OIDC
  contents: read # the commits to compare with
  pull-requests: write # the comment

concurrency: lambda-profile-${functionName}-\${{ github.ref }}

jobs:
  profile:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with: { persist-credentials: false }
      - uses: aws-actions/configure-aws-credentials@7474bc4690e29a8392af63c5b98e7449536d5c3a # v4.3.1
        with:
          # The role of pull requests may not store recordings.
          role-to-assume: \${{ github.event_name == 'push' && vars.LAMBDA_PROFILE_STORE_ROLE || vars.LAMBDA_PROFILE_READ_ROLE }}
          aws-region: ${region}
      - id: deploy
        run: |
          echo "Deploy ${functionName} here, publish a version, and write it to GITHUB_OUTPUT as version=<number>"
          exit 1
      - uses: ${ACTION}
        with:
${inputs
  .filter(([, , shown]) => shown)
  .map(([name, value]) => `          ${name}: ${value.startsWith('$') ? value : yamlWord(value)}`)
  .join('\n')}
`;
}

/** A text that YAML reads as this text: quoted unless it is a plain word. */
function yamlWord(text: string): string {
  const plain = /^[A-Za-z][\w/-]*$/.test(text) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(text);
  return plain ? text : JSON.stringify(text);
}

const CONFIG = `# Policy of the performance gate. Of a pull request, the base branch's file is read.
fail-threshold: 10%
warn-threshold: 5%
min-delta: 0.1ms
`;
