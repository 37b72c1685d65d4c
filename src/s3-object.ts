import { GetObjectCommand, type GetObjectCommandInput, type S3Client } from '@aws-sdk/client-s3';

const ATTEMPTS = 3;

/**
 * An object, whole. The SDK tries again until an answer begins; a body that breaks off, or is not what its checksum
 * says, is asked for again here.
 * @throws what the SDK throws; when only the body is at fault, with HTTP status 200 in `$metadata`
 */
export async function fetchObject(s3: Pick<S3Client, 'send'>, input: GetObjectCommandInput): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    const answer = await s3.send(new GetObjectCommand(input));
    try {
      return await answer.Body!.transformToByteArray();
    } catch (error) {
      if (attempt === ATTEMPTS) throw Object.assign(error as Error, { $metadata: { httpStatusCode: 200 } });
    }
  }
}
