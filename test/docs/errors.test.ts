/** Holds the tables of docs/errors.md against the code that they describe. */
import { readdir, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/actors/time/system-clock.ts';
import { exitCodeOf, exitCodes } from '../../src/cli/exit-codes.ts';
import { explain } from '../../src/cli/rpc-error.ts';
import { errorAdvice } from '../../src/domain/error-advice.ts';
import { errorCodes, RequestError, type RequestErrorKind } from '../../src/domain/errors.ts';
import { alwaysAs } from '../../src/server/access/authenticator.ts';
import { OpenCalls } from '../../src/server/access/open-calls.ts';
import { PageAccess } from '../../src/server/access/page-access.ts';
import { Arrivals } from '../../src/server/arrivals.ts';
import { ByteBudget } from '../../src/server/byte-budget.ts';
import type { FunctionService as FunctionHandlers } from '../../src/server/function-service.ts';
import {
  ErrorCode,
  ErrorOrigin,
  ExecutionResultSchema,
  ExecutionStatus,
  FunctionService,
} from '../../src/server/gen/spearlet/function_pb.js';
import { createHttpServer } from '../../src/server/http-server.ts';
import { grpcCodes, statusOf } from '../../src/server/status.ts';
import { Watchers } from '../../src/server/watchers.ts';
import { errorCodeToWire, originToWire } from '../../src/server/wire/enums.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = await readFile(join(root, 'docs/errors.md'), 'utf8');

type Row = Readonly<Record<string, string>>;

/** The rows of the table that has these columns, by column; backquotes are left out. */
function table(...columns: readonly string[]): Row[] {
  const lines = page.split('\n');
  const head = lines.indexOf(`| ${columns.join(' | ')} |`);
  if (head < 0) throw new Error(`docs/errors.md has no table with the columns ${columns.join(', ')}`);
  const rows: Row[] = [];
  for (const line of lines.slice(head + 2)) {
    if (!line.startsWith('|')) break;
    const cells = line
      .replace(/^\| ?|\|$/g, '')
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', ''));
    expect(cells, `the cells of ${line}`).toHaveLength(columns.length);
    rows.push(Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? ''])));
  }
  return rows;
}

function column(rows: readonly Row[], name: string): string[] {
  return rows.map((row) => row[name] ?? '');
}

const executionErrors = table('code', 'origin', 'retried', 'CLI', 'what it means', 'what to do');
const statuses = table('gRPC status', 'number', 'HTTP', 'what it means');
const reasons = table('reason', 'gRPC status', 'retry', 'CLI', 'when', 'metadata');
const exits = table('exit', 'when');

/** `UPPER_SNAKE_CASE` names of a generated enum, without the unspecified one. */
function namesOf(wireEnum: object): string[] {
  return Object.keys(wireEnum).filter((name) => Number.isNaN(Number(name)) && name !== 'UNSPECIFIED');
}

function exitOf(code: string, exitCode?: number): number {
  return exitCodeOf(
    create(ExecutionResultSchema, {
      isCompleted: true,
      status: ExecutionStatus.FAILED,
      errorCode: errorCodeToWire[code as keyof typeof errorCodes],
      ...(exitCode !== undefined && { exitCode }),
    }),
  );
}

describe('the table of execution errors', () => {
  test('has each code once, in the order of the code', () => {
    expect(column(executionErrors, 'code')).toEqual(Object.keys(errorCodes));
  });

  test('has the codes of the proto', () => {
    expect(column(executionErrors, 'code').sort()).toEqual(namesOf(ErrorCode).sort());
  });

  test('says for each who can do something about it, and whether it is retried', () => {
    const told = executionErrors.map((row) => [row.code, row.origin, row.retried]);
    const known = Object.entries(errorCodes).map(([code, { origin, retryable }]) => [
      code,
      origin,
      retryable ? 'yes' : 'no',
    ]);
    expect(told).toEqual(known);
  });

  test('says what to do as an explanation does', () => {
    const told = Object.fromEntries(executionErrors.map((row) => [row.code, row['what to do']]));
    expect(told).toEqual(errorAdvice);
  });

  test('has the origins of the proto', () => {
    const origins = new Set(column(executionErrors, 'origin'));
    expect([...origins].map((origin) => origin.toUpperCase()).sort()).toEqual(namesOf(ErrorOrigin).sort());
    expect([...origins].sort()).toEqual(Object.keys(originToWire).sort());
  });

  test.each(executionErrors)('has what the command exits with after $code', ({ code = '', CLI }) => {
    if (CLI === 'own') expect([exitOf(code, 7), exitOf(code, 139)]).toEqual([7, 139]);
    else expect(exitOf(code)).toBe(Number(CLI));
  });
});

