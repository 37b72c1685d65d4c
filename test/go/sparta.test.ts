import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { weighRecording } from '../../src/recordings/side.ts';
import { buildGo, GO_FUNCTIONS, goVersion } from './build.ts';
import { BUCKET, type GoCloud, recordingOf, startGoCloud } from './cloud.ts';

const go = await goVersion();
if (!go) console.warn("Go is not on PATH: the test of a producer with Sparta's loop is skipped.");

describe.skipIf(!go)(
  'a function that publishes as Sparta does, from timers that stand still while it is frozen',
  () => {
    let cloud: GoCloud;
    let bootstrap: Uint8Array;
    beforeAll(async () => {
      cloud = await startGoCloud();
      bootstrap = await buildGo(GO_FUNCTIONS.sparta);
    }, 600_000);
    afterAll(() => cloud?.close());

    it.each([
      ['λ-', ''],
      ['i-', '1'],
    ])('is measured by keeping it busy, instances called %s…', async (form, legacyText) => {
      const stack = `shop${form.length}${legacyText}`;
      const target = await cloud.deploy(`sparta${stack}`, bootstrap, {
        SPARTA_STACK_NAME: stack,
        SPARTA_PROFILE_BUCKET_NAME: BUCKET,
        INSTANCE_FORM: form,
        LEGACY_TEXT: legacyText,
        INTERVAL: '100ms',
        CPU_DURATION: '200ms',
      });
      const types = ['cpu', 'heap', 'goroutine', 'threadcreate', 'block', 'mutex'] as const;
      const measured = await cloud.measure(target, {
        invocations: 40,
        concurrency: 2,
        types: [...types],
        stack,
        waitTimeoutMs: 20_000,
      });
      expect(measured.skipped).toEqual([]);
      expect(measured.snapshots.every(({ window }) => window === undefined)).toBe(true);
      const instances = new Set(measured.snapshots.map(({ instance }) => instance));
      expect(instances.size).toBe(2);
      for (const instance of instances) {
        expect(instance).toMatch(new RegExp(`^${form}\\d{1,19}$`));
        const published = new Set(
          measured.snapshots.filter((one) => one.instance === instance).map(({ type }) => type),
        );
        expect([...published].sort()).toEqual([...types].sort());
      }
      expect(measured.warnings).toEqual([expect.stringContaining('do not say how many invocations')]);

      const recording = recordingOf(target, measured);
      expect(recording.manifest.instances).toMatchObject([{ invocations: 20 }, { invocations: 20 }]);
      expect(recording.manifest.load).toMatchObject({ succeeded: 40, coverage: null });
      const owners = weighRecording(recording)!.owners.map(({ key }) => key);
      expect(owners).toContain('main.sortWords');
      expect(cloud.cloud.s3.requests.filter(({ operation }) => operation.startsWith('Delete'))).toEqual([]);
    });
  },
);
