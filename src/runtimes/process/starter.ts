import type { Clock } from '../../domain/clock.ts';
import { secretsVariable } from '../../domain/secret.ts';
import type { TaskDefinition } from '../../domain/task.ts';
import type { Cell } from '../containment/cells/cell.ts';
import type { Containment } from '../containment/containment.ts';
import { DescriptorBudget } from '../containment/descriptor-budget.ts';
import { MovedPlaceError } from '../containment/folders/hidden-places.ts';
import type { InstanceFolder } from '../containment/folders/scratch.ts';
import type { Launcher, LaunchPlan } from '../containment/launch/launcher.ts';
import type { Identity } from '../containment/users/identity.ts';
import { anyLeasedUser, LeasedUsers } from '../containment/users/leased-users.ts';
import { type Launch, LaunchError, noSecrets } from '../runtime.ts';
import type { SecretFolders } from '../secrets/secret-folders.ts';
import { secretVariables } from '../secrets/secret-variables.ts';
import { ProcessInstance } from './instance.ts';
import { startFailure } from './start-failure.ts';

interface StarterOptions {
  readonly clock: Clock;
  readonly logger?: { warn(details: object, message: string): void };
  readonly scratchBytes?: number;
  /** Absent where there can be no files of secrets. */
  readonly secrets?: SecretFolders;
}

/** What an instance has for itself while it runs. */
interface Place {
  readonly identity: Identity;
  /** It is this instance's alone, and goes back. */
  readonly leased: boolean;
  readonly cell: Cell;
  /** Absent where the task names a working directory. */
  readonly folder?: InstanceFolder;
}

type Walls = Pick<LaunchPlan, 'room' | 'confined'> & { remove(): void };

/** Cells that wait until a folder is emptied, at most. */
const maxClearing = 8;
/** How often a cell is looked at that something could not be ended in, in milliseconds. */
const lookMs = 1000;

/** Starts programs in cells, and takes back what they had. */
export class Starter {
  readonly #containment: Containment;
  readonly #launcher: Launcher;
  readonly #options: StarterOptions;
  readonly #users: LeasedUsers;
  readonly #budget: DescriptorBudget;
  /** Places whose folder is being emptied. */
  #clearing = 0;
  #closed = false;

  constructor(containment: Containment, launcher: Launcher, options: StarterOptions) {
    this.#containment = containment;
    this.#launcher = launcher;
    this.#options = options;
    this.#budget = new DescriptorBudget(options.clock);
    this.#users = new LeasedUsers({ logger: options.logger });
  }

