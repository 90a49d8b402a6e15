import { describe, expect, it } from 'vitest';
import { streamExecutionResultDefaults } from '../../../src/visualizer/page/gen/defaults.ts';
import { EventLog } from '../../../src/visualizer/page/model/event-log.ts';
import { rowOf } from '../../../src/visualizer/page/model/execution-row.ts';
import { eventOf, type LogEvent } from '../../../src/visualizer/page/model/log-event.ts';
import {
  agoText,
  countText,
  durationText,
  sizeText,
  wholeSecondsText,
} from '../../../src/visualizer/page/model/quantity.ts';
import { base64Of, bytesOf } from '../../../src/visualizer/page/model/scalar.ts';
import { statuses, statusName, statusOf } from '../../../src/visualizer/page/model/status.ts';
import { lookOf } from '../../../src/visualizer/page/theme/tone.ts';
import { processorTime } from '../../support/processor-time.ts';
import { ended, execution } from './made-executions.ts';

const event = (sequence: number): LogEvent => ({
  kind: 'chunk',
  sequence,
  position: sequence,
  time: sequence,
  status: 'running',
  attempt: 1,
  chunk: { stream: 'stdout', data: new Uint8Array() },
});

describe('an execution off the wire', () => {
  it('has numbers, instants and words', () => {
    const row = rowOf({
      ...ended(execution(Date.parse('2026-11-22T00:00:00Z'), 1), Date.parse('2026-11-22T00:00:02Z'), 4),
      status: 'EXECUTION_STATUS_TIMED_OUT',
      errorCode: 'ERROR_CODE_ATTEMPT_TIMEOUT',
      errorOrigin: 'ERROR_ORIGIN_POLICY',
      queueTimeMs: '12',
      termination: { rung: 'terminate', tookMs: '5000' },
    });
    expect(row).toMatchObject({
      status: 'timedOut',
      errorCode: 'ATTEMPT_TIMEOUT',
      errorOrigin: 'policy',
      queueTimeMs: 12,
      termination: { rung: 'terminate', tookMs: 5000 },
    });
    expect((row.completedAt ?? 0) - row.createdAt).toBe(2000);
  });

  it('keeps every status there and back', () => {
    for (const status of statuses) expect(statusOf(statusName(status))).toBe(status);
  });

  it('keeps every byte there and back', () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 256);
    expect(bytesOf(base64Of(bytes))).toEqual(bytes);
  });
});

describe('an event off the wire', () => {
  it('is one of four kinds, and nothing where the page does not know its kind', () => {
    const head = {
      ...streamExecutionResultDefaults,
      executionId: 'exec_1',
      sequence: '7',
      position: '9007199254740993',
      time: '2026-11-22T00:00:00.250Z',
      status: 'EXECUTION_STATUS_RUNNING',
      attempt: 2,
      isFinal: false,
    } as const;
    const chunk = eventOf({ ...head, chunk: { stream: 'OUTPUT_STREAM_STDERR', data: btoa('oh\n') } });
    expect(chunk).toMatchObject({ kind: 'chunk', sequence: 7, chunk: { stream: 'stderr' } });
    expect(eventOf({ ...head, result: execution(0, 1) })).toMatchObject({ kind: 'result' });
    const refusal = eventOf({
      ...head,
      refusal: { host: 'db.example', port: 5432, address: '', rule: 'unlisted', more: '0' },
    });
    const text = 'db.example:5432 refused: not in the network list of the task';
    expect(refusal).toMatchObject({ kind: 'refusal', sequence: 7, text });
    expect(eventOf(head)).toBeUndefined();
  });
});

describe('the log of an execution', () => {
  it('takes each event once, though a new connection tells some again', () => {
    const log = new EventLog();
    log.append([event(1), event(2), event(3)]);
    log.append([event(2), event(3), event(4)]);
    expect(log.length.value).toBe(4);
    expect(log.lastSequence).toBe(4);
  });

  it('finds an event by its number, also where retention left a gap', () => {
    const log = new EventLog();
    log.append([event(1), event(2), event(40), event(41)]);
    expect(log.indexOf(0)).toBe(-1);
    expect(log.indexOf(2)).toBe(1);
    expect(log.indexOf(39)).toBe(1);
    expect(log.indexOf(40)).toBe(2);
    expect(log.indexOf(1000)).toBe(3);
  });

  it('takes a hundred thousand events in a moment', () => {
    const log = new EventLog();
    const events = Array.from({ length: 100_000 }, (_, index) => event(index + 1));
    const spent = processorTime(() => {
      for (let from = 0; from < events.length; from += 50) log.append(events.slice(from, from + 50));
    });
    expect(spent).toBeLessThan(5000);
  });
});

describe('quantities in words', () => {
  it.each([
    [0, '0 ms'],
    [4.25, '4.3 ms'],
    [999, '999 ms'],
    [1000, '1.00 s'],
    [12_340, '12.3 s'],
    [59_949, '59.9 s'],
    [59_960, '1 m 00 s'],
    [3_599_400, '59 m 59 s'],
    [3_600_000, '1 h 00 m'],
    [273_600_000, '3 d 04 h'],
  ])('%d ms last %s', (ms, text) => expect(durationText(ms)).toBe(text));

  it('count and measure', () => {
    expect(countText(1_234_567)).toBe('1,234,567');
    expect(sizeText(1536)).toBe('1.5 KiB');
    expect(sizeText(64 * 1024 * 1024)).toBe('64 MiB');
    expect(agoText(61_000)).toBe('1 m ago');
    expect(wholeSecondsText(7900)).toBe('7 s');
  });
});

describe('the look of a state', () => {
  it('tells states apart without their colours', () => {
    const states = [
      'pending.waiting',
      'pending.queued',
      'pending.held',
      'running.attempting',
      'running.backingOff',
      'running.stopping',
      'completed',
      'failed',
      'timedOut',
      'cancelled',
    ];
    expect(new Set(states.map((state) => lookOf(state).shape)).size).toBe(states.length);
  });

  it('has a word for a state that the page has never heard of', () => {
    expect(lookOf('running.dreaming', 'running')).toMatchObject({
      tone: 'running',
      word: 'running.dreaming',
    });
    expect(lookOf('odd')).toMatchObject({ word: 'odd' });
  });
});
