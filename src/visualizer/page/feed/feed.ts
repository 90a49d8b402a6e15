/**
 * What the node tells, all the time: its own state, every execution that changes, and the log of the one that is open.
 *
 * It reads where the node is, then listens from there on: whoever lists after `ready` misses nothing.
 */
import { computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import { holdNodeTime, setNodeTime } from '../clock.ts';
import type { RowStore } from '../list/row-store.ts';
import type { EventLog } from '../model/event-log.ts';
import { rowOf } from '../model/execution-row.ts';
import { eventOf } from '../model/log-event.ts';
import { type NodeModel, nodeOf } from '../model/node.ts';
import type {
  ExecutionResultJson,
  FaultJson,
  LogMessageJson,
  NodeViewJson,
  StreamExecutionResultJson,
  WatchNodeResponseJson,
} from '../wire.ts';
import type { RequestEvents } from './event-request.ts';
import { type Connection, createEventStream } from './event-stream.ts';
import { createFrameQueue } from './frame-queue.ts';

/** One execution whose log is followed. */
export interface Followed {
  readonly id: string;
  readonly events: EventLog;
  /** Its log cannot be followed. */
  failed(reason: string, message: string): void;
  /** The node has it no more. */
  deleted(): void;
}

/** The following of one log, unless another one is followed since. */
export interface Following {
  /** Asks for no more of it, and hears of no failure; what comes all the same is handed on. */
  end(): void;
  /** Drops what was not handed on. */
  stop(): void;
}

export interface Feed {
  readonly node: ReadonlySignal<NodeModel | undefined>;
  readonly connection: ReadonlySignal<Connection>;
  /** The node said that it goes away, and can still be reached for all that is known. */
  readonly leaving: ReadonlySignal<boolean>;
  /** The connection is lost: what is known of the node and its executions is what was heard last. */
  readonly away: ReadonlySignal<boolean>;
  /** Raised when there is a node to read from, and when it is another one: nothing is known then. */
  readonly epoch: ReadonlySignal<number>;
  /** Raised when more has happened than was told: some of what is known is old. */
  readonly missed: ReadonlySignal<number>;
  /** Raised when a broken connection is whole again: what was deleted meanwhile is not told. */
  readonly returns: ReadonlySignal<number>;
  start(): void;
  /** Listens no more, until it is started again: the node would not tell. */
  pause(): void;
  /** Follows one log. Only the last one that was asked for is followed. */
  follow(followed: Followed): Following;
  stop(): void;
}

/** More than that waits only while the page was asleep; listing again is cheaper. */
const maxWaiting = 20_000;

export function createFeed(rows: RowStore, request: RequestEvents): Feed {
  const node = signal<NodeModel | undefined>(undefined);
  const epoch = signal(0);
  const missed = signal(0);
  const returns = signal(0);
  const leaving = signal(false);
  let position = '0';
  let placed = false;
  let followed: Followed | undefined;
  let ended = false;

  const rowQueue = createFrameQueue<ExecutionResultJson, ReturnType<typeof rowOf>>(rowOf, (made) =>
    rows.tell(made),
  );
  const logQueue = createFrameQueue<StreamExecutionResultJson, ReturnType<typeof eventOf> & {}>(
    eventOf,
    (made) => followed?.events.append(made),
  );

  const takeNode = (view: NodeViewJson) => {
    const known = node.peek();
    const next = nodeOf(view);
    leaving.value = false;
    if (next.time !== undefined) setNodeTime(next.time);
    node.value = next;
    if (known === undefined || known.id === next.id) return;
    // Another folder behind the same address has other executions.
    rowQueue.clear();
    rows.clear();
    epoch.value = epoch.peek() + 1;
  };
  const takeNews = (data: string, id: string) => {
    const news = JSON.parse(data) as WatchNodeResponseJson;
    // From now on: what changed before is read by whoever lists after this.
    if (!placed) epoch.value = epoch.peek() + 1;
    placed = true;
    position = id || news.position;
    if (news.reset) missed.value = missed.peek() + 1;
    for (const each of news.executions) rowQueue.push(each.executionId, each);
    takeDeleted(news.deletedExecutionIds);
    if (news.node) takeNode(news.node);
    if (rowQueue.waiting <= maxWaiting) return;
    rowQueue.clear();
    missed.value = missed.peek() + 1;
  };
  const takeDeleted = (ids: readonly string[]) => {
    if (ids.length === 0) return;
    for (const id of ids) rowQueue.drop(id);
    rows.remove(ids);
    if (followed !== undefined && ids.includes(followed.id)) followed.deleted();
  };
  const takeLog = (data: string) => {
    if (followed === undefined) return;
    const { events } = JSON.parse(data) as LogMessageJson;
    for (const each of events) if (each.executionId === followed.id) logQueue.push(each.sequence, each);
  };
  const takeFault = (data: string) => {
    const { error } = JSON.parse(data) as FaultJson;
    if (error.reason === 'DRAINING') leaving.value = true;
    else if (!ended) followed?.failed(error.reason, error.message);
  };

  const stream = createEventStream({
    address: () => {
      const fields = new URLSearchParams({ position });
      if (followed !== undefined && !ended) {
        fields.set('execution', followed.id);
        fields.set('from', String(followed.events.lastSequence + 1));
      }
      return `/api/events?${fields}`;
    },
    on: { node: takeNews, log: takeLog, fault: takeFault },
    request,
  });
  let broken = false;
  const stopLooking = effect(() => {
    const connection = stream.connection.value;
    const { phase } = connection;
    // Who refuses to be connected to does not stop any more: it has stopped, or nobody knows.
    if (connection.phase === 'reconnecting' && connection.refused) leaving.value = false;
    holdNodeTime(phase === 'reconnecting');
    if (broken && phase === 'live') returns.value = returns.peek() + 1;
    broken = phase === 'reconnecting';
  });
  return {
    node,
    connection: stream.connection,
    epoch,
    missed,
    returns,
    leaving,
    away: computed(() => stream.connection.value.phase === 'reconnecting'),
    start: () => stream.resume(),
    pause: () => stream.pause(),
    follow(next) {
      logQueue.clear();
      followed = next;
      ended = false;
      stream.reopen();
      return {
        end() {
          if (followed === next) ended = true;
        },
        stop() {
          if (followed !== next) return;
          logQueue.clear();
          followed = undefined;
          stream.reopen();
        },
      };
    },
    stop() {
      stopLooking();
      stream.close();
      rowQueue.clear();
      logQueue.clear();
    },
  };
}
