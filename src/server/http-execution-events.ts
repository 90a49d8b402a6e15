/**
 * `GET /status/ID` with `Accept: text/event-stream`: the log of one execution as server-sent events. Each has the name
 * of what it is (`transition`, `chunk`, `refusal`, `result`), its sequence number as its id, and as its data a
 * StreamExecutionResult. It ends with the result; who comes back with `Last-Event-ID` goes on from there, and hears
 * 204 when there is no more, which keeps a browser from coming back again.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { create, toJson } from '@bufbuild/protobuf';
import { invalidArgument, quote } from '../domain/errors.ts';
import type { CallContext } from './call.ts';
import { type ChainOptions, toRequestError } from './chain.ts';
import { EventStream, event } from './event-stream.ts';
import type { FunctionService as FunctionHandlers } from './function-service.ts';
import {
  type GetExecutionStatusResponse,
  StreamExecutionResultSchema,
  WatchExecutionRequestSchema,
} from './gen/spearlet/function_pb.js';
import { callerOf, errorBody } from './http-answer.ts';

export interface ExecutionEventsOptions extends ChainOptions {
  readonly functions: Pick<FunctionHandlers, 'watchExecution'>;
}

const always = { alwaysEmitImplicit: true } as const;

export function wantsEvents({ headers }: IncomingMessage): boolean {
  return /(^|,)\s*text\/event-stream\s*(;|,|$)/i.test(headers.accept ?? '');
}

/** `status` is what is known of the execution, which the caller may see. */
export async function sendExecutionEvents(
  options: ExecutionEventsOptions,
  request: IncomingMessage,
  response: ServerResponse,
  call: CallContext,
  { result, lastSequence }: GetExecutionStatusResponse,
): Promise<void> {
  const last = lastEventId(request);
  const oldest = result?.oldestSequence ?? 1n;
  if (result?.isCompleted === true && last >= lastSequence) {
    response.writeHead(204, { 'cache-control': 'no-store' });
    response.end();
    return;
  }
  response.once('close', options.watchers.enter(callerOf(request), call.principal.name));
  const stream = new EventStream(response, options.clock);
  if (request.method === 'HEAD') return stream.end();
  const watched = create(WatchExecutionRequestSchema, {
    executionId: result?.executionId ?? '',
    // Where retention has cut the log, what is left of it.
    fromSequence: last + 1n > oldest ? last + 1n : oldest,
  });
  try {
    await options.functions.watchExecution(watched, call, (message) =>
      stream.send(
        event(
          message.event.case ?? '',
          JSON.stringify(toJson(StreamExecutionResultSchema, message, always)),
          Number(message.sequence),
        ),
      ),
    );
  } catch (error) {
    void stream.send(event('fault', JSON.stringify(errorBody(toRequestError(error, 'events', options)))));
  } finally {
    stream.end();
  }
}

function lastEventId({ headers }: IncomingMessage): bigint {
  const text = [headers['last-event-id'] ?? '0'].flat().join(', ');
  if (/^\d{1,15}$/.test(text)) return BigInt(text);
  throw invalidArgument('Last-Event-ID', `is ${quote(text)}; allowed is the id of an event, a whole number`);
}
