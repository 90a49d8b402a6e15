/**
 * A node as the page sees it, with made-up executions: its files, the methods that it calls, and the stream of news.
 * It behaves like the real one in what the page depends on: pages, positions, resets and refusals.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { Role } from '../../../src/domain/access.ts';
import { describeMachines } from '../../../src/machines/describe.ts';
import type {
  ExecutionResultJson,
  NodeViewJson,
  StatusName,
  StreamExecutionResultJson,
  WatchNodeResponseJson,
} from '../../../src/visualizer/page/wire.ts';
import { fakeMethods } from './fake-methods.ts';
import { chance, ended, execution, running, taskNames } from './made-executions.ts';

export const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

interface Request {
  readonly [name: string]: unknown;
}

export interface FakeNode {
  readonly origin: string;
  /** What the page asked for, in order. */
  readonly calls: readonly { readonly method: string; readonly request: unknown }[];
  /** Makes news: executions as they are now. */
  tell(executions: readonly ExecutionResultJson[]): void;
  /** Deletes executions, and says so. */
  forget(ids: readonly string[]): void;
  /** Tells everyone of events of a log. */
  append(events: readonly StreamExecutionResultJson[]): void;
  /** Says that it goes away, and ends every stream. */
  drain(): void;
  /** Starts, runs and ends executions until it is called again with 0. */
  live(perSecond: number): void;
  /** Says that more has happened than it tells. */
  reset(): void;
  readonly logs: Map<string, readonly StreamExecutionResultJson[]>;
  readonly executions: Map<string, ExecutionResultJson>;
  state: string;
  /** Of the reader. */
  role: Role;
  storeFault: string;
  close(): Promise<void>;
}

interface Options {
  readonly folder?: string;
  readonly count?: number;
  readonly port?: number;
}

