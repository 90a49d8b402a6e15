/** A program that reads all of its input, works in steps and marks each, as a process and in a container. */
import { basename } from 'node:path';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { InterruptPolicy } from '../../src/domain/task.ts';
import { RuntimeKind, InterruptPolicy as Wire } from '../../src/server/gen/spearlet/task_pb.js';
import { testImage } from '../support/docker-image.ts';
import { graceMs, type Kind, plain } from './kinds.ts';
import type { Random } from './random.ts';

/**
 * `worker MARKS STEPS PAUSE EXIT_CODE`. Each attempt has a name of its own in the file of the marks. It writes its
 * input after each step, and at its end without a line feed.
 */
export const workerScript = `marks=$1 steps=$2 pause=$3 code=$4
read -r me </proc/sys/kernel/random/uuid
echo "$me start" >>"$marks"
input=$(cat)
step=0
while [ $step -lt $steps ]; do
  step=$((step + 1))
  sleep "$pause"
  echo "$me step" >>"$marks"
  printf '%s %s\\n' "$input" "$step"
done
printf %s "$input"
echo "$me end" >>"$marks"
exit "$code"
`;

/** The engine keeps a line of a container in parts of so many bytes. */
const enginePart = 16 * 1024;
const letter = 0x78;
const lineFeed = 0x0a;

/** Short, long, or longer than the engine takes as one line; letters, or bytes that are no text, and lines of them. */
function drawInput(random: Random, inContainer: boolean): Buffer {
  let length = random.whole(0, 9);
  if (random.chance(0.2)) length = random.whole(1000, 5000);
  else if (inContainer && random.chance(0.3)) {
    length =
      enginePart * random.whole(1, 3) + (random.chance(0.5) ? random.whole(-2, 2) : random.whole(0, 9999));
  }
  if (length === 0 || random.chance(0.6)) return Buffer.alloc(length, letter);
  // A shell takes off line feeds at the end, and has bytes from 0x81 on for itself.
  const bytes = Array.from({ length: length - 1 }, () =>
    random.chance(0.001) ? lineFeed : random.whole(0xc0, 0xff),
  );
  return Buffer.from([...bytes, letter]);
}

interface Worker {
  readonly name: string;
  readonly weight: number;
  readonly runtime: 'process' | 'docker';
  readonly onInterrupt: InterruptPolicy;
  /** Unset for the default of its runtime. */
  readonly policy?: Wire;
  readonly maxRecoveries?: number;
}

const guestMarks = '/marks';

function workerKind({ name, weight, runtime, onInterrupt, policy, maxRecoveries = 3 }: Worker): Kind {
  return {
    name,
    weight,
    register({ peer, program, marks }) {
      const inContainer = {
        runtime: RuntimeKind.DOCKER,
        artifact: { source: { case: 'image' as const, value: testImage } },
        container: { command: ['sh', '-c', workerScript, 'worker'] },
        preopens: { [guestMarks]: marks },
      };
      const asProcess = {
        runtime: RuntimeKind.PROCESS,
        artifact: { source: { case: 'path' as const, value: program } },
      };
      return peer.tasks.registerTask({
        definition: {
          name,
          ...(runtime === 'docker' ? inContainer : asProcess),
          grace: durationFromMs(graceMs),
          maxRecoveries,
          ...(policy !== undefined && { onInterrupt: policy }),
        },
      });
    },
    draw(random, marks) {
      const steps = random.whole(1, 5);
      const exitCode = random.chance(0.1) ? random.whole(1, 9) : 0;
      const input = drawInput(random, runtime === 'docker');
      const lines = Array.from({ length: steps }, (_, index) => [input, Buffer.from(` ${index + 1}\n`)]);
      const stdout = Buffer.concat([...lines.flat(), input]);
      const path = runtime === 'docker' ? `${guestMarks}/${basename(marks)}` : marks;
      // A container is to live longer than a server takes to come back.
      const pause = (random.whole(10, runtime === 'docker' ? 600 : 120) / 1000).toFixed(3);
      return {
        request: { input, args: [path, String(steps), pause, String(exitCode)] },
        terms: {
          ...plain,
          task: name,
          runtime,
          onInterrupt,
          maxRecoveries,
          exitCode,
          stdout,
          marks: true,
        },
      };
    },
  };
}

export const processKinds: readonly Kind[] = [
  workerKind({ name: 'process', weight: 2, runtime: 'process', onInterrupt: 'fail' }),
  workerKind({
    name: 'process-rerun',
    weight: 1.5,
    runtime: 'process',
    onInterrupt: 'rerun',
    policy: Wire.RERUN,
    maxRecoveries: 2,
  }),
];

export const dockerKinds: readonly Kind[] = [
  workerKind({ name: 'docker', weight: 1, runtime: 'docker', onInterrupt: 'reattachOrRerun' }),
  workerKind({
    name: 'docker-or-fail',
    weight: 0.4,
    runtime: 'docker',
    onInterrupt: 'reattachOrFail',
    policy: Wire.REATTACH_OR_FAIL,
  }),
  workerKind({
    name: 'docker-rerun',
    weight: 0.4,
    runtime: 'docker',
    onInterrupt: 'rerun',
    policy: Wire.RERUN,
    maxRecoveries: 1,
  }),
];
