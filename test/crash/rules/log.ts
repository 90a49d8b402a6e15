/** I3 and I4: what every log of an execution that has ended looks like. */
import type { History } from '../history.ts';
import { eachExecution, type Rule, timeOf } from './rule.ts';
import { resultBytes } from './same.ts';

const numbers = eachExecution('I3 numbers', function* ({ log }) {
  for (const [index, { sequence }] of log.entries()) {
    if (sequence !== BigInt(index + 1)) yield `event ${index + 1} has the number ${sequence}`;
  }
});

const positions: Rule = {
  name: 'I3 positions',
  *check({ finals }: History) {
    const owners = new Map<bigint, string>();
    for (const [executionId, { log }] of finals) {
      let last = 0n;
      for (const { position, sequence } of log) {
        if (position <= last) yield `${executionId}: event ${sequence} is at ${position}, after ${last}`;
        const owner = owners.get(position);
        if (owner !== undefined) yield `${executionId} and ${owner} both have an event at ${position}`;
        owners.set(position, executionId);
        last = position;
      }
    }
  },
};

const ending = eachExecution('I4 one end', function* ({ log }) {
  const ends = log.filter(({ isFinal }) => isFinal);
  if (ends.length !== 1) yield `its log has ${ends.length} ends`;
  const last = log.at(-1);
  if (last === undefined || !last.isFinal) yield 'its log goes on after its end, or never comes to it';
  if (log.some(({ isFinal, event }) => isFinal !== (event.case === 'result'))) {
    yield 'its end is no result, or a result is no end';
  }
});

const record = eachExecution('I4 record', function* ({ result, lastSequence, log }) {
  const end = log.at(-1);
  if (!result.isCompleted) yield `its record says ${result.state}`;
  if (lastSequence !== log.length) yield `its record says ${lastSequence} events, its log has ${log.length}`;
  if (end?.event.case !== 'result') return;
  if (!resultBytes(end.event.value, true).equals(resultBytes(result, true))) {
    yield 'its record is not the result that its log ends with';
  }
  if (end.status !== result.status || end.attempt !== result.attempt) {
    yield 'its last event has another status or attempt than its record';
  }
});

const chart = eachExecution('log order', function* ({ log }) {
  let state = '';
  let attempt = 0;
  let time = 0;
  for (const event of log) {
    const { sequence } = event;
    if (event.attempt < attempt) yield `event ${sequence} goes back to attempt ${event.attempt}`;
    if (timeOf(event) < time) yield `event ${sequence} is earlier than the one before`;
    attempt = event.attempt;
    time = timeOf(event);
    if (event.event.case === 'chunk' && !state.startsWith('running.')) {
      yield `event ${sequence} is output while ${state}`;
    }
    if (event.event.case !== 'transition') continue;
    const { from, to } = event.event.value;
    if (from !== state) yield `event ${sequence} comes from ${from} while it was ${state}`;
    state = to;
  }
});

export const logRules: readonly Rule[] = [numbers, positions, ending, record, chart];
