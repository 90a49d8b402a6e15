/** An execution as a file: its history for the page to open offline, or the document that makes it anew elsewhere. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { create, toJson } from '@bufbuild/protobuf';
import type { Principal } from '../domain/access.ts';
import { RequestError } from '../domain/errors.ts';
import { pathRoles } from '../domain/method-roles.ts';
import type { Scope } from '../domain/scope.ts';
import type { CallContext } from './call.ts';
import type { ChainOptions } from './chain.ts';
import { Download } from './download.ts';
import type { FunctionService as FunctionHandlers } from './function-service.ts';
import {
  GetExecutionStatusRequestSchema,
  GetExecutionStatusResponseSchema,
  StreamExecutionResultSchema,
  WatchExecutionRequestSchema,
} from './gen/spearlet/function_pb.js';
import { SnapshotExecutionRequestSchema } from './gen/spearlet/snapshot_pb.js';
import { callerOf, isRead, refuseMethod } from './http-answer.ts';
import { checkBrowser } from './http-browser.ts';
import { callerWith } from './http-caller.ts';
import type { SnapshotService as SnapshotHandlers } from './snapshot-service.ts';
import { executionId } from './wire/fields.ts';

export interface DownloadOptions extends ChainOptions {
  readonly functions: Pick<FunctionHandlers, 'getExecutionStatus' | 'watchExecution'>;
  /** Absent where the node carries nothing to other nodes. */
  readonly snapshots?: Pick<SnapshotHandlers, 'snapshotExecution'>;
}

const always = { alwaysEmitImplicit: true } as const;

/** As JSON lines: GetExecutionStatusResponse, and then the log as it is now, each event as StreamExecutionResult. */
export async function downloadHistory(
  options: DownloadOptions,
  request: IncomingMessage,
  response: ServerResponse,
  id: string,
): Promise<void> {
  if (!isRead(request)) return refuseMethod(response, 'GET, HEAD');
  checkBrowser(request);
  const { functions } = options;
  const call = await callerWith(pathRoles.history, 'a history', options, request, response);
  response.once('close', options.watchers.enter(callerOf(request), call.principal.name));
  const wanted = create(GetExecutionStatusRequestSchema, {
    executionId: executionId(id),
    includeOutput: true,
  });
  const status = await functions.getExecutionStatus(wanted, call);
  const pipe = new Download(response, {
    contentType: 'application/x-ndjson',
    fileName: `${id}.history.jsonl`,
  });
  if (request.method === 'HEAD') return pipe.end();
  const line = (json: unknown): Promise<void> | undefined => pipe.write(`${JSON.stringify(json)}\n`);
  await line(toJson(GetExecutionStatusResponseSchema, status, always));
  const watched = create(WatchExecutionRequestSchema, {
    executionId: id,
    fromSequence: status.result?.oldestSequence ?? 1n,
  });
  const upTo = new Until(call);
  await functions.watchExecution(watched, upTo, (message) => {
    if (upTo.reached) return undefined;
    const busy = line(toJson(StreamExecutionResultSchema, message, always));
    // What comes later is of a later moment than the first line.
    if (message.sequence >= status.lastSequence) upTo.reach();
    return busy;
  });
  pipe.end();
}

/** The document of SnapshotExecution, without the values of environment variables. */
export async function downloadSnapshot(
  options: DownloadOptions,
  request: IncomingMessage,
  response: ServerResponse,
  id: string,
): Promise<void> {
  if (!isRead(request)) return refuseMethod(response, 'GET, HEAD');
  checkBrowser(request);
  const { snapshots } = options;
  const call = await callerWith(pathRoles.snapshots, 'a snapshot', options, request, response);
  response.once('close', options.watchers.enter(callerOf(request), call.principal.name));
  if (snapshots === undefined) {
    throw new RequestError('unimplemented', 'this node takes no snapshots', {
      reason: 'NOT_IN_THIS_VERSION',
    });
  }
  let pipe: Download | undefined;
  const wanted = create(SnapshotExecutionRequestSchema, { executionId: executionId(id) });
  await snapshots.snapshotExecution(wanted, call, ({ step }) => {
    // Only what can be read to its end begins: an error before is an answer of its own.
    pipe ??= new Download(response, { contentType: 'application/x-ndjson', fileName: `${id}.snapshot` });
    return step.case === 'data' ? pipe.write(step.value) : undefined;
  });
  pipe?.end();
}

/** A caller that goes away as soon as it has what it wants. */
class Until implements CallContext {
  readonly deadlineMs = undefined;
  readonly principal: Principal;
  readonly scope: Scope;
  readonly #call: CallContext;
  readonly #listeners: ((how: 'gone' | 'done') => void)[] = [];
  reached = false;

  constructor(call: CallContext) {
    this.#call = call;
    this.principal = call.principal;
    this.scope = call.scope;
  }

  get gone(): boolean {
    return this.reached || this.#call.gone;
  }

  remainingMs(): undefined {
    return undefined;
  }

  onGone(listener: (how: 'gone' | 'done') => void): void {
    this.#listeners.push(listener);
    this.#call.onGone(listener);
  }

  reach(): void {
    this.reached = true;
    for (const listener of this.#listeners.splice(0)) listener('gone');
  }
}
