/** Requests to the node: one POST of a message as JSON for each. */

import type { FaultJson } from '../wire.ts';
import { tenantHeader } from './tenant-header.ts';

/** What a node answered where it did not do what it was asked. */
export class CallFault extends Error {
  /** Machine-readable, such as `EXECUTION_NOT_FOUND`; `UNREACHABLE` where no node answered. */
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.name = 'CallFault';
    this.reason = reason;
  }
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Another than the one that the page shows; empty for that one. */
  readonly tenant?: string;
}

/** Calls a method, such as `FunctionService/ListExecutions`. Rejects with a CallFault, or as the signal says. */
export type Call = <Answer>(method: string, request: unknown, options?: CallOptions) => Promise<Answer>;

export function createCall(fetch: typeof globalThis.fetch): Call {
  return async <Answer>(method: string, request: unknown, options?: CallOptions) =>
    send<Answer>(fetch, method, 'application/json', JSON.stringify(request), options);
}

/** Calls a method that takes a stream of messages. */
export type CallWithLines = <Answer>(method: string, lines: readonly unknown[]) => Promise<Answer>;

export function createCallWithLines(fetch: typeof globalThis.fetch): CallWithLines {
  return async <Answer>(method: string, lines: readonly unknown[]) => {
    const body = new Blob(lines.map((line) => `${JSON.stringify(line)}\n`));
    return send<Answer>(fetch, method, 'application/x-ndjson', body);
  };
}

/** Calls a method that answers with a stream of messages, and hands each on as it comes. */
export type CallForLines = <Message>(
  method: string,
  request: unknown,
  options: CallOptions & { readonly each: (message: Message) => void },
) => Promise<void>;

export function createCallForLines(fetch: typeof globalThis.fetch): CallForLines {
  return async <Message>(
    method: string,
    request: unknown,
    { each, ...options }: CallOptions & { readonly each: (message: Message) => void },
  ) => {
    const response = await post(fetch, method, 'application/json', JSON.stringify(request), options);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    try {
      for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
        const lines = (rest + part.value).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line !== '') each(JSON.parse(line) as Message);
      }
    } catch (error) {
      if (options.signal?.aborted || error instanceof SyntaxError) throw error;
      throw new CallFault('UNREACHABLE', 'the node was lost on the way');
    }
  };
}

async function send<Answer>(
  fetch: typeof globalThis.fetch,
  method: string,
  contentType: string,
  body: string | Blob,
  options?: CallOptions,
): Promise<Answer> {
  const response = await post(fetch, method, contentType, body, options);
  return (await response.json()) as Answer;
}

/** Rejects with a CallFault where it is refused, or as the signal says. */
async function post(
  fetch: typeof globalThis.fetch,
  method: string,
  contentType: string,
  body: string | Blob,
  { signal, tenant = '' }: CallOptions = {},
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/api/${method}`, {
      method: 'POST',
      headers: { 'content-type': contentType, ...tenantHeader(tenant) },
      body,
      ...(signal && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new CallFault('UNREACHABLE', 'the node does not answer');
  }
  if (response.ok) return response;
  throw await faultOf(response);
}

async function faultOf(response: Response): Promise<CallFault> {
  try {
    const { error } = (await response.json()) as FaultJson;
    return new CallFault(error.reason, error.message);
  } catch {
    // Something between the page and the node answered.
    return new CallFault(`HTTP_${response.status}`, `the node answered ${response.status}`);
  }
}

/** What went wrong, in words for people. */
export function faultText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
