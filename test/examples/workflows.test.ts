import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { INPUT_NAMES } from '../../src/settings.ts';

interface Step {
  uses?: string;
  with?: Record<string, unknown>;
}
interface Workflow {
  on: Record<string, unknown>;
  jobs: Record<string, { permissions?: Record<string, string>; steps: Step[] }>;
}

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const inputsOf = (path: string): string[] => Object.keys((parse(read(path)) as { inputs: object }).inputs);
const known = { '': inputsOf('action.yml'), '/comment': inputsOf('comment/action.yml') };

const files = readdirSync(new URL('examples/workflows/', root)).filter((name) => name.endsWith('.yml'));

it('action.yml documents every input that is read, and no other', () => {
  expect(inputsOf('action.yml').sort()).toEqual([...INPUT_NAMES].sort());
});

describe.each(files)('examples/workflows/%s', (file) => {
  const workflow = parse(read(`examples/workflows/${file}`)) as Workflow;
  const jobs = Object.values(workflow.jobs);
  const steps = jobs.flatMap((job) => job.steps ?? []);

  it('gives our actions inputs that exist', () => {
    for (const { uses = '', with: given = {} } of steps) {
      const ours = /^octo-org\/lambda-profile-action(\/comment)?@v1$/.exec(uses);
      if (ours)
        expect(known[(ours[1] ?? '') as keyof typeof known]).toEqual(expect.arrayContaining(Object.keys(given)));
    }
  });

  it('checks nothing out where a stranger decides what that is', () => {
    expect(workflow.on).not.toHaveProperty('pull_request_target');
    if ('workflow_run' in workflow.on)
      expect(steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))).toEqual([]);
  });
});
