import { ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '../clock.ts';
import { explainBucketError } from '../snapshots/collect.ts';
import { type RecordingPlace, recordingPath } from './store.ts';

/**
 * Shards of one run meet the same instances. A shard that has sent its calls must not make them publish while another
 * still sends: the others' calls would find them busy and start new ones. So it waits for those that have started.
 */
export interface ShardBarrier {
  /** Tells the others that this shard sends. */
  enter(): Promise<void>;
  /** Tells them that it is done, and waits until all that entered are; for a job that never comes, nobody waits. */
  leave(): Promise<void>;
}

const POLL_MS = 1_000;

/**
 * @param timeoutMs longest wait for the others: a job that was killed never leaves
 */
export function createShardBarrier(
  s3: Pick<S3Client, 'send'>,
  place: RecordingPlace & Required<Pick<RecordingPlace, 'shard'>>,
  commit: string,
  clock: Clock,
  timeoutMs: number,
  stop?: AbortSignal,
): ShardBarrier {
  const { bucket } = place;
  const mine = recordingPath(place, commit);
  const all = mine.slice(0, mine.lastIndexOf('/', mine.length - 2) + 1);
  const mark = async (name: string): Promise<void> => {
    try {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${mine}${name}`, Body: '' }));
    } catch (error) {
      throw explainBucketError(error, `mark the shard in s3://${bucket}/${mine}`, 's3:PutObject', bucket);
    }
  };
  const waitsForOthers = async (): Promise<boolean> => {
    try {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: all }));
      const keys = new Set(Contents.map(({ Key }) => Key ?? ''));
      return [...keys].some((key) => key.endsWith('/sending') && !keys.has(key.replace(/sending$/, 'sent')));
    } catch (error) {
      throw explainBucketError(error, `list s3://${bucket}/${all}`, 's3:ListBucket', bucket);
    }
  };
  return {
    enter: () => mark('sending'),
    async leave() {
      await mark('sent');
      const deadlineMs = clock.monotonicMs() + timeoutMs;
      while (!stop?.aborted && clock.monotonicMs() < deadlineMs && (await waitsForOthers())) await clock.sleep(POLL_MS);
    },
  };
}
