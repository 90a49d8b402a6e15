import { expect, test } from 'vitest';
import { patched } from '../../../../src/visualizer/page/execution/log/context.ts';
import { LogIndex } from '../../../../src/visualizer/page/execution/log/log-index.ts';
import { stepOf } from '../../../../src/visualizer/page/execution/log/step.ts';
import { EventLog } from '../../../../src/visualizer/page/model/event-log.ts';
import type { LogEvent } from '../../../../src/visualizer/page/model/log-event.ts';
import { processorTime } from '../../../support/processor-time.ts';
import { completed, failedAfterRetries, recordings, timedOutWithKill } from './recordings.ts';

function indexOf(log: EventLog): LogIndex {
  const index = new LogIndex(log);
  index.catchUp();
  return index;
}

test.each(Object.keys(recordings))(
  '%s stands at every event where a fold from the beginning leads',
  (name) => {
    const run = recordings[name]?.();
    if (run === undefined) throw new Error(name);
    const log = run.log();
    const index = indexOf(log);
    let context = {};
    let state = '';
    let steps = 0;
    for (let place = 0; place < log.length.value; place += 1) {
      const event = log.at(place) as LogEvent;
      const step = stepOf(event, steps, state);
      if (step !== undefined) {
        context = patched(context, step.patch());
        state = step.to;
        steps += 1;
      }
      const logState = index.stateAt(event.sequence);
      expect(logState).toMatchObject({ sequence: event.sequence, state, attempt: event.attempt });
      expect(logState.context).toEqual(context);
    }
  },
);

test('a result is a step: the log tells the way into a final state by nothing else', () => {
  const index = indexOf(timedOutWithKill().log());
  const last = index.steps.at(-1);
  expect(last).toMatchObject({
    from: 'running.stopping',
    to: 'timedOut',
    eventType: 'attemptEnded',
    isFinal: true,
  });
  const { context } = index.stateAt(Number.POSITIVE_INFINITY);
  expect(context.outcome).toMatchObject({
    code: 'ATTEMPT_TIMEOUT',
    termination: { rung: 'kill', tookMs: 5060 },
  });
});

test('ways are counted up to the event that is looked at', () => {
  const index = indexOf(failedAfterRetries().log());
  const retries = (sequence: number) =>
    index.stateAt(sequence).ways.get('running.attempting→running.backingOff')?.count;
  expect(retries(10)).toBeUndefined();
  expect(retries(60)).toBe(1);
  expect(retries(Number.POSITIVE_INFINITY)).toBe(2);
});

test('a null in a patch takes the key away, and a key named __proto__ is a key', () => {
  const context = patched({ retryAt: 5, attempt: 1 }, JSON.parse('{"retryAt":null,"__proto__":{"x":1}}'));
  expect(Object.keys(context)).toEqual(['attempt', '__proto__']);
  expect(Object.getPrototypeOf(context)).toBe(Object.prototype);
});

test('the neighbours of an event are the transitions around it', () => {
  const index = indexOf(completed().log());
  expect(index.neighbour(10, -1)?.sequence).toBe(2);
  expect(index.neighbour(2, -1)?.sequence).toBe(1);
  expect(index.neighbour(1, -1)).toBeUndefined();
  expect(index.neighbour(2, 1)?.isFinal).toBe(true);
});

test('it grows with the log and looks at no event twice', () => {
  const whole = failedAfterRetries().log();
  const log = new EventLog();
  const index = new LogIndex(log);
  for (let from = 0; from < whole.length.value; from += 7) {
    log.append(whole.slice(from, from + 7));
    index.catchUp();
    index.catchUp();
  }
  const other = indexOf(whole);
  expect(index.steps.length).toBe(other.steps.length);
  expect(index.outputBytes).toBe(other.outputBytes);
  // Without their methods, which no two steps share.
  const plain = (logState: object) => JSON.stringify(logState);
  expect(plain(index.stateAt(70))).toBe(plain(other.stateAt(70)));
});

test('a hundred thousand events are taken in, and any of them is found, in no time', () => {
  const log = new EventLog();
  const data = new TextEncoder().encode('line\n');
  const transition = (sequence: number, from: string, to: string): LogEvent => ({
    sequence,
    position: sequence,
    time: sequence * 10,
    status: 'running',
    attempt: 1,
    kind: 'transition',
    transition: {
      from,
      to,
      eventType: 'alarm',
      reasonCode: '',
      contextPatch: `{"n":${sequence}}`,
      chartVersion: 2,
    },
  });
  const events: LogEvent[] = [];
  for (let sequence = 1; sequence <= 100_000; sequence += 1) {
    if (sequence % 10 === 1) {
      const [from, to] = sequence % 20 === 1 ? ['a', 'b'] : ['b', 'a'];
      events.push(transition(sequence, from as string, to as string));
    } else {
      const head = {
        sequence,
        position: sequence,
        time: sequence * 10,
        status: 'running',
        attempt: 1,
      } as const;
      events.push({ ...head, kind: 'chunk', chunk: { stream: 'stdout', data } });
    }
  }
  log.append(events);
  const taken = processorTime(() => indexOf(log));
  const index = indexOf(log);
  const asked = processorTime(() => {
    for (let sequence = 500; sequence <= 100_000; sequence += 500) {
      expect(index.stateAt(sequence).context.n).toBe(sequence - 9);
    }
  });
  const each = asked / 200;
  // Far above what it takes, far below what anyone would notice.
  expect(taken).toBeLessThan(2000);
  expect(each).toBeLessThan(8);
});
