import type { ResourceUse } from '../../../domain/execution.ts';
import type { Limits } from '../../../domain/task.ts';

/**
 * What holds one instance together: nothing that it starts can leave, and all of it can be killed.
 * Used for one instance at a time.
 */
export interface Cell {
  /** Files that the launcher writes its own process id to, to join. */
  readonly joins: readonly string[];
  /** Put before the launcher's own command. */
  readonly wrapper: readonly string[];
  /** Instead of that before a command that makes a namespace of process ids, and ends with its first process. */
  readonly outerWrapper: readonly string[];
  /** Whether its first process must be left to end by itself, as it alone knows when the others have. */
  readonly nested: boolean;
  /** Says which process of the node's is the first in it. */
  started(pid: number): void;
  /** Asks all of it to die, at once; to be asked again until it is empty. */
  kill(): void;
  /** As it is now: an answer is never an older one. */
  isEmpty(): boolean;
  /** All of it may have so much memory from now on, in bytes; nothing happens where it cannot be held to that. */
  limitMemory(bytes: number): void;
  /** Whether others go before it where processors are short, from now on; nothing happens where that cannot be had. */
  setBackground(background: boolean): void;
  /** Of the whole cell since it was taken, in microseconds; undefined where that is not known. */
  cpuTimeUs(): number | undefined;
  resourceUse(): ResourceUse;
  /** Whether something of it was killed for want of memory. */
  ranOutOfMemory(): boolean;
  /**
   * Whether buffers of its sockets take so much more than its memory that it has to be ended; undefined where the
   * kernel sees to that, or it has no limit.
   */
  socketsExceedMemory(): boolean | undefined;
  /** The cell is given back. `empty` is whether it was seen empty; otherwise it is never used again. */
  release(empty: boolean): void;
}

/** Makes the cells of one node. */
export interface Cells {
  /** The limits that its cells can hold an instance to. */
  readonly holds: {
    readonly memory: boolean;
    readonly processes: boolean;
    readonly cpu: boolean;
    readonly cpuTime: boolean;
  };
  /** Folders that the watchdog empties and removes. */
  readonly folders: readonly string[];
  /** Throws where none can be had. */
  take(limits: Partial<Limits>): Cell;
  /** Removes what is there; every cell has been given back. */
  close(): void;
}
