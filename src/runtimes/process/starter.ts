import { spawn } from 'node:child_process';
import type { Clock } from '../../domain/clock.ts';
import type { TaskDefinition } from '../../domain/task.ts';
import { type Launch, LaunchError } from '../runtime.ts';
import type { Cell } from './cell.ts';
import type { Containment } from './containment.ts';
import type { Identity } from './identity.ts';
import { type Child, ProcessInstance } from './instance.ts';
import type { LaunchCommand, Launcher } from './launcher.ts';

interface StarterOptions {
  readonly clock: Clock;
  readonly logger?: { warn(details: object, message: string): void };
}

/** What an instance has for itself while it runs. */
interface Place {
  readonly cell: Cell;
  readonly marker: number;
  /** Absent where the task names a working directory. */
  readonly folder?: string;
}

/** Starts programs in cells, and takes back what they had. */
export class Starter {
  readonly #containment: Containment;
  readonly #launcher: Launcher;
  readonly #options: StarterOptions;
  #folders = 0;

  constructor(containment: Containment, launcher: Launcher, options: StarterOptions) {
    this.#containment = containment;
    this.#launcher = launcher;
    this.#options = options;
  }

  /** Starts a program whose file was checked. Rejects with a LaunchError, and leaves nothing then. */
  async start(launch: Launch, path: string, identity: Identity): Promise<ProcessInstance> {
    const { task, instanceId } = launch;
    const place = this.#makePlace(task, identity);
    const { cell, marker } = place;
    const release = (empty: boolean) => this.#release(place, identity, empty);
    try {
      const command = this.#launcher.command({
        joins: cell.joins.length,
        wrapper: cell.wrapper,
        limits: task.limits,
        program: path,
        args: [...task.args, ...launch.args],
        environment: { ...task.environment, ...launch.environment },
      });
      const child = spawnIn(command, place, place.folder ?? task.workingDirectory, identity);
      if (child.pid === undefined) throw await failureOf(child);
      cell.started(child.pid);
      return new ProcessInstance({
        instanceId,
        task,
        child,
        cell,
        marker,
        clock: this.#options.clock,
        release,
      });
    } catch (error) {
      await release(true);
      throw this.#launchError(error, task);
    }
  }

  #makePlace(task: TaskDefinition, identity: Identity): Place {
    const { cells, markers, scratch, warden } = this.#containment;
    try {
      warden.watch();
      this.#folders += 1;
      const folder =
        task.workingDirectory === '' ? scratch.makeFolder(`run-${this.#folders}`, identity) : undefined;
      const marker = markers.take();
      return { cell: cells.take(task.limits), marker, ...(folder !== undefined && { folder }) };
    } catch (error) {
      this.#options.logger?.warn({ err: error }, 'no room could be made for a process');
      throw new LaunchError('START_FAILED', 'the node could not make room for the program', { cause: error });
    }
  }

  async #release({ cell, marker, folder }: Place, identity: Identity, empty: boolean): Promise<void> {
    const { markers, scratch } = this.#containment;
    try {
      if (folder !== undefined && !(await scratch.removeFolder(folder, identity))) {
        this.#options.logger?.warn({ folder }, 'the folder of a process could not be removed');
      }
      markers.putBack(marker);
      // After the folder: what was written there is charged to the cell for as long as it exists.
      cell.release(empty);
    } catch (error) {
      this.#options.logger?.warn({ err: error }, 'the place of a process could not be cleared');
    }
  }

  #launchError(error: unknown, task: TaskDefinition): LaunchError {
    this.#options.logger?.warn({ err: error }, 'a program could not be started');
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const known: Readonly<Record<string, string>> = {
      E2BIG: 'its arguments and environment are too large',
      EAGAIN: 'the machine has no room for another process',
      ENOMEM: 'the machine has no memory for another process',
      EMFILE: 'the node has too many files open',
      ENFILE: 'the machine has too many files open',
      // The shell is there, so it is the folder that is not.
      ENOENT: `its working directory ${task.workingDirectory} does not exist`,
      ENOTDIR: `its working directory ${task.workingDirectory} is not a folder`,
      EACCES: `its working directory ${task.workingDirectory} cannot be entered`,
    };
    const reason = known[code] ?? `the system refused it (${code === '' ? 'unknown' : code})`;
    return new LaunchError('START_FAILED', `the program could not be started: ${reason}`, { cause: error });
  }
}

function spawnIn(command: LaunchCommand, { cell, marker }: Place, cwd: string, identity: Identity): Child {
  const own = identity.uid === process.geteuid?.() && identity.gid === process.getegid?.();
  const child = spawn(command.file, command.args, {
    cwd,
    env: command.environment,
    // A process group of its own, for the first signal; what leaves the group is in the cell.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', ...cell.joins, marker],
    ...(!own && identity),
  });
  // The three streams that were asked for are there, as the types of a longer list cannot say.
  return child as Child;
}

/** The error of a spawn that failed, which comes a turn later. */
function failureOf(child: Child): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  child.on('error', resolve);
  return promise;
}
