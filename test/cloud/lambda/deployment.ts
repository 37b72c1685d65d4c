import { type CreateFunctionCommandInput, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { type Zippable, zipSync } from 'fflate';

/** Contents of a file, or contents with Unix permissions (0644 otherwise). */
export type ArchiveFile = string | { readonly contents: string | Uint8Array; readonly mode: number };

const UNIX = 3;
const REGULAR_FILE = 0o100000;

/** A zip archive of these files, with their permissions, as `zip` makes it on Linux. */
export function archive(files: Readonly<Record<string, ArchiveFile>>): Uint8Array {
  const entries: Zippable = {};
  for (const [name, file] of Object.entries(files)) {
    const { contents, mode } = typeof file === 'string' ? { contents: file, mode: 0o644 } : file;
    const type = (mode & 0o170000) === 0 ? REGULAR_FILE : 0;
    const attrs = ((type | mode) << 16) >>> 0;
    entries[name] = [typeof contents === 'string' ? Buffer.from(contents) : contents, { os: UNIX, attrs, level: 0 }];
  }
  return zipSync(entries);
}

/** The unmodified SDK client for a server, which retries nothing. */
export const lambdaClient = (url: string, accessKeyId = 'AKIDEXAMPLE', region = 'us-east-1'): LambdaClient =>
  new LambdaClient({
    endpoint: url,
    region,
    credentials: { accessKeyId, secretAccessKey: 'secret' },
    maxAttempts: 1,
  });

/** Members of CreateFunction for a Node.js function of these files; `overrides` replace or add members. */
export const nodeFunction = (
  FunctionName: string,
  files: Readonly<Record<string, ArchiveFile>>,
  overrides: Partial<CreateFunctionCommandInput> = {},
): CreateFunctionCommandInput => ({
  FunctionName,
  Runtime: 'nodejs24.x',
  Handler: 'index.handler',
  Role: 'arn:aws:iam::123456789012:role/orders',
  Code: { ZipFile: archive(files) },
  MemorySize: 512,
  ...overrides,
});

/** Result of one invocation, decoded. */
export interface Invoked {
  readonly status: number | undefined;
  readonly functionError: string | undefined;
  readonly version: string | undefined;
  readonly requestId: string | undefined;
  readonly log: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a function answers is up to the function.
  readonly payload: any;
}

/** Invokes a function with a JSON event and decodes the answer. `options` are members of Invoke. */
export async function invokeFunction(
  client: LambdaClient,
  FunctionName: string,
  event: unknown = {},
  options: { readonly [member: string]: unknown } = {},
): Promise<Invoked> {
  const answer = await client.send(
    new InvokeCommand({ FunctionName, LogType: 'Tail', Payload: Buffer.from(JSON.stringify(event)), ...options }),
  );
  const payload = Buffer.from(answer.Payload ?? []).toString();
  return {
    status: answer.StatusCode,
    functionError: answer.FunctionError,
    version: answer.ExecutedVersion,
    requestId: answer.$metadata.requestId,
    log: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
    payload: payload === '' ? undefined : JSON.parse(payload),
  };
}

/** Waits until a condition holds. @throws after 10 seconds, with what was waited for */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new Error(`Waited 10 seconds in vain until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