export async function startFakeNode({ folder, count = 0, port = 0 }: Options = {}): Promise<FakeNode> {
  const files = folder ?? resolve(import.meta.dirname, '../../../src/visualizer/gen');
  const executions = new Map<string, ExecutionResultJson>();
  const calls: { method: string; request: unknown }[] = [];
  const streams = new Set<ServerResponse>();
  let position = 1;
  let seed = 1;
  let ticking: NodeJS.Timeout | undefined;
  const begun = Date.now();
  for (; seed <= count; seed += 1) {
    const at = begun - (count - seed) * 900 - chance(seed) * 600;
    const made = running(execution(at, seed), at + 20);
    executions.set(
      made.executionId,
      count - seed < 12 ? made : ended(made, at + 30 + chance(seed * 3) ** 6 * 60_000, seed),
    );
  }

  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  const node: FakeNode = {
    origin: '',
    calls,
    executions,
    logs: new Map(),
    state: 'serving',
    role: 'operate',
    storeFault: '',
    tell,
    forget,
    append: (events) => send('log', { events }),
    drain() {
      send('fault', { error: { reason: 'DRAINING', message: 'the node is stopping' } });
      for (const stream of streams) stream.end();
    },
    live(perSecond) {
      clearInterval(ticking);
      if (perSecond > 0) ticking = setInterval(() => step(perSecond / 10), 100);
    },
    reset: () => sendNews({ reset: true }),
    close: async () => {
      clearInterval(ticking);
      clearInterval(beating);
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  const methods = fakeMethods({
    executions,
    tell,
    forget,
    view,
    machines: describeMachines,
    lastSequence: (id) => node.logs.get(id)?.at(-1)?.sequence ?? '1',
  });
  const beating = setInterval(() => sendNews({ node: view() }), 1000);
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return Object.assign(node, { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });

  /** About a third begins, a third starts to run and a third ends; sixteen run at once. */
  function step(changes: number): void {
    const now = Date.now();
    const live = [...executions.values()].filter(({ isCompleted }) => !isCompleted);
    const waiting = live.filter(({ attempt }) => attempt === 0);
    const busy = live.filter(({ attempt }) => attempt > 0);
    const news: ExecutionResultJson[] = [];
    for (let turn = 0; turn < changes; turn += 3) {
      seed += 1;
      news.push(execution(now, seed));
      const first = busy.length + turn / 3 >= 16 ? busy.shift() : undefined;
      if (first !== undefined) news.push(ended(first, now, seed));
      const next = busy.length < 16 ? waiting.shift() : undefined;
      if (next !== undefined) news.push(running(next, now));
    }
    tell(news);
  }

  function tell(news: readonly ExecutionResultJson[]): void {
    for (const each of news) executions.set(each.executionId, each);
    position += news.length;
    sendNews({ executions: news });
  }

  function forget(ids: readonly string[]): void {
    for (const id of ids) executions.delete(id);
    sendNews({ deletedExecutionIds: ids });
  }

  function sendNews(news: Partial<WatchNodeResponseJson>, to?: Iterable<ServerResponse>): void {
    const nothing = { executions: [], deletedExecutionIds: [], reset: false };
    send('node', { position: String(position), ...nothing, ...news }, to);
  }

  function send(event: string, data: unknown, to: Iterable<ServerResponse> = streams): void {
    for (const stream of to)
      stream.write(`event: ${event}\nid: ${position}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  function view(): NodeViewJson {
    const counts = new Map<StatusName, number>();
    for (const { status } of executions.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
    const live = counts.get('EXECUTION_STATUS_RUNNING') ?? 0;
    const pending = counts.get('EXECUTION_STATUS_PENDING') ?? 0;
    return {
      nodeId: 'node_01m808w43wk1636248bf21bkjm',
      version: '0.1.0',
      state: node.state,
      startedAt: new Date(begun).toISOString(),
      slots: 16,
      running: live,
      pending,
      queueLimit: 20_000,
      counts: [...counts].map(([status, each]) => ({ status, count: String(each) })),
      supervisors: [
        {
          name: 'executions',
          state: 'serving',
          children: String(live + pending),
          queueLength: String(pending),
          restarts: '2',
        },
        { name: 'instances', state: 'serving', children: '7', queueLength: '0', restarts: '1' },
        {
          name: 'tasks',
          state: 'serving',
          children: String(taskNames.length),
          queueLength: '0',
          restarts: '0',
        },
      ],
      position: String(position),
      storeFault: node.storeFault,
      grpcAddress: '127.0.0.1:50051',
      hostAccess: true,
      traceUrl: '',
      time: new Date().toISOString(),
    };
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://node');
    if (url.pathname === '/api/events') return openStream(url, response);
    if (url.pathname === '/api/caller') {
      response.end(JSON.stringify({ name: 'anonymous', role: node.role, tenant: 'default' }));
      return;
    }
    if (!url.pathname.startsWith('/api/')) return sendFile(url.pathname, response);
    const method = url.pathname.slice('/api/'.length);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    const message = method.endsWith('RestoreExecution')
      ? { lines: text.split('\n').length }
      : (JSON.parse(text) as Request);
    calls.push({ method, request: message });
    const result = methods[method]?.(message as Request);
    const status = result === undefined ? 404 : 200;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(
        result ?? { error: { reason: 'EXECUTION_NOT_FOUND', message: `there is no such thing: ${method}` } },
      ),
    );
  }

  function openStream(url: URL, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    sendNews({ node: view() }, [response]);
    streams.add(response);
    response.on('close', () => streams.delete(response));
    const id = url.searchParams.get('execution');
    if (id === null) return;
    if (!executions.has(id)) {
      const message = `there is no execution ${id}`;
      send('fault', { error: { reason: 'EXECUTION_NOT_FOUND', message } }, [response]);
      return;
    }
    const from = Number(url.searchParams.get('from') ?? 1);
    const log = node.logs.get(id) ?? [];
    send('log', { events: log.filter(({ sequence }) => Number(sequence) >= from) }, [response]);
  }

  async function sendFile(path: string, response: ServerResponse): Promise<void> {
    const name = path === '/' ? 'index.html' : path.slice(1);
    const types: Record<string, string> = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
    try {
      const content = await readFile(join(files, name));
      response.writeHead(200, {
        'content-type': `${types[name.split('.').at(-1) ?? ''] ?? 'text/plain'}; charset=utf-8`,
        'content-security-policy': policy,
      });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  }
}
