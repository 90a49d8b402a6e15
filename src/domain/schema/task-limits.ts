/** How long a task may take, what it may use, and how often it is tried. */
import type { Limits, RetryPolicy, Timeouts } from '../task.ts';
import { duration, field, list, number, object, oneOf, optional, whole } from './check.ts';
import { flag } from './form.ts';
import { delay, errorCode, kibibyte, longestMs, mostBytes, positive } from './values.ts';

export const timeouts = object<Timeouts>({
  queueMs: optional(positive, { means: 'The longest wait for a place to run in.', shown: 'queue timeout' }),
  attemptMs: optional(positive, { means: 'The longest that one attempt may run.', shown: 'attempt timeout' }),
  totalMs: optional(positive, {
    means: 'From admission to the end, with all attempts and the time between them.',
    shown: 'total timeout',
    defaultWords: "the node's `--default-timeout`",
    ...flag('--timeout <duration>', 'from admission to the end, such as 5s', 'Limits:'),
  }),
});

export const limits = object<Limits>({
  memory: optional(whole(64 * kibibyte, mostBytes, 'bytes'), {
    means: 'Memory of one instance, swap included: linear memories and tables for WebAssembly.',
    isMost: true,
    defaultWords: '128 MiB',
    ...flag('--memory <size>', 'of one instance, such as 64MiB', 'Limits:'),
  }),
  cpu: optional(number(0.01, 1024, 'cores'), {
    means: 'Processor cores; 0.5 is half of one.',
    isMost: true,
    defaultWords: 'docker: 1',
    ...flag('--cpu <cores>', 'such as 0.5', 'Limits:'),
  }),
  cpuTimeMs: optional(duration(1000, longestMs), {
    means: 'Processor time of one attempt.',
    isMost: true,
    ...flag('--cpu-time <duration>', 'of one attempt, 1s or more', 'Limits:'),
  }),
  processes: optional(whole(1, 1_000_000), {
    means: 'Processes and threads at once.',
    isMost: true,
    defaultWords: 'docker, process: 128',
    ...flag('--processes <n>', 'processes and threads at once', 'Limits:'),
  }),
  openFiles: optional(whole(16, 1_000_000), { means: 'Open files of each process.', isMost: true }),
  fileSize: optional(whole(0, mostBytes, 'bytes'), {
    means: 'The largest file that can be written.',
    isMost: true,
  }),
  maxOutputBytes: field(whole(0, mostBytes, 'bytes'), {
    means: 'stdout and stderr of a whole execution.',
    defaultWords: '64 MiB',
    shown: 'output',
    isMost: true,
  }),
  maxOutputEvents: field(whole(1, 10_000_000), {
    means: 'Chunks in the log of a whole execution.',
    defaultWords: '100000',
    shown: '',
  }),
});

export const retry = object<RetryPolicy>({
  maxAttempts: field(whole(1, 1000), {
    means: 'Attempts in all; 1 is no retry.',
    default: 1,
    shown: '',
  }),
  initialMs: field(delay, { means: 'The delay before the second attempt.', default: 200, shown: '' }),
  factor: field(number(1, 100), { means: 'Each delay is the one before times this.', default: 2, shown: '' }),
  maxMs: field(delay, { means: 'No delay is longer.', default: 30_000, shown: '' }),
  jitter: field(number(0, 1), { means: 'The share of each delay that is random.', default: 0.1, shown: '' }),
  on: field(list(errorCode, 64), {
    means: 'The codes that are tried again.',
    default: [],
    defaultWords: 'every USER code, ATTEMPT_TIMEOUT and the transient PLATFORM ones',
    shown: '',
  }),
  budget: optional(number(0, 10), {
    means:
      'Retries of all executions of the task together: each first attempt puts so much of one aside, up to a hundred, and ten are there from the start. It keeps retries from making an outage worse.',
    defaultWords: 'not bounded',
    shown: 'retry budget',
    ...flag('--retry-budget <share>', 'of first attempts, such as 0.1', 'Limits:'),
  }),
  onExhausted: optional(oneOf('fail', 'hold'), {
    means:
      'What becomes of one that the budget does not let try again: it fails with the error that it has, or it is held until somebody resumes it.',
    defaultWords: 'fail',
  }),
});