  /** Starts a program whose file was checked. Rejects with a LaunchError, and leaves nothing then. */
  async start(launch: Launch, path: string, identity: Identity): Promise<ProcessInstance> {
    const { task, instanceId } = launch;
    const { scratch } = this.#containment;
    const { scratchBytes = 0 } = this.#options;
    const granted = this.#budget.take();
    if (granted !== true && !(await granted)) throw new LaunchError('START_FAILED', startFailure('EMFILE'));
    const place = await this.#makePlace(task, identity);
    const { cell, folder } = place;
    const directory = folder?.path ?? task.workingDirectory;
    let walls: Walls | undefined;
    const release = (empty: boolean) => {
      walls?.remove();
      this.#options.secrets?.remove(instanceId);
      return this.#release(place, empty);
    };
    try {
      const { secrets = noSecrets } = launch;
      const secretsPath = this.#options.secrets?.write(instanceId, secrets, place.identity);
      walls = this.#wallsFor(task, path, [folder?.path, secretsPath]);
      const request = this.#launcher.request({
        cell,
        room: walls.room,
        confined: walls.confined,
        ...(!isOwn(place.identity) && { identity: place.identity }),
        limits: task.limits,
        directory,
        program: path,
        args: [...task.args, ...launch.args],
        environment: {
          ...task.environment,
          ...launch.environment,
          ...secretVariables(secrets.values.filter(({ asVariable }) => asVariable)),
          ...(secretsPath !== undefined && { [secretsVariable]: secretsPath }),
        },
      });
      const child = await this.#containment.spawner.spawn(request);
      void child.started.then((pid) => cell.started(pid));
      return new ProcessInstance({
        instanceId,
        task,
        child,
        cell,
        clock: this.#options.clock,
        ...(folder !== undefined && {
          folder: { bytes: scratchBytes, isFull: () => scratch.isFull(folder) },
        }),
        release,
      });
    } catch (error) {
      await release(true);
      if (error instanceof LaunchError) throw error;
      if (error instanceof MovedPlaceError) throw this.#unhidden(error);
      throw new LaunchError('START_FAILED', startFailure(codeOf(error)), { cause: error });
    }
  }

  /** What is not cleared yet is left to who removes all of it. */
  close(): void {
    this.#closed = true;
  }

  /** All of it is removed: the users may be another node's. */
  giveUpUsers(): void {
    this.#users.close();
  }

  /** `own` are folders that are the instance's alone. */
  #wallsFor(
    { workingDirectory }: TaskDefinition,
    program: string,
    own: readonly (string | undefined)[],
  ): Walls {
    const { rooms, confinement } = this.#containment;
    const files = [this.#launcher.shell, program];
    if (confinement === undefined || 'reason' in confinement) {
      return { room: rooms?.showing(files, [workingDirectory]), remove() {} };
    }
    const working =
      workingDirectory === '' || confinement.hides(workingDirectory) ? undefined : workingDirectory;
    const folders = [working, ...own].filter((folder) => folder !== undefined);
    const { wrapper, remove } = confinement.around({ files, folders });
    return { confined: wrapper, remove };
  }

  /** The caller is not told what the node hides, and where. */
  #unhidden(cause: MovedPlaceError): LaunchError {
    this.#options.logger?.warn(
      { reason: cause.message },
      'no program is started, as what is to be hidden from it was moved; move it back, or start the node again',
    );
    return new LaunchError(
      'RUNTIME_UNAVAILABLE',
      "this node cannot run processes now: a folder that it hides from them is no longer where it was, as the node's log says",
      { cause },
    );
  }

  async #makePlace(task: TaskDefinition, asked: Identity): Promise<Place> {
    const { cells, scratch, watchdog } = this.#containment;
    const leased = asked === anyLeasedUser;
    let identity = asked;
    let folder: InstanceFolder | undefined;
    try {
      if (leased) identity = this.#lease();
      watchdog.watch();
      folder = task.workingDirectory === '' ? await scratch.takeFolder(identity) : undefined;
      return { identity, leased, cell: cells.take(task.limits), ...(folder !== undefined && { folder }) };
    } catch (error) {
      this.#budget.giveBack();
      // Nobody was in it.
      if (folder !== undefined) void scratch.putBack(folder);
      if (leased && identity !== asked) this.#users.giveBack(identity);
      if (error instanceof LaunchError) throw error;
      this.#options.logger?.warn({ err: error }, 'no room could be made for a process');
      throw new LaunchError('START_FAILED', startFailure(codeOf(error)), { cause: error });
    }
  }

  #lease(): Identity {
    const user = this.#users.take();
    if (user !== undefined) return user;
    throw new LaunchError('START_FAILED', 'the node has no user left to run the program as');
  }

  /**
   * Resolves when all of it is given back. Where nothing was left, that is at once; and else however long it takes,
   * which is nobody's deadline.
   */
  async #release(place: Place, empty: boolean): Promise<void> {
    const { identity, leased, cell, folder } = place;
    const { logger } = this.#options;
    try {
      if (!empty) await this.#emptied(cell);
      // Whoever runs as this user next must not meet the last.
      const clean = cell.isEmpty();
      const clearing = folder === undefined ? undefined : this.#containment.scratch.putBack(folder);
      // After the folder: what was written there is charged to the cell for as long as it exists. But folders that take
      // long do not keep the descriptors of many cells.
      const early = clearing !== undefined && this.#clearing >= maxClearing;
      if (early) this.#giveBack(cell, false);
      const cleared = clearing === undefined || (await this.#cleared(clearing));
      if (cleared && clean && leased) this.#users.giveBack(identity);
      if (!early) this.#giveBack(cell, clean);
      if (!cleared && !this.#closed)
        logger?.warn({ folder: folder?.path }, 'the folder of a process could not be emptied');
    } catch (error) {
      // All that is left is removed together.
      if (this.#closed) return;
      logger?.warn({ err: error }, 'the place of a process could not be cleared');
    }
  }

  async #cleared(clearing: Promise<boolean>): Promise<boolean> {
    this.#clearing += 1;
    const cleared = await clearing;
    this.#clearing -= 1;
    return cleared;
  }

  #giveBack(cell: Cell, reusable: boolean): void {
    this.#budget.giveBack();
    cell.release(reusable);
  }

  /** What could not be ended in time is ended whenever that can be done. */
  async #emptied(cell: Cell): Promise<void> {
    while (!this.#closed && !cell.isEmpty()) {
      cell.kill();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#options.clock.setTimer(lookMs, resolve);
      await promise;
    }
  }
}

function isOwn({ uid, gid }: Identity): boolean {
  return uid === process.geteuid?.() && gid === process.getegid?.();
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
