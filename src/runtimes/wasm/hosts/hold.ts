import type { Program } from './protocol.ts';

/** What a guest host has of a program: its modules, its source, and perhaps a live instance. */
export class Hold {
  readonly program: Program;
  /** It is one of those that the task's policy wants ready; the others may be dropped. */
  pinned = false;
  /** When it last did anything; `Clock.monotonic`. */
  usedAt = Number.NEGATIVE_INFINITY;
  /** The last batch that ran it. */
  batch = -1;

  constructor(program: Program) {
    this.program = program;
  }
}
