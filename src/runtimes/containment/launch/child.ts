import type { Duplex, Readable } from 'node:stream';

/** How a program ended, as who started it saw it. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What its launcher wrote, see exit-report.ts; empty where it had none. */
  readonly mark: string;
  /** Why there never was a program: the system's code, such as `EAGAIN`. */
  readonly failed?: string;
  /** Who would know how it ended is gone. */
  readonly lost?: true;
}

/** A program that was asked for: it is being started, runs, or has ended. */
export interface Child {
  /** A socket in both directions; a program that only reads its input writes nothing back. */
  readonly stdin: Duplex;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when it has started. */
  readonly started: Promise<number>;
  readonly exited: Promise<ChildExit>;
  /** Signals its process group, once there is one. */
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}