describe('the table of request errors', () => {
  test('has each kind once, with its gRPC status', () => {
    const told = statuses.map((row) => [row['gRPC status'], Number(row.number)]);
    const known = Object.entries(grpcCodes).map(([kind, code]) => [kind.toUpperCase(), code]);
    expect(told.sort()).toEqual(known.sort());
    for (const [name, code] of told) expect(status[Number(code)]).toBe(name);
  });

  test('has the HTTP status that each is answered with', async () => {
    const told = Object.fromEntries(statuses.map((row) => [row['gRPC status'], Number(row.HTTP)]));
    expect(told).toEqual(await httpStatuses(Object.keys(grpcCodes) as RequestErrorKind[]));
  });
});

describe('the table of reasons', () => {
  test('has each reason that the code gives', async () => {
    expect(column(reasons, 'reason').sort()).toEqual(await reasonsInSource());
  });

  test('names only statuses of the table before', () => {
    expect(column(statuses, 'gRPC status')).toEqual(
      expect.arrayContaining([...new Set(column(reasons, 'gRPC status'))]),
    );
  });

  test.each(reasons)('has what the command exits with after $reason', (row) => {
    const kind = String(row['gRPC status']).toLowerCase() as RequestErrorKind;
    const error = new RequestError(kind, 'refused', {
      reason: row.reason ?? '',
      ...(row.retry !== '' && { retryAfterMs: 1000 }),
    });
    expect(explain(statusOf(error), '127.0.0.1:50051').exitCode).toBe(Number(row.CLI));
  });
});

test('an error over HTTP has the fields that the page names, and a header with the delay', async () => {
  const named = /An error body is `\{"error": \{(?<fields>[^}]*)\}\}`/.exec(page)?.groups?.fields;
  const error = new RequestError('resource_exhausted', 'refused', {
    reason: 'QUEUE_FULL',
    violations: [{ field: 'task', description: 'is one too many' }],
    quota: 'queue-limit',
    retryAfterMs: 1500,
    metadata: { task: 'echo' },
  });
  const answer = await fetch(await throwing(() => error));
  const body = (await answer.json()) as { error: object };
  expect(
    Object.keys(body.error)
      .map((name) => `"${name}"`)
      .join(', '),
  ).toBe(named);
  expect(body.error).toHaveProperty('retryAfterMs', 1500);
  expect(answer.headers.get('retry-after')).toBe('2');
});

test('the table of exit codes has those of the command', () => {
  expect(column(exits, 'exit').map(Number)).toEqual(
    Object.values(exitCodes)
      .map(({ code }) => code)
      .sort((a, b) => a - b),
  );
});

/** What the HTTP side answers when a handler throws each kind. */
async function httpStatuses(kinds: readonly RequestErrorKind[]): Promise<Record<string, number>> {
  let kind: RequestErrorKind = 'internal';
  const address = await throwing(() => new RequestError(kind, 'refused', { reason: 'INTERNAL' }));
  const answers: Record<string, number> = {};
  for (kind of kinds) {
    const answer = await fetch(address);
    answers[kind.toUpperCase()] = answer.status;
    await answer.arrayBuffer();
  }
  return answers;
}

/** The address of a handler that throws. */
async function throwing(error: () => RequestError): Promise<string> {
  const handlers = {
    getExecutionStatus: () => Promise.reject(error()),
  } as unknown as FunctionHandlers;
  const budget = new ByteBudget(1024);
  const server = createHttpServer({
    clock: systemClock,
    budget,
    arrivals: new Arrivals(budget, systemClock, { idleMs: 1000, totalMs: 1000 }),
    authenticator: alwaysAs({ name: 'test', role: 'admin' }),
    hosts: { isOurs: () => true },
    pageAccess: new PageAccess(systemClock),
    watchers: new Watchers({ most: 1, perCaller: 1, perPrincipal: 1 }),
    calls: new OpenCalls(systemClock, { perPrincipal: 1, perAddress: 1 }),
    maxUploadBytes: 1024,
    maxRequestValues: 1024,
    bug: () => 'id',
    storeFailed: () => {},
    maxRequestBytes: 1024,
    services: [{ service: FunctionService, handlers: { ...handlers } }],
    functions: handlers,
    handshakeMs: 10_000,
    readiness: () => ({ ready: true, reason: 'serving' }),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}/status/exec_0`;
}

/** Every literal reason of a request error under `src/`, and those that `notFound` makes of a word. */
async function reasonsInSource(): Promise<string[]> {
  const found = new Set([
    'TASK_NOT_FOUND',
    'EXECUTION_NOT_FOUND',
    'FUNCTION_NOT_FOUND',
    'SCHEDULE_NOT_FOUND',
    'NODE_NOT_FOUND',
  ]);
  const files = await readdir(join(root, 'src'), { recursive: true });
  for (const file of files) {
    if (!file.endsWith('.ts') || file.startsWith('server/gen/')) continue;
    const source = await readFile(join(root, 'src', file), 'utf8');
    for (const [, reason = ''] of source.matchAll(/\breason: '([A-Z][A-Z_]+)'/g)) found.add(reason);
  }
  // Answers of HTTP alone, which no request error stands behind.
  for (const reason of ['HOST_NOT_ALLOWED', 'METHOD_NOT_ALLOWED', 'TYPE_NOT_ALLOWED']) found.delete(reason);
  return [...found].sort();
}
