import { copyResult, encryptionHeaders, versionHeader, XML } from './answers.ts';
import { parseAttributes } from './attributes.ts';
import { type Call, parameter } from './call.ts';
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumHeader,
  compositeChecksum,
  fullObjectChecksum,
  parseAlgorithm,
} from './checksums.ts';
import { checkWrite, parseRange } from './conditions.ts';
import { bucketOf, type Context, type Handler } from './context.ts';
import { S3Error } from './errors.ts';
import { compareUtf8 } from './listing.ts';
import { copySource } from './lookup.ts';
import {
  type Bucket,
  currentVersion,
  etagOf,
  newId,
  type Part,
  putObject,
  type Upload,
  wholeSeconds,
} from './objects.ts';
import type { Operation } from './routing.ts';
import { branch, childrenOf, childText, document, leaf, parseDocument } from './xml.ts';

const MAX_PARTS = 10_000;
const MIN_PART_BYTES = 5 * 1024 * 1024;

export const multipartOperations = {
  CreateMultipartUpload(context) {
    const { call, now } = context;
    const bucket = bucketOf(context);
    const attributes = parseAttributes(call.headers);
    const checksum = announcedChecksum(call);
    const upload: Upload = { ...attributes, id: newId(), key: call.key, initiated: now, checksum, parts: new Map() };
    bucket.uploads.set(upload.id, upload);
    const headers: Record<string, string> = { ...XML, ...encryptionHeaders(upload) };
    if (checksum) {
      headers['x-amz-checksum-algorithm'] = checksum.algorithm;
      headers['x-amz-checksum-type'] = checksum.type;
    }
    const names = [leaf('Bucket', bucket.name), leaf('Key', call.key), leaf('UploadId', upload.id)];
    return { status: 200, headers, body: document('InitiateMultipartUploadResult', ...names) };
  },

  UploadPart(context) {
    const { upload } = uploadOf(context);
    const { bytes, checksum } = context.payload;
    const announced = upload.checksum;
    // A client that announced nothing may send any; one that announced a composite checksum must send it.
    if (announced && announced.algorithm !== checksum?.algorithm && (checksum || announced.type === 'COMPOSITE')) {
      const actual = checksum?.algorithm.toLowerCase() ?? 'null';
      throw new S3Error('InvalidRequest', {
        message: `Checksum Type mismatch occurred, expected checksum Type: ${announced.algorithm.toLowerCase()}, actual checksum Type: ${actual}`,
      });
    }
    const part = addPart(context, upload, bytes, checksum);
    const headers: Record<string, string> = { etag: `"${part.etag}"`, ...encryptionHeaders(upload) };
    if (part.checksum) headers[checksumHeader(part.checksum.algorithm)] = part.checksum.value;
    return { status: 200, headers };
  },

  UploadPartCopy(context) {
    const { upload } = uploadOf(context);
    const { source } = copySource(context);
    const range = parseRange(context.call.headers.get('x-amz-copy-source-range'), source.body.length);
    const bytes = range ? source.body.subarray(range.start, range.end + 1) : source.body;
    const checksum = upload.checksum && fullObjectChecksum(upload.checksum.algorithm, bytes);
    const part = addPart(context, upload, bytes, checksum);
    return { status: 200, headers: XML, body: copyResult('CopyPartResult', part) };
  },

  CompleteMultipartUpload(context) {
    const { call, payload } = context;
    const { bucket, upload } = uploadOf(context);
    const parts = chosenParts(upload, payload.bytes);
    checkWrite(currentVersion(bucket, call.key), call.key, call.headers);

    const body = Buffer.concat(parts.map((part) => part.body));
    const etags = Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex')));
    const checksum = objectChecksum(upload, parts, body);
    const claimed = call.headers.get(checksumHeader(checksum.algorithm));
    if (claimed !== undefined && claimed !== checksum.value) {
      throw new S3Error('BadDigest', {
        message: `The ${checksum.algorithm} you specified did not match the calculated checksum.`,
      });
    }
    const { key, headers, metadata, tags } = upload;
    const etag = `${etagOf(etags)}-${parts.length}`;
    // "For multipart uploads, the object creation date is the date of initiation of the multipart upload."
    const written = putObject(bucket, { key, headers, metadata, tags, body, etag, checksum }, upload.initiated);
    bucket.uploads.delete(upload.id);
    return {
      status: 200,
      headers: { ...XML, ...encryptionHeaders(written), ...versionHeader(bucket, written) },
      body: document(
        'CompleteMultipartUploadResult',
        leaf('Location', `http://${call.headers.get('host') ?? ''}${call.rawPath}`),
        leaf('Bucket', bucket.name),
        leaf('Key', key),
        leaf('ETag', `"${etag}"`),
        leaf(`Checksum${checksum.algorithm}`, checksum.value),
        leaf('ChecksumType', checksum.type),
      ),
    };
  },

  AbortMultipartUpload(context) {
    const { bucket, upload } = uploadOf(context);
    bucket.uploads.delete(upload.id);
    return { status: 204 };
  },

  ListParts(context) {
    const { call } = context;
    const { bucket, upload } = uploadOf(context);
    const marker = wholeNumber(call, 'part-number-marker', 0);
    const limit = Math.min(wholeNumber(call, 'max-parts', 1000), 1000);
    const later = [...upload.parts].filter(([number]) => number > marker).sort(([a], [b]) => a - b);
    const page = later.slice(0, limit);
    const truncated = later.length > page.length;
    const body = document(
      'ListPartsResult',
      leaf('Bucket', bucket.name),
      leaf('Key', upload.key),
      leaf('UploadId', upload.id),
      leaf('PartNumberMarker', marker),
      leaf('NextPartNumberMarker', truncated ? page.at(-1)?.[0] : undefined),
      leaf('MaxParts', limit),
      leaf('IsTruncated', truncated),
      leaf('StorageClass', upload.headers['x-amz-storage-class'] ?? 'STANDARD'),
      leaf('ChecksumAlgorithm', upload.checksum?.algorithm),
      leaf('ChecksumType', upload.checksum?.type),
      ...page.map(([number, part]) =>
        branch(
          'Part',
          leaf('PartNumber', number),
          leaf('LastModified', part.lastModified.toISOString()),
          leaf('ETag', `"${part.etag}"`),
          leaf('Size', part.body.length),
          part.checksum ? leaf(`Checksum${part.checksum.algorithm}`, part.checksum.value) : '',
        ),
      ),
    );
    return { status: 200, headers: XML, body };
  },

  /** All uploads under a prefix in one answer: there are never enough of them here to need pages. */
  ListMultipartUploads(context) {
    const { call } = context;
    const bucket = bucketOf(context);
    const prefix = parameter(call, 'prefix') ?? '';
    const uploads = [...bucket.uploads.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => compareUtf8(a.key, b.key) || a.initiated.getTime() - b.initiated.getTime());
    const body = document(
      'ListMultipartUploadsResult',
      leaf('Bucket', bucket.name),
      leaf('Prefix', prefix),
      leaf('MaxUploads', 1000),
      leaf('IsTruncated', false),
      ...uploads.map((upload) =>
        branch(
          'Upload',
          leaf('Key', upload.key),
          leaf('UploadId', upload.id),
          leaf('Initiated', upload.initiated.toISOString()),
          leaf('StorageClass', upload.headers['x-amz-storage-class'] ?? 'STANDARD'),
          leaf('ChecksumAlgorithm', upload.checksum?.algorithm),
          leaf('ChecksumType', upload.checksum?.type),
        ),
      ),
    );
    return { status: 200, headers: XML, body };
  },
} satisfies Partial<Record<Operation, Handler>>;

