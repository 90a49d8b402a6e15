import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { graceMs, type Kind, plain } from './kinds.ts';
import type { Random } from './random.ts';

const grace = durationFromMs(graceMs);
/** What has no effects may be run again for as long as its time lasts. */
const maxRecoveries = 100;
/** Of a task's definition: what `patient` terms say. */
export const patience = { grace, maxRecoveries };
const patient = { ...plain, maxRecoveries };
const number = (value: number) => ({ kind: { case: 'numberValue' as const, value } });

export function lines(count: number, line: (number: number) => string): Buffer {
  return Buffer.from(Array.from({ length: count }, (_, index) => `${line(index + 1)}\n`).join(''));
}

/** Bytes of all values, several chunks of them at times. */
function anyBytes(random: Random): Buffer {
  const bytes = Buffer.alloc(random.chance(0.3) ? random.whole(100_000, 200_000) : random.whole(1, 2000));
  for (let index = 0; index < bytes.length; index++) bytes[index] = random.whole(0, 255);
  return bytes;
}

export const add: Kind = {
  name: 'add',
  weight: 3,
  register: ({ peer }) => peer.register('add', 'typed/typed.wasm', { grace, maxRecoveries }),
  draw(random) {
    const [a, b] = [random.whole(0, 1000), random.whole(0, 1000)];
    return {
      request: { functionName: 'add', parameters: { a: number(a), b: number(b) } },
      terms: { ...patient, task: 'add', runtime: 'wasm', stdout: Buffer.alloc(0), value: String(a + b) },
    };
  },
};

export const ticker: Kind = {
  name: 'ticker',
  weight: 3,
  register: ({ peer }) => peer.register('ticker', 'ticker/ticker.wasm', { grace, maxRecoveries }),
  draw(random) {
    const [count, interval] = [random.whole(1, 8), random.whole(5, 60)];
    const stdout = lines(count, (index) => `tick ${index}`);
    return {
      request: { args: [String(count), String(interval)] },
      terms: { ...patient, task: 'ticker', runtime: 'wasm', stdout },
    };
  },
};

const cat: Kind = {
  name: 'cat',
  weight: 2,
  register: ({ peer }) => peer.register('cat', 'misbehaving/cat.wasm', { grace, maxRecoveries }),
  draw(random) {
    const input = anyBytes(random);
    return { request: { input }, terms: { ...patient, task: 'cat', runtime: 'wasm', stdout: input } };
  },
};

const exitAttempts = 3;

const exit: Kind = {
  name: 'exit',
  weight: 1,
  register: ({ peer }) =>
    peer.register('exit', 'misbehaving/exit.wasm', {
      grace,
      retry: { maxAttempts: exitAttempts, initial: durationFromMs(50), max: durationFromMs(200) },
    }),
  draw(random) {
    const exitCode = random.whole(1, 9);
    const stdout = Buffer.from('bye\n');
    return {
      request: { args: [String(exitCode)] },
      terms: { ...plain, task: 'exit', runtime: 'wasm', maxAttempts: exitAttempts, exitCode, stdout },
    };
  },
};

const loopAttempts = 2;

/** Never ends by itself. */
const loop: Kind = {
  name: 'loop',
  weight: 0.5,
  register: ({ peer }) =>
    peer.register('loop', 'misbehaving/loop.wasm', {
      grace,
      maxRecoveries: 1,
      retry: { maxAttempts: loopAttempts, initial: durationFromMs(20), max: durationFromMs(50) },
    }),
  draw(random) {
    const attemptMs = random.whole(40, 200);
    const { exitCode: _, ...endless } = plain;
    const stdout = Buffer.from('looping\n');
    return {
      request: { timeouts: { attempt: durationFromMs(attemptMs) } },
      terms: {
        ...endless,
        task: 'loop',
        runtime: 'wasm',
        maxRecoveries: 1,
        maxAttempts: loopAttempts,
        attemptMs,
        stdout,
      },
    };
  },
};

/** The limits of the task that has any. */
export const keyed = { name: 'keyed', limit: 2, units: 20, perMs: 1000, burst: 3 } as const;

const limited: Kind = {
  name: keyed.name,
  weight: 3,
  register: ({ peer }) =>
    peer.register(keyed.name, 'ticker/ticker.wasm', {
      grace,
      maxRecoveries,
      concurrency: [{ key: 'task', limit: keyed.limit }],
      rate: [{ key: 'task', units: keyed.units, per: durationFromMs(keyed.perMs), burst: keyed.burst }],
    } as Parameters<typeof peer.register>[2]),
  draw: (random, marks) => {
    const { request, terms } = ticker.draw(random, marks);
    return { request, terms: { ...terms, task: keyed.name } };
  },
};

export const wasmKinds: readonly Kind[] = [add, ticker, cat, exit, loop, limited];
