/**
 * `/api/events`: what a page wants to hear, over one connection, since a browser opens six to an origin.
 *
 * - `node`: WatchNodeResponse, with the position as its id, so that a page that comes back says where it was.
 * - `log`: `{"events": [StreamExecutionResult…]}` of the one execution that was asked for.
 * - `fault`: `{"error": {reason, message}}`. With the reason DRAINING the stream ends; any other is of the log alone.
 *
 * Nothing is kept for a reader that is slow: the feed gathers for it, and the log is read as it is taken.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { create, toJson } from '@bufbuild/protobuf';
import { invalidArgument, quote, type RequestError } from '../domain/errors.ts';
import { pathRoles } from '../domain/method-roles.ts';
import type { NodeFeed, NodeNews } from '../domain/node-feed.ts';
import type { CallContext } from './call.ts';
import { type ChainOptions, toRequestError } from './chain.ts';
import { EventStream, event } from './event-stream.ts';
import type { FunctionService as FunctionHandlers } from './function-service.ts';
import {
  ExecutionResultSchema,
  type StreamExecutionResult,
  StreamExecutionResultSchema,
  WatchExecutionRequestSchema,
} from './gen/spearlet/function_pb.js';
import { NodeViewSchema } from './gen/spearlet/node_pb.js';
import { callerOf, isRead, refuseMethod } from './http-answer.ts';
import { checkBrowser } from './http-browser.ts';
import { callerWith } from './http-caller.ts';
import { recordToWire } from './wire/execution.ts';
import { executionId } from './wire/fields.ts';
import { jsonEncoder } from './wire/json-encoder.ts';
import { nodeToWire } from './wire/node-view.ts';

export interface EventsOptions extends ChainOptions {
  readonly feed: NodeFeed;
  readonly functions: Pick<FunctionHandlers, 'watchExecution'>;
}

const parameters = ['position', 'execution', 'from'];
/** When a browser that opens the stream again by itself is to do so, in milliseconds. */
const retryMs = 2000;
/** Bytes of a log that are sent as one event, about. */
const mostBatchBytes = 256 * 1024;

const rowJson = jsonEncoder(ExecutionResultSchema);
const always = { alwaysEmitImplicit: true } as const;

export async function serveEvents(
  options: EventsOptions,
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
): Promise<void> {
  if (!isRead(request)) return refuseMethod(response, 'GET, HEAD');
  checkBrowser(request);
  const call = await callerWith(pathRoles.events, 'the events', options, request, response);
  checkParameters(query);
  const position = whole('position', request.headers['last-event-id'] ?? query.get('position'));
  const from = whole('from', query.get('from'));
  const wanted = query.get('execution') ?? '';
  const followed = wanted === '' ? undefined : { executionId: executionId(wanted), from };
  if (request.method === 'HEAD') return new EventStream(response, options.clock).end();
  const leave = options.watchers.enter(callerOf(request), call.principal.name);
  response.once('close', leave);
  const watch = options.feed.watch(position, call.principal.name, call.scope);
  const stream = new EventStream(response, options.clock);
  response.once('close', () => watch.close());
  call.onGone(() => watch.close());
  void stream.send(`retry: ${retryMs}\n\n`);
  if (followed !== undefined) void tellLog(options, call, stream, followed);
  try {
    for (;;) {
      const news = await watch.next();
      if (news === undefined) return;
      const busy = stream.send(newsEvent(news, Math.round(options.clock.now())));
      if (busy !== undefined) await busy;
    }
  } catch (error) {
    const known = toRequestError(error, 'events', options);
    // Where the store cannot be read the stream just ends: a fault would be taken for one of the log.
    if (known.reason === 'DRAINING') void stream.send(fault(known));
  } finally {
    watch.close();
    stream.end();
  }
}

/** Never rejects: what is wrong with the log is told, and the node goes on being told. */
async function tellLog(
  options: EventsOptions,
  call: CallContext,
  stream: EventStream,
  { executionId, from }: { readonly executionId: string; readonly from: number },
): Promise<void> {
  const wanted = create(WatchExecutionRequestSchema, { executionId, fromSequence: BigInt(from) });
  const batch = new LogBatch((events) => stream.send(events));
  try {
    await options.functions.watchExecution(wanted, call, (message) => batch.add(message));
    void batch.flush();
  } catch (error) {
    void batch.flush();
    const known = toRequestError(error, 'events', options);
    // The node goes away: whoever tells of it says so, and ends the stream.
    if (known.reason !== 'DRAINING') void stream.send(fault(known));
  }
}

/** Events of a log that come at once are sent at once. */
class LogBatch {
  readonly #send: (events: string) => Promise<void> | undefined;
  #waiting: string[] = [];
  #bytes = 0;
  /** The reader has not taken what was sent last. */
  #busy: Promise<void> | undefined;

  constructor(send: (events: string) => Promise<void> | undefined) {
    this.#send = send;
  }

  add(message: StreamExecutionResult): Promise<void> | undefined {
    const json = JSON.stringify(toJson(StreamExecutionResultSchema, message, always));
    this.#waiting.push(json);
    this.#bytes += json.length;
    if (this.#bytes >= mostBatchBytes) return this.flush();
    if (this.#waiting.length === 1) queueMicrotask(() => void this.flush());
    return this.#busy;
  }

  flush(): Promise<void> | undefined {
    if (this.#waiting.length === 0) return this.#busy;
    const data = `{"events":[${this.#waiting.join(',')}]}`;
    this.#waiting = [];
    this.#bytes = 0;
    this.#busy = this.#send(event('log', data));
    return this.#busy;
  }
}

/** What all who watch are told alike is written once. */
const written = new WeakMap<NodeNews, Buffer>();

function newsEvent(news: NodeNews, now: number): Buffer {
  let bytes = written.get(news);
  if (bytes === undefined) {
    const { position, executions, deleted, node, reset } = news;
    const data = JSON.stringify({
      position: String(position),
      executions: executions.map((record) => rowJson(recordToWire(record, now))),
      ...(node !== undefined && { node: toJson(NodeViewSchema, nodeToWire(node), always) }),
      reset,
      deletedExecutionIds: deleted,
    });
    bytes = Buffer.from(event('node', data, position));
    written.set(news, bytes);
  }
  return bytes;
}

function fault({ reason, message }: RequestError): string {
  return event('fault', JSON.stringify({ error: { reason, message: message.toWellFormed() } }));
}

/** One that is misspelt, or comes twice, would be passed over, and the stream be another than was asked for. */
function checkParameters(query: URLSearchParams): void {
  for (const name of query.keys()) {
    if (!parameters.includes(name)) {
      throw invalidArgument(quote(name), `is not known; allowed are ${parameters.join(', ')}`);
    }
    if (query.getAll(name).length > 1) throw invalidArgument(name, 'is given twice; allowed is each once');
  }
}

/** Throws invalid_argument for what is no number. */
function whole(field: string, value: string | readonly string[] | null): number {
  if (value === null || value === '') return 0;
  const number = Number(value);
  if (typeof value !== 'string' || !/^\d+$/.test(value) || !Number.isSafeInteger(number)) {
    throw invalidArgument(field, `is ${quote(String(value))}; allowed is a whole number`);
  }
  return number;
}
