import { describe, expect, it } from 'vitest';
import { classifyFrame } from '../../src/pprof/frames.ts';

const kindOf = (name: string): string =>
  classifyFrame({ name, systemName: name, file: '', line: 1, mapping: '' }, 'go').kind;

describe("classifyFrame() of a Go function's agent", () => {
  it.each([
    'github.com/org/lambda-profile-action/agents/go.(*proxy).serve',
    'github.com/org/lambda-profile-action/agents/go.startProxy.(*WaitGroup).Go.func1',
    'github.com/org/lambda-profile-action/agents/go.ScheduleProfileLoop',
    'runtime/pprof.profileWriter',
  ])('%s is the agent', (name) => expect(kindOf(name)).toBe('agent'));

  it.each([
    ['runtime/pprof.Do', 'runtime'],
    ['github.com/aws/aws-lambda-go/lambda.handleInvoke', 'own'],
    ['main.main', 'own'],
  ])('%s is %s', (name, kind) => expect(kindOf(name)).toBe(kind));
});
