import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseInstant } from '../../src/cli/instant.ts';
import { CommandOutput } from '../../src/cli/output.ts';
import { Table } from '../../src/cli/table.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { plain, sitDown, Terminal } from './terminal.ts';

const count = 60;
let server: LocalServer;
let newest: string;

beforeAll(async () => {
  server = await startServer();
  await server.register('a-task-with-a-name-that-is-rather-long', 'noop/noop.wasm');
  for (let n = 0; n < count; n++) {
    const task = 'a-task-with-a-name-that-is-rather-long';
    newest = (
      await server.functions.invokeFunction({
        task,
        functionName: 'noop',
        executionMode: ExecutionMode.ASYNC,
      })
    ).executionId;
  }
});

afterAll(() => server.stop());

async function list(args: readonly string[], out = new Terminal()) {
  const seat = sitDown(['list', ...args], server.grpcAddress, { out });
  expect(await seat.ended, seat.err.text).toBe(0);
  return { lines: plain(out.text).trimEnd().split('\n'), note: seat.err.text };
}

describe('on a terminal', () => {
  test('the newest fifty are listed, and how to see more', async () => {
    const { lines, note } = await list([]);
    expect(lines).toHaveLength(1 + 50);
    expect(lines[1]).toContain(newest);
    expect(note).toBe('spear: the newest 50; --limit 0 lists all, --since and --status fewer\n');
  });

  test('as many are listed as are asked for, and 0 is all', async () => {
    expect((await list(['--limit', '7'])).lines).toHaveLength(1 + 7);
    const all = await list(['--limit', '0']);
    expect(all.lines).toHaveLength(1 + count);
    expect(all.note).toBe('');
  });

  test.for([34, 40, 60, 80, 100, 140])(
    'no line is wider than %d columns, and ids are whole',
    async (columns) => {
      const { lines } = await list([], new Terminal({ columns }));
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      expect(lines[1]).toContain(newest);
      expect(lines[0]).toMatch(columns < 60 ? /^EXECUTION/ : /EXECUTION +TASK +STATUS/);
    },
  );
});

test('elsewhere all are listed, as wide as they are', async () => {
  const { lines, note } = await list([], new Terminal({ isTTY: false, columns: 20 }));
  expect(lines).toHaveLength(1 + count);
  expect(lines[1]).toContain('a-task-with-a-name-that-is-rather-long');
  expect(note).toBe('');
});

test('those of a span of time are listed, in JSON, too', async () => {
  const pipe = () => new Terminal({ isTTY: false });
  expect((await list(['--since', '1h'], pipe())).lines).toHaveLength(1 + count);
  expect((await list(['--since', '1h', '--until', '30m'], pipe())).lines).toHaveLength(1);
  expect((await list(['--until', '2001-01-01'], pipe())).lines).toHaveLength(1);
  const out = pipe();
  await list(['--json', '--limit', '3'], out);
  expect((JSON.parse(out.text) as { executions: unknown[] }).executions).toHaveLength(3);
});

describe('an instant', () => {
  const now = Date.UTC(2026, 4, 31, 12);

  test.for<[string, number]>([
    ['2h', now - 7_200_000],
    ['1h30m', now - 5_400_000],
    ['2026-05-31', Date.UTC(2026, 4, 31)],
    ['2026-05-31T10:00:00Z', Date.UTC(2026, 4, 31, 10)],
    ['2026-05-31T10:00', Date.UTC(2026, 4, 31, 10)],
    ['2026-05-31 10:00:00.5', Date.UTC(2026, 4, 31, 10) + 500],
    ['2026-05-31T10:00:00+02:00', Date.UTC(2026, 4, 31, 8)],
  ])('%s is read in UTC', ([text, instant]) => {
    expect(parseInstant('--since', text, now)).toBe(instant);
  });

  test.for(['', 'yesterday', '2026-13-01', '2026-05-31T25:00', '5', '-2h', '2x', '10:00'])(
    '%j is refused',
    (text) => {
      expect(() => parseInstant('--since', text, now)).toThrow(UsageError);
      expect(() => parseInstant('--since', text, now)).toThrow(/^--since: /);
    },
  );
});

test('a function of an interface is told by its own name on a terminal, and in full elsewhere', async () => {
  await server.register('calc', 'typed/typed.wasm');
  await server.functions.invokeFunction({ task: 'calc', functionName: 'ping' });
  const number = (value: number) => ({ kind: { case: 'numberValue' as const, value } });
  await server.functions.invokeFunction({
    task: 'calc',
    functionName: 'add',
    parameters: { a: number(1), b: number(2) },
  });
  const args = ['--task', 'calc'];
  expect((await list(args)).lines.slice(1).map((line) => line.split(/ {2,}/)[1])).toEqual([
    'calc add',
    'calc ping',
  ]);
  const { lines } = await list(args, new Terminal({ isTTY: false }));
  expect(lines[1]).toContain('  calc spear:examples/calc@0.1.0#add  ');
});

test('where there is no room for more, the status stays beside the id', async () => {
  const { lines } = await list(['--limit', '1'], new Terminal({ columns: 42 }));
  expect(lines[0]).toMatch(/^EXECUTION +STATUS$/);
});

test('a long name is cut before the columns beside it are left out', async () => {
  const out = new Terminal({ columns: 30 });
  const table = new Table(new CommandOutput(out), ['ID', 'LONG', 'TIME'], {
    optional: ['TIME'],
    elastic: ['LONG'],
  });
  await table.write([['id-0001', 'a-name-that-is-rather-long', '12 ms']]);
  expect(plain(out.text)).toBe('ID       LONG            TIME\nid-0001  a-name-that-i…  12 ms\n');
});

test('a narrow column stays where a wide one beside it makes room enough', async () => {
  const out = new Terminal({ columns: 16 });
  const table = new Table(new CommandOutput(out), ['ID', 'WIDE', 'B'], { optional: ['B', 'WIDE'] });
  await table.write([['id-0001', 'wide enough', '12 ms']]);
  expect(plain(out.text)).toBe('ID       B\nid-0001  12 ms\n');
});

test('of columns that may go, one that says nothing goes first', async () => {
  const out = new Terminal({ columns: 12 });
  const table = new Table(new CommandOutput(out), ['A', 'LONG', 'B'], {
    optional: ['A', 'B'],
    elastic: ['LONG'],
  });
  await table.write([['aaaa', 'bbbbbbbb', '']]);
  // B is empty, and without it the rest is still too wide by two.
  expect(plain(out.text)).toBe('LONG\nbbbbbbbb\n');
});
