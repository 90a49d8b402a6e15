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

async function send<Answer>(
  fetch: typeof globalThis.fetch,
  method: string,
  contentType: string,
  body: string | Blob,
  { signal, tenant = '' }: CallOptions = {},
): Promise<Answer> {
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
  if (response.ok) return (await response.json()) as Answer;
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