/** The checksum a client announces for all parts; CRC64NVME covers the object, the others the parts' checksums. */
function announcedChecksum(call: Call): Upload['checksum'] {
  const name = call.headers.get('x-amz-checksum-algorithm');
  if (name === undefined) return undefined;
  const algorithm = parseAlgorithm(name);
  if (!algorithm) {
    throw new S3Error('InvalidRequest', {
      message:
        'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
    });
  }
  const type = call.headers.get('x-amz-checksum-type') ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  const possible =
    algorithm === 'CRC64NVME'
      ? ['FULL_OBJECT']
      : algorithm.startsWith('SHA')
        ? ['COMPOSITE']
        : ['FULL_OBJECT', 'COMPOSITE'];
  if (!possible.includes(type)) {
    throw new S3Error('InvalidRequest', {
      message: `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    });
  }
  return { algorithm, type: type as Checksum['type'] };
}

function uploadOf(context: Context): { bucket: Bucket; upload: Upload } {
  const { call } = context;
  const bucket = bucketOf(context);
  const id = parameter(call, 'uploadId') ?? '';
  const upload = bucket.uploads.get(id);
  if (!upload || upload.key !== call.key) throw new S3Error('NoSuchUpload', { details: { UploadId: id } });
  return { bucket, upload };
}

function addPart({ call, now }: Context, upload: Upload, body: Buffer, checksum: Checksum | undefined): Part {
  const number = wholeNumber(call, 'partNumber', 0);
  if (number < 1 || number > MAX_PARTS) {
    throw new S3Error('InvalidArgument', {
      message: 'Part number must be an integer between 1 and 10000, inclusive',
      details: { ArgumentName: 'partNumber', ArgumentValue: parameter(call, 'partNumber') ?? '' },
    });
  }
  const part = { body, etag: etagOf(body), checksum, lastModified: wholeSeconds(now) };
  upload.parts.set(number, part);
  return part;
}

function wholeNumber(call: Call, name: string, absent: number): number {
  const text = parameter(call, name) ?? String(absent);
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new S3Error('InvalidArgument', { details: { ArgumentName: name, ArgumentValue: text } });
}

/** The parts a completion lists, checked as S3 checks them: there, ascending, large enough. */
function chosenParts(upload: Upload, body: Buffer): Part[] {
  const listed = childrenOf(parseDocument(body, 'CompleteMultipartUpload'), 'Part');
  if (listed.length === 0) throw new S3Error('MalformedXML');
  let previous = 0;
  const parts = listed.map((node) => {
    const number = Number(childText(node, 'PartNumber'));
    const etag = childText(node, 'ETag')?.trim().replaceAll('"', '') ?? '';
    const part = upload.parts.get(number);
    if (!part || part.etag !== etag) {
      throw new S3Error('InvalidPart', { details: { UploadId: upload.id, PartNumber: number, ETag: etag } });
    }
    if (number <= previous) throw new S3Error('InvalidPartOrder', { details: { UploadId: upload.id } });
    previous = number;
    if (upload.checksum)
      verifyListedChecksum(upload.checksum, part, childText(node, `Checksum${upload.checksum.algorithm}`), number);
    return part;
  });
  const small = parts.slice(0, -1).find((part) => part.body.length < MIN_PART_BYTES);
  if (small) {
    throw new S3Error('EntityTooSmall', {
      details: { ProposedSize: small.body.length, MinSizeAllowed: MIN_PART_BYTES, ETag: small.etag },
    });
  }
  return parts;
}

function verifyListedChecksum(
  { algorithm, type }: { algorithm: ChecksumAlgorithm; type: Checksum['type'] },
  part: Part,
  listed: string | undefined,
  number: number,
): void {
  if (listed === undefined && type === 'COMPOSITE') {
    throw new S3Error('InvalidRequest', {
      message: `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    });
  }
  if (listed !== undefined && listed !== part.checksum?.value) {
    throw new S3Error('InvalidPart', { details: { PartNumber: number, ETag: part.etag } });
  }
}

function objectChecksum(upload: Upload, parts: readonly Part[], body: Buffer): Checksum {
  if (upload.checksum?.type === 'COMPOSITE') {
    return compositeChecksum(
      upload.checksum.algorithm,
      parts.map((part) => part.checksum?.value ?? ''),
    );
  }
  return fullObjectChecksum(upload.checksum?.algorithm ?? 'CRC64NVME', body);
}
