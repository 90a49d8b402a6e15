import { expect, test } from 'vitest';
import { LiveCursor, StoredCursor } from '../../src/actors/log/cursors.ts';
import type { LiveLog } from '../../src/actors/log/live-log.ts';
import { readOutput } from '../../src/observers/output.ts';
import { admit, change, complete, dispatch, logBench, text } from '../actors/log-bench.ts';
import { settle } from '../support/fake-clock.ts';

const plenty = 3 * 1024 * 1024;

async function outputOf(write: (log: LiveLog) => void | Promise<void>, maxBytes = plenty) {
  const { open } = logBench();
  const log = open('exec_1');
  admit(log);
  dispatch(log);
  await write(log);
  if (!log.sealed) complete(log);
  await settle();
  const cursor = new LiveCursor(log);
  const { stdout, stderr, truncated } = await readOutput(cursor, cursor.record, maxBytes);
  return { stdout: Buffer.from(stdout).toString(), stderr: Buffer.from(stderr).toString(), truncated };
}

test('both streams, each in its own order', async () => {
  const output = await outputOf((log) => {
    for (const [stream, what] of [
      ['stdout', 'a'],
      ['stderr', 'x'],
      ['stdout', 'b'],
      ['stderr', 'y'],
    ] as const) {
      void log.write(stream, text(what));
    }
  });
  expect(output).toEqual({ stdout: 'ab', stderr: 'xy', truncated: false });
});

test('the last attempt alone', async () => {
  const output = await outputOf((log) => {
    void log.write('stdout', text('first'));
    change(log, { state: 'running.backingOff' });
    dispatch(log, 2);
    void log.write('stdout', text('second'));
  });
  expect(output.stdout).toBe('second');
});

test('a last attempt that wrote nothing has no output, whatever the first wrote', async () => {
  const output = await outputOf((log) => {
    void log.write('stdout', text('first'));
    change(log, { state: 'running.backingOff' });
    dispatch(log, 2);
  });
  expect(output).toEqual({ stdout: '', stderr: '', truncated: false });
});

test('it is cut at the most that is wanted of both streams together, and says so', async () => {
  const write = (log: LiveLog): void => {
    void log.write('stdout', text('12345'));
    void log.write('stderr', text('67890'));
  };
  expect(await outputOf(write, 10)).toEqual({ stdout: '12345', stderr: '67890', truncated: false });
  expect(await outputOf(write, 7)).toEqual({ stdout: '12345', stderr: '67', truncated: true });
  expect(await outputOf(write, 5)).toEqual({ stdout: '12345', stderr: '', truncated: true });
  expect(await outputOf(write, 0)).toEqual({ stdout: '', stderr: '', truncated: true });
});

const value = (log: LiveLog): void => {
  void log.write('stdout', text('printed'));
  void log.write('stderr', text('warned'));
  log.end({ state: 'completed', status: 'completed' }, { status: 'completed', output: '{"sum":3}' });
};

test('a typed function’s output is its value; what it printed is in the log', async () => {
  expect(await outputOf(value)).toEqual({ stdout: '{"sum":3}', stderr: 'warned', truncated: false });
});

test('a typed value that does not fit is left out whole, and stderr is still there', async () => {
  expect(await outputOf(value, 8)).toEqual({ stdout: '', stderr: 'warned', truncated: true });
  expect(await outputOf(value, 9)).toEqual({ stdout: '{"sum":3}', stderr: '', truncated: true });
});

test('the value of a failed function is its output too', async () => {
  const output = await outputOf((log) =>
    log.end(
      { state: 'failed', status: 'failed' },
      { status: 'failed', code: 'FUNCTION_ERROR', message: 'no', output: '1' },
    ),
  );
  expect(output.stdout).toBe('1');
});

test('a log larger than a page, and than what memory keeps of it, is read whole', async () => {
  const output = await outputOf(async (log) => {
    for (let n = 0; n < 30; n++) {
      await log.write('stdout', Buffer.alloc(50_000, 97 + (n % 26)));
      await settle();
    }
  });
  const expected = Array.from({ length: 30 }, (_, n) =>
    String.fromCharCode(97 + (n % 26)).repeat(50_000),
  ).join('');
  expect(output.truncated).toBe(false);
  expect(output.stdout === expected).toBe(true);
});

test('a large log is read no further than what is wanted of it', async () => {
  const { open, store } = logBench();
  const log = open('exec_1');
  admit(log);
  dispatch(log);
  for (let n = 0; n < 60; n++) {
    await log.write('stdout', Buffer.alloc(64 * 1024, 1));
    await settle();
  }
  complete(log);
  await settle();
  let pages = 0;
  const events = store.events.bind(store);
  store.events = (...query) => {
    pages++;
    return events(...query);
  };
  const cursor = new LiveCursor(log);
  const { stdout, truncated } = await readOutput(cursor, cursor.record, 100);
  expect(stdout.byteLength).toBe(100);
  expect(truncated).toBe(true);
  expect(pages).toBe(1);
});

test('of an execution that still runs it is what there was when the record was taken', async () => {
  const { clock, open } = logBench();
  const log = open('exec_1');
  admit(log);
  dispatch(log);
  void log.write('stdout', text('so far'));
  await clock.advance(5);
  const cursor = new LiveCursor(log);
  const { record } = cursor;
  void log.write('stdout', text(', and more'));
  await clock.advance(5);
  const { stdout, truncated } = await readOutput(cursor, record, plenty);
  expect(Buffer.from(stdout).toString()).toBe('so far');
  expect(truncated).toBe(false);
});

test('of a log that is no longer kept it is empty, and said to be cut', async () => {
  const { store, open } = logBench();
  const log = open('exec_1');
  admit(log);
  dispatch(log);
  void log.write('stdout', text('kept once'));
  complete(log);
  await settle();
  await store.retain({ endedBefore: 0, maxBytes: 1500, now: 0, unusedForMs: 0 });
  const record = await store.execution('exec_1');
  if (record === undefined) throw new Error('its record is to be kept');
  const { stdout, stderr, truncated } = await readOutput(new StoredCursor(store, record), record, plenty);
  expect([stdout.byteLength, stderr.byteLength, truncated]).toEqual([0, 0, true]);
});

test('of an execution that was deleted meanwhile it is empty, and said to be cut', async () => {
  const { store, open } = logBench();
  const log = open('exec_1');
  admit(log);
  dispatch(log);
  void log.write('stdout', text('kept once'));
  complete(log);
  await settle();
  const record = await store.execution('exec_1');
  if (record === undefined) throw new Error('it is in the store');
  await store.delete('exec_1');
  const { stdout, truncated } = await readOutput(new StoredCursor(store, record), record, plenty);
  expect([stdout.byteLength, truncated]).toEqual([0, true]);
});
