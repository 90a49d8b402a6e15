import type { Clock } from '../../domain/clock.ts';
import type { TaskDefinition } from '../../domain/task.ts';
import type { Cell } from '../containment/cell.ts';
import { commandEnvironment } from '../containment/command.ts';
import type { Containment } from '../containment/containment.ts';
import type { Identity } from '../containment/identity.ts';
import type { Launcher } from '../containment/launcher.ts';
import { anyLeasedUser, LeasedUsers } from '../containment/leased-users.ts';
import type { CommandRunner } from '../containment/scratch.ts';
import { type Launch, LaunchError } from '../runtime.ts';
import { ProcessInstance } from './instance.ts';

interface StarterOptions {
  readonly clock: Clock;
  readonly logger?: { warn(details: object, message: string): void };
}

/** What an instance has for itself while it runs. */
interface Place {
  readonly identity: Identity;
  /** It is this instance's alone, and goes back. */
  readonly leased: boolean;
  readonly cell: Cell;
  /** Absent where the task names a working directory. */
  readonly folder?: string;
}

/** Starts programs in cells, and takes back what they had. */
export class Starter {
  readonly #containment: Containment;
  readonly #launcher: Launcher;
  readonly #options: StarterOptions;
  readonly #users = new LeasedUsers();

  constructor(containment: Containment, launcher: Launcher, options: StarterOptions) {
    this.#containment = containment;
    this.#launcher = launcher;
    this.#options = options;
  }

  /** Starts a program whose file was checked. Rejects with a LaunchError, and leaves nothing then. */
  async start(launch: Launch, path: string, identity: Identity): Promise<ProcessInstance> {
    const { task, instanceId } = launch;
    const place = this.#makePlace(task, identity);
    const { cell } = place;
    const release = (empty: boolean) => this.#release(place, empty);
    try {
      const command = this.#launcher.command({
        joins: cell.joins.length,
        wrapper: cell.wrapper,
        limits: task.limits,
        program: path,
        args: [...task.args, ...launch.args],
        environment: { ...task.environment, ...launch.environment },
      });
      const child = await this.#containment.spawner.spawn({
        ...command,
        cwd: place.folder ?? task.workingDirectory,
        joins: cell.joins,
        ...(!isOwn(place.identity) && { identity: place.identity }),
      });
      void child.started.then((pid) => cell.started(pid));
      return new ProcessInstance({
        instanceId,
        task,
        child,
        cell,
        clock: this.#options.clock,
        release,
      });
    } catch (error) {
      await release(true);
      throw error;
    }
  }

  #makePlace(task: TaskDefinition, asked: Identity): Place {
    const { cells, scratch, warden } = this.#containment;
    const leased = asked === anyLeasedUser;
    const identity = leased ? this.#lease() : asked;
    try {
      warden.watch();
      const folder = task.workingDirectory === '' ? scratch.takeFolder(identity) : undefined;
      return { identity, leased, cell: cells.take(task.limits), ...(folder !== undefined && { folder }) };
    } catch (error) {
      if (leased) this.#users.giveBack(identity);
      this.#options.logger?.warn({ err: error }, 'no room could be made for a process');
      throw new LaunchError('START_FAILED', 'the node could not make room for the program', { cause: error });
    }
  }

  #lease(): Identity {
    const user = this.#users.take();
    if (user !== undefined) return user;
    throw new LaunchError('START_FAILED', 'the node has no user left to run the program as');
  }

  /** A command of the node's own, as `runCommand` runs it, without a start that the node itself makes. */
  readonly #run: CommandRunner = async (file, args, identity) => {
    const child = await this.#containment.spawner.spawn({
      file,
      args,
      environment: commandEnvironment,
      cwd: '/',
      joins: [],
      ...(!isOwn(identity) && { identity }),
    });
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
    return (await child.exited).code === 0;
  };

  async #release({ identity, leased, cell, folder }: Place, empty: boolean): Promise<void> {
    const { scratch } = this.#containment;
    try {
      const cleared = folder === undefined || (await scratch.putBack(folder, identity, this.#run));
      if (!cleared) this.#options.logger?.warn({ folder }, 'the folder of a process could not be emptied');
      if (cleared && empty && leased) this.#users.giveBack(identity);
      // After the folder: what was written there is charged to the cell for as long as it exists.
      cell.release(empty);
    } catch (error) {
      this.#options.logger?.warn({ err: error }, 'the place of a process could not be cleared');
    }
  }
}

function isOwn({ uid, gid }: Identity): boolean {
  return uid === process.geteuid?.() && gid === process.getegid?.();
}
