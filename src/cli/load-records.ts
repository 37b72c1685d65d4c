import type { Invocation } from '../lambda/invoke.ts';

/** Writes a JSON document whose list of records grows while they come: a million of them are never in memory. */
export interface RecordWriter {
  add(invocation: Invocation): void;
  /** Ends the list, and adds the rest of the document. */
  end(rest: object): void;
}

/**
 * @param about fields before the list
 * @param startedMs monotonic time that times of the records count from
 */
export function createRecordWriter(print: (text: string) => void, about: object, startedMs: number): RecordWriter {
  const open = JSON.stringify(about, null, 2).replace(/\n\}$/, '');
  print(`${open},\n  "records": [`);
  let count = 0;
  return {
    add(invocation) {
      print(`${count++ === 0 ? '' : ','}\n    ${JSON.stringify(recordOf(invocation, startedMs))}`);
    },
    end(rest) {
      print(`${count === 0 ? '' : '\n  '}],\n${JSON.stringify(rest, null, 2).slice(2)}\n`);
    },
  };
}

/** An invocation with its times in ms since the start, to the microsecond. */
function recordOf({ scheduledMs, lateMs, sentMs, receivedMs, ...rest }: Invocation, startedMs: number): object {
  const since = (ms: number): number => Math.round((ms - startedMs) * 1000) / 1000;
  return {
    scheduledMs: since(scheduledMs),
    lateMs: Math.round(lateMs * 1000) / 1000,
    sentMs: since(sentMs),
    receivedMs: since(receivedMs),
    ...rest,
  };
}
