import { bucketOperations } from './bucket-operations.ts';
import type { Handler } from './context.ts';
import { listOperations } from './list-operations.ts';
import { multipartOperations } from './multipart-operations.ts';
import { objectOperations } from './object-operations.ts';
import type { Operation } from './routing.ts';

/** What each operation does. */
export const OPERATIONS: Record<Operation, Handler> = {
  ...bucketOperations,
  ...listOperations,
  ...objectOperations,
  ...multipartOperations,
};
