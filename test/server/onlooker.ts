/** Somebody with a token who asks a node for everything, and what it was answered, without what differs from run to run. */
import { type DescMethod, type DescService, type MessageInitShape, toJson } from '@bufbuild/protobuf';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { type Connection, connect } from '../../src/client/channel.ts';
import { SnapshotService } from '../../src/server/gen/spearlet/snapshot_pb.js';
import { openEvents } from './event-source.ts';
import { refusal } from './refusal.ts';

/** What depends on the time, on the order of all events, or on what others have left free of the machine. */
const volatile = new Set([
  ...['queueTimeMs', 'executionTimeMs', 'estimatedCompletionMs', 'resourceUse', 'position'],
  ...['firstStep', 'nextStep'],
  ...['queuePlace', 'queueLength', 'nodeId', 'grpcAddress', 'httpAddress', 'retryAfterMs'],
]);

export interface Answer {
  readonly asked: string;
  readonly answer: unknown;
}

type Call = (request: unknown, options?: unknown) => unknown;

export class Onlooker {
  readonly answers: Answer[] = [];
  /** Methods and routes that were asked. */
  readonly asked = new Set<string>();
  readonly connection: Connection;
  readonly #httpAddress: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #ids = new Map<string, string>();
  /** What streams told, as it came. */
  #streams = '';

  constructor(node: { readonly grpcAddress: string; readonly httpAddress: string }, token: string) {
    this.connection = connect(node.grpcAddress, { token });
    onTestFinished(() => this.connection.close());
    this.#httpAddress = node.httpAddress;
    this.#headers = { authorization: `Bearer ${token}` };
  }

  /** The first message of the answer, which is kept; undefined where it was refused. Of a stream all are kept, up to `most`. */
  async ask<Method extends DescMethod>(
    method: Method,
    request: MessageInitShape<Method['input']>,
    most = Number.POSITIVE_INFINITY,
  ): Promise<unknown> {
    const asked = `${method.parent.name}/${method.name}`;
    this.asked.add(asked);
    const what = `${asked} ${JSON.stringify(request, (_key, value) => shown(value))}`;
    try {
      const messages = await this.#messages(method, request, most);
      this.#keep(
        what,
        messages.map((message) => toJson(method.output, message as never)),
      );
      return messages[0];
    } catch (error) {
      this.#keep(what, await refusal(Promise.reject(error)));
      return undefined;
    }
  }

  /** A path over HTTP; `route` is how the table of roles names it. */
  async get(route: string, path: string, body?: object): Promise<unknown> {
    this.asked.add(route);
    const answer = await fetch(`http://${this.#httpAddress}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...this.#headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isDocument = answer.ok && route !== 'status' && route !== 'tickets' && route !== 'api';
    this.#keep(`${route} ${path} ${JSON.stringify(body)}`, {
      status: answer.status,
      // What a file holds is told by the methods already.
      body: isDocument ? 'a file' : JSON.parse(text),
    });
    return isDocument ? text : JSON.parse(text);
  }

  /** The bytes of a snapshot; its summary is kept. */
  async snapshot(executionId: string): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    const { snapshotExecution } = this.connection.service(SnapshotService);
    for await (const { step } of snapshotExecution({ executionId })) {
      if (step.case === 'data') parts.push(step.value);
    }
    return Buffer.concat(parts);
  }

  events(query = ''): ReturnType<typeof openEvents> {
    this.asked.add('events');
    return openEvents(this.#httpAddress, query, this.#headers);
  }

  /** Ids of the sessions that an inspector is told of. */
  async inspect(): Promise<ReadonlySet<string>> {
    this.asked.add('inspect');
    const socket = new WebSocket(`ws://${this.#httpAddress}/api/inspect`, { headers: this.#headers });
    onTestFinished(() => socket.terminate());
    const sessions = new Set<string>();
    socket.on('message', (data: Buffer) => {
      this.#streams += data.toString();
      sessions.add((JSON.parse(data.toString()) as { sessionId: string }).sessionId);
    });
    await new Promise((resolve, reject) => {
      socket.once('message', resolve);
      socket.once('error', reject);
    });
    return sessions;
  }

  /** An answer that came in another way. */
  note(asked: string, answer: unknown): void {
    this.#keep(asked, answer);
  }

  heard(text: string): void {
    this.#streams += text;
  }

  streams(): string {
    return this.#streams;
  }

  async #messages(method: DescMethod, request: unknown, most: number): Promise<unknown[]> {
    const service = this.connection.service(method.parent as DescService) as Readonly<Record<string, Call>>;
    const call = service[method.localName] as Call;
    if (method.methodKind === 'unary') return [await call(request)];
    if (method.methodKind === 'client_streaming') return [await call((request as () => unknown)())];
    const messages: unknown[] = [];
    for await (const message of call(request) as AsyncIterable<unknown>) {
      if (messages.push(message) >= most) break;
    }
    return messages;
  }

  #keep(asked: string, answer: unknown): void {
    this.answers.push({ asked: this.#plain(asked) as string, answer: this.#plain(answer) });
  }

  #plain(value: unknown): unknown {
    if (typeof value === 'string') return this.#plainText(value);
    if (Array.isArray(value)) return value.map((each) => this.#plain(each));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !volatile.has(key))
        .map(([key, each]) => [key, this.#plain(key === 'nextPageToken' ? sealed(String(each)) : each)]),
    );
  }

  #plainText(text: string): string {
    return (
      text
        .replace(/\b(exec|task|inst|break|req|node)_[0-9a-z]{26}\b/g, (id) => this.#nameOf(id))
        .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
        .replace(/\b\d+(\.\d+)? ?(ms|s|min|h)\b/g, 'DURATION')
        .replace(/\b1\d{12}\b/g, 'INSTANT')
        // Guest hosts are counted, as events are, for all tenants.
        .replace(/\bwasm-\d+-\d+\b/g, 'wasm-HOST')
        .replace(/ticket=[\w-]+/g, 'ticket=TICKET')
    );
  }

  /** The same for the same id, by the order in which they came. */
  #nameOf(id: string): string {
    const name = this.#ids.get(id) ?? `${id.split('_', 1)[0]}_${this.#ids.size}`;
    this.#ids.set(id, name);
    return name;
  }
}

/** In the name of a question, which is no more than that. */
function shown(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array || Buffer.isBuffer(value) ? 'BYTES' : value;
}

/** Another one each time: what its holder can tell of it is its length. */
function sealed(token: string): string {
  return `a token of ${token.length} characters`;
}
