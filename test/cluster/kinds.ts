/** The tasks that a cluster is asked to run, and what may become of each. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  InterruptPolicy,
  RuntimeKind,
  type TaskDefinitionSchema,
} from '../../src/server/gen/spearlet/task_pb.js';
import type { Random } from '../crash/random.ts';
import { testImage } from '../support/docker-image.ts';
import type { ChildServer } from '../support/server.ts';
import { compileWasi } from '../support/wasi.ts';
import { beatScript, type Witness } from './witness.ts';

type Definition = Omit<MessageInitShape<typeof TaskDefinitionSchema>, '$typeName'>;

export interface Drawn {
  readonly args: string[];
  /** The file of its beats; empty where it writes none. */
  readonly beats: string;
}

export interface Kind {
  readonly name: string;
  readonly weight: number;
  /** An attempt that was lost is not followed by another. */
  readonly isOnce?: boolean;
  /** Attempts of all its executions never overlap: the file that all of them write to. */
  readonly lane?: string;
  register(node: ChildServer): Promise<unknown>;
  draw(random: Random): Drawn;
}

/** What a machine has for the load. */
export interface Means {
  readonly witness: Witness;
  readonly hasEngine: boolean;
  readonly hasCompiler: boolean;
}

const longest = durationFromMs(600_000);
const always = { timeouts: { total: longest, attempt: longest }, maxRecoveries: 50 };
const guestFolder = '/witness';
const beatSeconds = '0.05';

export async function kindsOf(means: Means): Promise<Kind[]> {
  const { witness, hasEngine, hasCompiler } = means;
  return [
    ...processKinds(witness),
    ticker,
    ...(hasCompiler ? [await wasmWithFiles(witness)] : []),
    ...(hasEngine ? containers(witness) : []),
  ];
}

function processKinds(witness: Witness): Kind[] {
  const artifact = { source: { case: 'path' as const, value: witness.program } };
  const kind = (
    name: string,
    weight: number,
    definition: Definition,
    draw: (random: Random) => readonly string[],
    rest: Partial<Kind> = {},
  ): Kind => ({
    ...{ name, weight, ...rest },
    register: (node) =>
      node.tasks.registerTask({
        definition: { ...always, name, runtime: RuntimeKind.PROCESS, artifact, ...definition },
      }),
    draw(random) {
      const beats = witness.file();
      return { beats, args: [beats, ...draw(random)] };
    },
  });
  const lane = witness.file();
  const rerun = { onInterrupt: InterruptPolicy.RERUN };
  const steps = (random: Random, most: number) => [String(random.whole(1, most)), beatSeconds];
  return [
    kind('beat', 3, rerun, (random) => steps(random, 40)),
    kind('beat-once', 1, { onInterrupt: InterruptPolicy.FAIL }, (random) => steps(random, 40), {
      isOnce: true,
    }),
    kind(
      'beat-alone',
      1.5,
      { ...rerun, concurrency: [{ key: 'lane', limit: 1 }] },
      (random) => [...steps(random, 8), '0', lane],
      { lane },
    ),
    kind(
      'beat-flaky',
      1,
      { ...rerun, retry: { maxAttempts: 20, initial: durationFromMs(100), max: durationFromMs(500) } },
      (random) => [...steps(random, 5), String(random.whole(1, 3))],
    ),
  ];
}

const ticker: Kind = {
  name: 'ticker',
  weight: 2,
  register: (node) => node.register('ticker', 'ticker/ticker.wasm', always),
  draw: (random) => ({ beats: '', args: [String(random.whole(1, 40)), '50'] }),
};

/** WebAssembly that leaves its sandbox by a folder. */
async function wasmWithFiles(witness: Witness): Promise<Kind> {
  const value = await compileWasi(new URL('beat.c', import.meta.url));
  return {
    name: 'beat-wasm',
    weight: 1,
    register: (node) =>
      node.tasks.registerTask({
        definition: {
          ...{ ...always, name: 'beat-wasm', runtime: RuntimeKind.WASM },
          artifact: { source: { case: 'content', value } },
          preopens: { [guestFolder]: witness.folder },
        },
      }),
    draw(random) {
      const beats = witness.file();
      return { beats, args: [witness.inside(beats), String(random.whole(1, 30)), beatSeconds] };
    },
  };
}

function containers(witness: Witness): Kind[] {
  const kind = (name: string, onInterrupt: InterruptPolicy, rest: Partial<Kind> = {}): Kind => ({
    ...{ name, weight: 0.4, ...rest },
    register: (node) =>
      node.tasks.registerTask({
        definition: {
          ...{ ...always, name, runtime: RuntimeKind.DOCKER, onInterrupt },
          artifact: { source: { case: 'image', value: testImage } },
          container: { command: ['sh', '-c', beatScript, 'beat'] },
          preopens: { [guestFolder]: witness.folder },
        },
      }),
    draw(random) {
      const beats = witness.file();
      return { beats, args: [witness.inside(beats), String(random.whole(1, 40)), beatSeconds] };
    },
  });
  return [
    kind('box', InterruptPolicy.REATTACH_OR_RERUN),
    kind('box-rerun', InterruptPolicy.RERUN),
    kind('box-once', InterruptPolicy.FAIL, { isOnce: true }),
  ];
}
