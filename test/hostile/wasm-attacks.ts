/** Attacks of WebAssembly guests. Each may use the folder of its lane. */
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import type { Random } from '../crash/random.ts';
import { doublingComponent, longBlock, moduleOf, phiBomb } from '../runtimes/wasm/bombs.ts';
import { example } from '../support/server.ts';
import type { AttackKind, Definition } from './attack.ts';
import { bigRead, descriptorLeak, fifoWait, swapEscape } from './known-attacks.ts';
import { randomCalls } from './random-calls.ts';
import { mutant, randomCode } from './random-code.ts';

const mebibyte = 1024 * 1024;
const outputBytes = 4n * BigInt(mebibyte);

function task(bytes: Uint8Array, more: Definition = {}): Definition {
  return {
    runtime: RuntimeKind.WASM,
    artifact: { source: { case: 'content', value: bytes } },
    limits: { memory: BigInt(64 * mebibyte), maxOutputBytes: outputBytes },
    ...more,
  };
}

function kind(
  name: string,
  weight: number,
  draw: (random: Random) => Uint8Array | Promise<Uint8Array>,
  more: Definition = {},
  random = false,
): AttackKind {
  return { name, weight, random, seesHost: false, draw: async (source) => task(await draw(source), more) };
}

const examples = [
  'wordcount/wordcount',
  'wordcount/wordcount.component',
  'typed/typed',
  'misbehaving/env',
  'rot13/rot13',
];
const bad = ['loop', 'hog', 'recurse', 'trap', 'flood', 'flood-bytes', 'table-bomb', 'stderr-mix', 'exit'];

export const wasmAttacks: readonly AttackKind[] = [
  kind('random calls', 8, (random) => randomCalls(random)),
  kind('random code', 4, (random) => randomCode(random), {}, true),
  kind(
    'mutant',
    4,
    async (random) => mutant(random, await example(`${random.pick(examples)}.wasm`)),
    {},
    true,
  ),
  kind('misbehaving', 2, (random) => example(`misbehaving/${random.pick(bad)}.wasm`)),
  // From what the gate lets through to what it refuses.
  kind('phi bomb', 1, (random) => phiBomb(random.whole(1000, 50_000), random.whole(50, 2000)), {}, true),
  kind('long block', 0.5, (random) => longBlock(random.whole(10_000, 400_000)), {}, true),
  kind(
    'many functions',
    0.5,
    (random) =>
      moduleOf(
        Array.from({ length: random.whole(100, 20_000) }, () => ({
          code: Buffer.from([1]),
          locals: random.whole(0, 2000),
        })),
      ),
    {},
    true,
  ),
  kind('nested instances', 1, async (random) => parse(doublingComponent(random.whole(1, 17))), {}, true),
  kind('escape', 2, (random) =>
    swapEscape(
      random.pick(['../beside', '../../../../../../../etc']),
      random.pick(['secret', 'passwd', 'open']),
    ),
  ),
  kind('descriptor leak', 1, () => descriptorLeak()),
  kind('big read', 1, () => bigRead()),
  kind('FIFO', 1, () => fifoWait()),
];
