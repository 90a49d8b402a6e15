/** The oracle finds nothing in a run as it should be, and each of its rules finds what is against it. */
import { expect, test } from 'vitest';
import { ErrorCode, ErrorOrigin, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import type { Attack, AttackEnd, History } from './history.ts';
import { latencies, percentile } from './latency.ts';
import { judge, rules } from './oracle.ts';
import { ranAsRoot } from './process-attacks.ts';

const trapped: AttackEnd = {
  status: ExecutionStatus.FAILED,
  code: ErrorCode.TRAP,
  origin: ErrorOrigin.USER,
  message: 'trapped: unreachable',
};
const lost: AttackEnd = {
  status: ExecutionStatus.FAILED,
  code: ErrorCode.INSTANCE_LOST,
  origin: ErrorOrigin.PLATFORM,
  message: 'lost',
};
const neverStarted: AttackEnd = { ...lost, code: ErrorCode.START_FAILED, message: 'no such import' };
const attack: Attack = {
  name: 'random calls',
  number: '0.0',
  refusals: [],
  ends: [trapped],
  leaks: [],
  random: false,
};
const refused = { code: 'INVALID_ARGUMENT', reason: 'INVALID_ARGUMENT', message: 'artifact is too large' };
const use = { residentBytes: 2e8, heapBytes: 3e7, descriptors: 300 };
const good: History = {
  calls: [{ innocent: 'reused', phase: 'attack', ms: 1, problem: '' }],
  attacks: [
    attack,
    { ...attack, refusals: [refused], ends: [] },
    { ...attack, random: true, ends: [neverStarted] },
  ],
  use: { before: use, most: use, after: use },
  touched: [],
  unfinished: [],
  remains: [],
  bugs: [],
  exit: { code: 0, signal: null },
};

type Spoilt = readonly [rule: string, what: string, change: Partial<History>];

const withAttack = (change: Partial<Attack>): Partial<History> => ({ attacks: [{ ...attack, ...change }] });

const spoilt: readonly Spoilt[] = [
  [
    'an innocent call ends well',
    'one was lost',
    { calls: [{ innocent: 'fresh', phase: 'calm', ms: 1, problem: 'INSTANCE_LOST' }] },
  ],
  [
    'an attack ends by its own fault',
    'a guest is told that its instance was lost',
    withAttack({ ends: [trapped, lost] }),
  ],
  [
    'an attack ends by its own fault',
    'a program that is as it should be does not start',
    withAttack({ ends: [neverStarted] }),
  ],
  [
    'a refusal says what is wrong',
    'a registration is a bug of ours',
    withAttack({ refusals: [{ code: 'INTERNAL', reason: 'INTERNAL', message: 'id 1' }] }),
  ],
  ['nothing leaks', 'the secret is printed', withAttack({ leaks: ['its output has the secret'] })],
  [
    'a process is never root',
    'a script says so',
    withAttack({ ends: [{ ...trapped, message: `exited (exit code ${ranAsRoot})` }] }),
  ],
  ['nothing is touched outside', 'a file is new', { touched: ['new: planted'] }],
  ['everything ends', 'one still runs', { unfinished: ['exec_1 is running'] }],
  [
    'the memory of the node is bounded',
    'it takes a gigabyte for a while',
    { use: { before: use, most: { ...use, residentBytes: 12e8 }, after: use } },
  ],
  [
    'the memory of the node is bounded',
    'its heap keeps what the attacks were',
    { use: { before: use, most: use, after: { ...use, heapBytes: 3e8 } } },
  ],
  [
    'the descriptors of the node are bounded',
    'thousands are open for a while',
    { use: { before: use, most: { ...use, descriptors: 5000 }, after: use } },
  ],
  [
    'the descriptors of the node are bounded',
    'some stay open with each attack',
    { use: { before: use, most: use, after: { ...use, descriptors: 600 } } },
  ],
  ['nothing is left', 'a background job', { remains: ['process 7 with 900000001'] }],
  ['the node finds no bug of its own', 'it has found one', { bugs: ['bug: no such guest'] }],
  ['the node ends when it is told', 'it was killed', { exit: { code: null, signal: 'SIGKILL' } }],
];

test('nothing is against a run as it should be', () => {
  expect(judge(good)).toEqual([]);
});

test.each(spoilt)('%s: found when %s', (rule, _what, change) => {
  const against = judge({ ...good, ...change });
  expect(against).not.toEqual([]);
  expect(against.every((what) => what.startsWith(`${rule}: `))).toBe(true);
});

test('every rule is shown to find something', () => {
  expect([...new Set(spoilt.map(([rule]) => rule))].sort()).toEqual(Object.keys(rules).sort());
});

test('a percentile is the least value that so great a share is not above', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([0.01, 0.5, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([1, 50, 99, 100]);
  expect(percentile([], 0.99)).toBeNaN();
});

test('the ratio of an innocent is that of its own calls, and of none that begin between two slices', () => {
  const call = { innocent: 'reused', problem: '' };
  const measured = latencies([
    { ...call, phase: 'calm', ms: 2 },
    { ...call, phase: 'between', ms: 900 },
    { ...call, phase: 'attack', ms: 5 },
    { ...call, innocent: 'fresh', phase: 'calm', ms: 10 },
    { ...call, innocent: 'fresh', phase: 'attack', ms: 10 },
  ]);
  expect(measured.map(({ innocent, ratio }) => [innocent, ratio])).toEqual([
    ['reused', 2.5],
    ['fresh', 1],
  ]);
});
