import { Command } from 'commander';
import { VERSION } from '../version.ts';
import { addCollect } from './collect.ts';
import { addDemo } from './demo.ts';
import { addDiff } from './diff.ts';
import { addDoctor } from './doctor.ts';
import { addFlamegraph } from './flamegraph.ts';
import { addGate } from './gate.ts';
import { addIam } from './iam.ts';
import { addInit } from './init.ts';
import { addLoad } from './load.ts';
import { addMerge } from './merge.ts';
import { addProfile } from './profile.ts';
import { addRecordings } from './recordings.ts';
import type { Shell } from './shell.ts';
import { addTop } from './top.ts';

/** The whole command line. Parsing throws CommanderError in place of ending the process. */
export function createProgram(shell: Shell): Command {
  const program = new Command('lambda-profile')
    .description(
      'Measures what a deployed AWS Lambda function spends its CPU on, and tells what a change made slower. Works on any pprof file too.',
    )
    .version(VERSION, '-v, --version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .configureOutput({
      writeOut: (text) => shell.print(text),
      writeErr: (text) => shell.say(text.trimEnd()),
      getOutHelpWidth: () => shell.columns,
      getErrHelpWidth: () => shell.columns,
    })
    .addHelpText(
      'after',
      `
Examples:
  lambda-profile demo                                                  # the whole gate on this machine
  lambda-profile doctor orders --s3-bucket octo-profiles               # is everything there?
  lambda-profile gate orders:live --s3-bucket octo-profiles            # what the Action does
  lambda-profile profile                                               # look at what instances published
  lambda-profile top cpu.pb.gz                                         # any pprof file

Settings that several commands share come from the environment: AWS_REGION, AWS_PROFILE, LAMBDA_PROFILE_BUCKET.`,
    )
    .showHelpAfterError('(see --help)')
    .exitOverride();
  addGate(program, shell);
  addProfile(program, shell);
  addLoad(program, shell);
  addDoctor(program, shell);
  addTop(program, shell);
  addDiff(program, shell);
  addFlamegraph(program, shell);
  addMerge(program, shell);
  addCollect(program, shell);
  addRecordings(program, shell);
  addIam(program, shell);
  addInit(program, shell);
  addDemo(program, shell);
  return program;
}
