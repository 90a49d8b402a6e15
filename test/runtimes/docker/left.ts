import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TaskDefinition } from '../../../src/domain/task.ts';
import type { DockerRuntimeOptions } from '../../../src/runtimes/docker/runtime.ts';
import type { Instance, InstanceRuntime, Launch, LeftInstance } from '../../../src/runtimes/runtime.ts';
import { attemptOf, Collected, firstOutput } from '../attempt.ts';
import { launchOf, newNodeId, openRuntime } from './tasks.ts';

const never = new AbortController().signal;

/** A container that one run of a node left as it runs, and what that run had of its output. */
export interface Left {
  readonly nodeId: string;
  readonly launch: Launch;
  readonly io: Collected;
}

/** Runs a task until it writes, or as far as `far` says, then lets go of it and closes the runtime. */
export async function leave(
  task: TaskDefinition,
  input: Uint8Array = new Uint8Array(),
  far: (io: Collected) => Promise<unknown> = async () => undefined,
): Promise<Left> {
  const nodeId = newNodeId();
  const runtime = await openRuntime({ nodeId });
  const launch = launchOf(task);
  const instance = await runtime.launch(launch, never);
  const io = new Collected();
  await firstOutput(io, instance.serve(attemptOf(task, { input }), io, never));
  await io.inputTaken;
  await far(io);
  instance.release?.();
  await runtime.close();
  return { nodeId, launch, io };
}

/** The next run of the node that left it. */
export function nextRun(
  { nodeId, launch }: Pick<Left, 'nodeId' | 'launch'>,
  options: Partial<DockerRuntimeOptions> = {},
): Promise<InstanceRuntime> {
  return openRuntime({ nodeId, spare: new Set([launch.instanceId]), ...options });
}

/** What that run asks for: all that the one before did not have, unless `more` says otherwise. */
export function leftInstance({ launch, io }: Left, more: Partial<LeftInstance> = {}): LeftInstance {
  const position = { stdout: io.of('stdout').length, stderr: io.of('stderr').length };
  return { launch, position, paused: false, ...more };
}

/** Finds it again. Throws where it is not there. */
export async function found(
  runtime: InstanceRuntime,
  left: Left,
  more: Partial<LeftInstance> = {},
): Promise<Instance> {
  const instance = await runtime.recover?.(leftInstance(left, more), never);
  if (instance === undefined) throw new Error('the container that was left is not there');
  return instance;
}

/** Serves the same attempt again, to its end. */
export async function follow(instance: Instance, { launch }: Left, signal = never) {
  const io = new Collected();
  const outcome = await instance.serve(attemptOf(launch.task), io, signal);
  return { outcome, io };
}

/** A folder that programs see as /gate; `open` makes `/gate/open` appear there. */
export class Gate {
  readonly preopens: Record<string, string>;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.preopens = { '/gate': folder };
  }

  static async make(): Promise<Gate> {
    const folder = await mkdtemp(join(tmpdir(), 'spear-gate-'));
    // Programs in containers are nobody.
    await chmod(folder, 0o755);
    return new Gate(folder);
  }

  async open(): Promise<void> {
    await writeFile(join(this.#folder, 'open'), '');
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

/** A line of a shell script: goes on when the gate is open. */
export const waitForGate = 'while ! [ -e /gate/open ]; do sleep 0.02; done';
