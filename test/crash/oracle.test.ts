/** The oracle finds nothing in a history as it should be, and each of its rules finds what is against it. */
import { expect, test } from 'vitest';
import { ErrorCode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { calm, type Forged, forged, lost } from './forged.ts';
import { judge, rules } from './oracle.ts';
import { spoiledBatches } from './spoiled-batches.ts';
import { spoiledHooks } from './spoiled-hooks.ts';
import { spoiledSchedules } from './spoiled-schedules.ts';
import { at, createdAt, failedWith, final, type Spoil, setPatch, setResult, setTerms } from './spoiling.ts';
import { keyed } from './wasm-kinds.ts';

/** Five of the task with limits run as one of them did. */
function manyKeyed(history: Forged): void {
  setTerms(history, 1, { task: keyed.name });
  for (const id of ['exec_2', 'exec_3', 'exec_4', 'exec_5']) history.finals.set(id, final(history, calm));
}

const spoils: readonly Spoil[] = [
  ...spoiledHooks,
  ...spoiledBatches,
  ...spoiledSchedules,
  ['concurrency', 'more run at a time than its task allows', manyKeyed],
  ['rate', 'more start in a time than its task allows', manyKeyed],
  [
    'I1 one at a time',
    'an attempt goes on when the next has begun',
    ({ marks }) => marks.get(2)?.push({ attempt: 'a', what: 'end' }),
  ],
  [
    'effects are accounted for',
    'three attempts ran and the record knows two',
    ({ marks }) => marks.get(2)?.push({ attempt: 'c', what: 'start' }),
  ],
  [
    'effects are accounted for',
    'something ran of which there is no execution',
    ({ finals }) => finals.delete(lost),
  ],
  ['on_interrupt', 'a process that may not run again did', (h) => setTerms(h, 2, { onInterrupt: 'fail' })],
  ['on_interrupt', 'a loss to a crash does not count', (h) => setResult(h, lost, { recoveries: 0 })],
  ['on_interrupt', 'it was lost more often than is allowed', (h) => setTerms(h, 2, { maxRecoveries: 0 })],
  [
    'what is followed again says so',
    'what cannot be followed was',
    (h) => {
      const event = final(h, lost).log[4]?.event;
      if (event?.case === 'transition') event.value.eventType = 'reattached';
    },
  ],
  ['on_interrupt', 'an attempt that nothing accounts for', (h) => setResult(h, calm, { attempt: 2 })],
  [
    'on_interrupt',
    'what could have run again is INTERRUPTED',
    (h) => setResult(h, lost, failedWith(ErrorCode.INTERRUPTED)),
  ],
  [
    'on_interrupt',
    'what never began is INTERRUPTED',
    (h) => {
      setTerms(h, 1, { onInterrupt: 'fail' });
      setResult(h, calm, { ...failedWith(ErrorCode.INTERRUPTED), attempt: 0 });
    },
  ],
  [
    'what has had its input is followed',
    'a container that wrote was given up',
    (h) => setTerms(h, 2, { runtime: 'docker', onInterrupt: 'reattachOrRerun' }),
  ],
  ['I2 events', 'an event that was heard is gone', (h) => void final(h, calm).log.splice(2, 1)],
  [
    'I2 events',
    'an event that was heard is another',
    (h) => {
      const event = final(h, calm).log[2]?.event;
      if (event?.case === 'chunk') event.value.data = Buffer.from('hallo');
    },
  ],
  [
    'I2 events',
    'an event has another time',
    (h) => Object.assign(final(h, calm).log[1] ?? {}, { time: at(21) }),
  ],
  ['I2 results', 'the end that was told is another', (h) => setResult(h, lost, { exitCode: 1 })],
  [
    'I2 views',
    'more events were told of than there are',
    (h) =>
      h.told.push({ ...final(h, lost), kind: 'view', executionId: lost, lastSequence: 8, withOutput: true }),
  ],
  [
    'I2 views',
    'a state was told that the log does not have there',
    ({ told }) => {
      for (const each of told) if (each.kind === 'view') each.result.state = 'running.backingOff';
    },
  ],
  [
    'I2 cancels',
    'an accepted cancel was forgotten',
    ({ told }) => told.push({ kind: 'cancelled', executionId: calm, changed: true }),
  ],
  ['I3 numbers', 'a number is missing', (h) => void final(h, lost).log.splice(3, 1)],
  [
    'I3 numbers',
    'a number is there twice',
    (h) => Object.assign(final(h, lost).log[3] ?? {}, { sequence: 3n }),
  ],
  [
    'I3 positions',
    'two executions have one position',
    (h) => Object.assign(final(h, calm).log[3] ?? {}, { position: 5n }),
  ],
  ['I3 positions', 'positions go back', (h) => Object.assign(final(h, calm).log[2] ?? {}, { position: 1n })],
  [
    'I4 one end',
    'an execution ended twice',
    (h) => void final(h, calm).log.push(structuredClone(final(h, calm).log.at(-1) as never)),
  ],
  ['I4 one end', 'an execution never ended', (h) => void final(h, calm).log.pop()],
  [
    'I4 one end',
    'a final event that is no result',
    (h) => Object.assign(final(h, calm).log[2] ?? {}, { isFinal: true }),
  ],
  [
    'I4 record',
    'the record is another than the result',
    (h) => Object.assign(final(h, calm).result, { exitCode: 3 }),
  ],
  ['I4 record', 'the record knows fewer events', (h) => Object.assign(final(h, calm), { lastSequence: 3 })],
  [
    'log order',
    'a transition comes from another state',
    (h) => {
      const event = final(h, lost).log[4]?.event;
      if (event?.case === 'transition') event.value.from = 'running.attempting';
    },
  ],
  ['log order', 'an attempt comes back', (h) => Object.assign(final(h, lost).log[5] ?? {}, { attempt: 1 })],
  ['log order', 'time goes back', (h) => Object.assign(final(h, lost).log[5] ?? {}, { time: at(1) })],
  [
    'log order',
    'output before anything ran',
    (h) => {
      const { log } = final(h, calm);
      log.splice(1, 1);
    },
  ],
  [
    'I7 total deadline',
    'the deadline moved',
    (h) => setPatch(h, lost, 3, { totalDeadline: createdAt + 6000 }),
  ],
  ['I7 total deadline', 'the deadline is another', (h) => setPatch(h, lost, 0, { totalDeadline: createdAt })],
  ['I7 total deadline', 'the deadline is nowhere', (h) => setPatch(h, lost, 0, {})],
  [
    'I7 not early',
    'a total timeout came early',
    (h) => setResult(h, calm, failedWith(ErrorCode.TOTAL_TIMEOUT, ExecutionStatus.TIMED_OUT, 'timedOut')),
  ],
  ['I7 not early', 'a start time was not waited for', (h) => setTerms(h, 1, { startAfterMs: 500 })],
  [
    'I7 not late',
    'it went on past its total timeout',
    (h) => {
      setResult(h, calm, { completedAt: at(30_000) });
      h.runs[1] = {
        phase: 'last',
        readyAt: createdAt,
        endedAt: createdAt + 40_000,
        exit: '0',
        bugs: [],
        killed: false,
      };
    },
  ],
  ['I8 kept', 'an accepted execution is gone', ({ finals }) => finals.delete(calm)],
  [
    'I8 ended',
    'an execution is not over',
    (h) => setResult(h, calm, { isCompleted: false, state: 'pending.queued' }),
  ],
  [
    'refusals',
    'an execution that was heard of is not found',
    ({ told }) =>
      told.push({
        kind: 'refused',
        call: 'watch',
        executionId: calm,
        code: 'NOT_FOUND',
        reason: 'EXECUTION_NOT_FOUND',
        message: '',
      }),
  ],
  [
    'refused is not accepted',
    'what was refused ran',
    ({ told }) =>
      told.push({
        kind: 'refused',
        call: 'invoke',
        plan: 1,
        code: 'UNAVAILABLE',
        reason: 'DRAINING',
        message: '',
      }),
  ],
  [
    'one execution for each request',
    'an invocation id has two executions',
    (h) => setResult(h, calm, { metadata: { plan: '2' } }),
  ],
  [
    'one execution for each request',
    'an invocation id was told two executions',
    ({ told }) => told.push({ kind: 'admitted', plan: 2, executionId: calm, joined: true }),
  ],
  [
    'one execution for each request',
    'two callers made the same execution',
    ({ told }) => told.push({ kind: 'admitted', plan: 2, executionId: lost, joined: false }),
  ],
  ['output', 'output came twice', (h) => setTerms(h, 1, { stdout: Buffer.from('hel') })],
  ['output', 'output is missing', (h) => setTerms(h, 1, { stdout: Buffer.from('hello, world') })],
  ['output', 'the record has other output', (h) => setResult(h, calm, { output: Buffer.from('hell') })],
  ['output', 'a value is another', (h) => setTerms(h, 1, { value: '5' })],
  ['endings', 'what exits with 0 has failed', (h) => setResult(h, calm, failedWith(ErrorCode.INTERNAL))],
  ['endings', 'what exits with 1 has completed', (h) => setTerms(h, 1, { exitCode: 1 })],
  [
    'endings',
    'a cancel that nobody asked for',
    (h) => setResult(h, calm, failedWith(ErrorCode.CANCELLED, ExecutionStatus.CANCELLED, 'cancelled')),
  ],
  [
    'endings',
    'a queue timeout that nobody set',
    (h) => setResult(h, calm, failedWith(ErrorCode.QUEUE_TIMEOUT, ExecutionStatus.TIMED_OUT, 'timedOut')),
  ],
  [
    'endings',
    'INTERRUPTED although the server ran',
    (h) => {
      h.runs.shift();
      setResult(h, calm, failedWith(ErrorCode.INTERRUPTED));
    },
  ],
  [
    'endings',
    'output found no room although the disk was not full',
    (h) => {
      // The calm one ends 1000 ms after noon; the disk was full before.
      h.runs.splice(1, 0, fullDisk(500, 900));
      setResult(h, calm, failedWith(ErrorCode.OUTPUT_LIMIT));
    },
  ],
  [
    'I9 nothing left',
    'a container is left',
    ({ remains }) => remains.push({ when: 'afterwards', what: ['container'] }),
  ],
  [
    'the server ends as it is told to',
    'it ended by itself',
    ({ runs }) => Object.assign(runs[0] ?? {}, { exit: '1: out of memory', killed: false }),
  ],
  ['the server ends as it is told to', 'it never came to serve', ({ runs }) => void delete runs[0]?.readyAt],
  [
    'no bug of its own',
    'it logged a bug',
    ({ runs }) => Object.assign(runs[0] ?? {}, { bugs: ['bug: that'] }),
  ],
];

/** A run of the server whose disk was full, in milliseconds after the executions were admitted. */
function fullDisk(fromMs: number, toMs: number): Forged['runs'][number] {
  const endedAt = createdAt + toMs;
  return {
    phase: 'full',
    readyAt: createdAt + fromMs,
    faultAt: createdAt + fromMs,
    endedAt,
    exit: 'SIGKILL',
    bugs: [],
    killed: true,
  };
}

/** The rules that a history is against. */
function broken(history: Forged): Set<string> {
  return new Set(judge(history).map((line) => line.slice(0, line.indexOf(': '))));
}

test('a history as it should be is against no rule', () => {
  expect(judge(forged())).toEqual([]);
});

test('output that found no room on a full disk is no loss, and its beginning must be right', () => {
  const history = forged();
  history.runs.splice(1, 0, fullDisk(900, 1100));
  // Its end was heard by nobody.
  const end = final(history, calm).log.length;
  history.told.splice(
    history.told.findIndex((each) => each.kind === 'event' && Number(each.event.sequence) === end),
    1,
  );
  setTerms(history, 1, { stdout: Buffer.from('hello, world') });
  setResult(history, calm, failedWith(ErrorCode.OUTPUT_LIMIT));
  expect(judge(history)).toEqual([]);
  setTerms(history, 1, { stdout: Buffer.from('hallo, world') });
  expect(broken(history)).toEqual(new Set(['output']));
});

test.each(spoils)('%s: %s', (rule, _what, spoil) => {
  const history = forged();
  spoil(history);
  expect(broken(history)).toContain(rule);
});

test('every rule is seen to find something', () => {
  expect(new Set(spoils.map(([rule]) => rule))).toEqual(new Set(rules.map(({ name }) => name)));
});
