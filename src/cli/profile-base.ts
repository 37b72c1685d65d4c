import type { S3Client } from '@aws-sdk/client-s3';
import { ConfigurationError, MeasurementError } from '../errors.ts';
import type { Profile } from '../pprof/columns.ts';
import { fetchBaseline } from '../recordings/baseline.ts';
import type { Recording } from '../recordings/recording.ts';
import { invocationsOf } from '../recordings/side.ts';
import { fetchRecording, type RecordingPlace } from '../recordings/store.ts';
import type { ProfileType } from '../snapshots/layout.ts';
import * as git from './local-git.ts';
import { readProfiles } from './profile-files.ts';
import { dividedBy } from './profile-view.ts';
import { choose } from './questions.ts';
import { listRecordings, type StoredRecording } from './recordings-run.ts';
import { counted, type Shell } from './shell.ts';
import { formatAge } from './table.ts';

/** What a profile is compared with. */
export interface ComparedProfile {
  profile: Profile;
  /** 0 where nobody counted. */
  invocations: number;
  title: string;
  /** The value of --base that says the same. */
  choice: string;
}

/**
 * Fifth question: compare with nothing, the recording of the base branch, that of a commit, or a file. Where nobody can
 * be asked and nothing is given, with nothing.
 */
export async function fetchCompared(
  s3: S3Client,
  place: RecordingPlace,
  type: ProfileType,
  given: string | undefined,
  shell: Shell,
): Promise<ComparedProfile | undefined> {
  if (given === undefined && !shell.interactive) return undefined;
  const choice = given ?? (await chooseBase(s3, place, shell));
  if (choice === 'none') return undefined;
  if (choice === 'branch') return ofRecording(await fetchOfBranch(s3, place, shell), type, 'branch');
  if (/^[0-9a-f]{4,64}$/.test(choice)) {
    const { commit } = await findRecording(s3, place, choice);
    const recording = await fetchRecording(s3, place, commit);
    if (recording) return ofRecording(recording, type, choice);
  }
  const profile = await readProfiles([choice], shell);
  return { profile, invocations: dividedBy(profile).invocations?.head ?? 0, title: choice, choice };
}

async function chooseBase(s3: S3Client, place: RecordingPlace, shell: Shell): Promise<string> {
  const stored = (await listRecordings(s3, place.bucket, place.prefix, folderOf(place))).filter(
    ({ complete }) => complete,
  );
  if (stored.length === 0) return 'none';
  const nowMs = shell.clock.nowMs();
  const choices = [
    { value: 'none', label: 'Nothing' },
    { value: 'branch', label: 'The base branch', hint: "the recording of this checkout's merge base" },
    ...stored.map(({ commit, storedMs }) => ({
      value: commit,
      label: `Recording of ${commit.slice(0, 7)}`,
      hint: `${formatAge(nowMs - storedMs)} ago`,
    })),
  ];
  return choose({ text: 'Compare with?', flag: '--base', choices }, shell);
}

function folderOf({ functionName, key }: RecordingPlace): string {
  return key ? `${functionName}.${key}` : functionName;
}

async function findRecording(s3: S3Client, place: RecordingPlace, commit: string): Promise<StoredRecording> {
  const stored = await listRecordings(s3, place.bucket, place.prefix, folderOf(place));
  const [found, ...more] = stored.filter((one) => one.complete && one.commit.startsWith(commit));
  if (found === undefined)
    throw new MeasurementError(
      `Cannot find a recording of ${commit} of ${folderOf(place)}.`,
      `\`lambda-profile recordings list ${folderOf(place)}\` lists those there are.`,
    );
  if (more.length > 0)
    throw new ConfigurationError(
      `Cannot tell which recording: ${counted(more.length + 1, 'commit')} begin with ${commit}.`,
    );
  return found;
}

async function fetchOfBranch(s3: S3Client, place: RecordingPlace, shell: Shell): Promise<Recording> {
  const head = git.resolveCommit(git.localGit, 'HEAD');
  const branch = git.defaultBranch(git.localGit);
  const { commits, relation } = git.baselineCommits(git.localGit, head, branch);
  const baseline = await fetchBaseline(s3, place, commits);
  if (baseline) {
    const { recording, distance } = baseline;
    const before = distance === 0 ? '' : `, ${counted(distance, 'commit')} before it`;
    shell.say(`Base: recording of ${recording.manifest.commit.slice(0, 7)} (${relation}${before}).`);
    return recording;
  }
  throw new MeasurementError(
    `Cannot find a recording of ${branch} of ${folderOf(place)} in the last ${counted(commits.length, 'commit')}.`,
    'Run `lambda-profile gate --update-baseline` on that branch, or give --base with another recording.',
  );
}

function ofRecording(recording: Recording, type: ProfileType, choice: string): ComparedProfile {
  const { commit } = recording.manifest;
  const profile = recording.profiles.get(type);
  if (profile === undefined)
    throw new MeasurementError(
      `Cannot compare with ${commit.slice(0, 7)}: its recording has no ${type} profile.`,
      'Give another --base, or record that type with profile-types.',
    );
  return { profile, invocations: invocationsOf(recording), title: commit.slice(0, 7), choice };
}
