/**
 * Keeps what the page knows of unfinished executions right.
 *
 * The list reads only the newest, and what runs for days is old: all of them are read once. Where news was missed, some
 * may have ended, or are deleted, without a word: they are read again, and those that are no longer among them are asked for one by one.
 */
import { effect } from '@preact/signals';
import { after, stopwatch } from '../clock.ts';
import type { RowStore } from '../list/row-store.ts';
import { rowOf } from '../model/execution-row.ts';
import { isEnded, statusName } from '../model/status.ts';
import type { GetExecutionStatusResponseJson, ListExecutionsResponseJson } from '../wire.ts';
import { type Call, CallFault } from './call.ts';
import type { Feed } from './feed.ts';

/** A node that tells too much is not asked all the time, too. */
const pauseMs = 3000;
const maxPages = 20;
/** Asked for one by one in a turn; the others have the next. */
const maxAsked = 100;

export function keepUnfinished(call: Call, feed: Feed, rows: RowStore): () => void {
  let since = stopwatch();
  let begun = false;
  let due: (() => void) | undefined;
  const read = () => {
    due = undefined;
    begun = true;
    since = stopwatch();
    readUnfinished(call, rows).catch(() => {
      // The connection's state says that the node is away; when it is back the feed asks for this again.
    });
  };
  const stop = effect(() => {
    if (feed.epoch.value === 0 || feed.missed.value + feed.returns.value < 0 || due !== undefined) return;
    if (begun && since() < pauseMs) due = after(pauseMs - since(), read);
    else read();
  });
  return () => {
    stop();
    due?.();
  };
}

async function readUnfinished(call: Call, rows: RowStore): Promise<void> {
  const doubted = [...rows.values()].filter(({ status }) => !isEnded(status)).map(({ id }) => id);
  const found = new Set<string>();
  let pageToken = '';
  for (let page = 0; page < maxPages; page += 1) {
    using answers = rows.ask();
    const answer = await call<ListExecutionsResponseJson>('FunctionService/ListExecutions', {
      statuses: [statusName('pending'), statusName('running')],
      pageSize: 1000,
      pageToken,
    });
    const made = answer.executions.map(rowOf);
    for (const { id } of made) found.add(id);
    answers.take(made);
    pageToken = answer.nextPageToken;
    if (pageToken === '') break;
  }
  if (pageToken !== '') return;
  for (const id of doubted.filter((each) => !found.has(each)).slice(0, maxAsked))
    await askFor(call, rows, id);
}

async function askFor(call: Call, rows: RowStore, executionId: string): Promise<void> {
  const known = rows.get(executionId);
  if (known === undefined || isEnded(known.status)) return;
  using answer = rows.ask();
  try {
    const { result } = await call<GetExecutionStatusResponseJson>('FunctionService/GetExecutionStatus', {
      executionId,
    });
    if (result !== undefined) answer.take([rowOf(result)]);
  } catch (error) {
    if (!(error instanceof CallFault) || error.reason !== 'EXECUTION_NOT_FOUND') throw error;
    rows.remove([executionId]);
  }
}
