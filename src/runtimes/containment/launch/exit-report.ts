import { constants } from 'node:os';
import type { ChildExit } from './child.ts';

/** How a launched program ended. */
export interface ExitReport {
  /** How far a launcher came that did not become the program; empty where it did. */
  readonly stage: string;
  /** Of a program that exited. */
  readonly code?: number;
  /** Of one that a signal ended; 0 where nobody knows which. */
  readonly signal?: number;
}

/** Shells say nothing of their own about these; what exits with 128 + one of them counts as ended by it. */
const silent: readonly number[] = [constants.signals.SIGINT, constants.signals.SIGPIPE];

/** Of shells that cannot execute a program, or do not find it. */
const notExecuted: readonly number[] = [126, 127];

/**
 * Reads what a launcher wrote: `at STAGE` where it failed, or else `begun` when the program is next; `at program` then
 * where it cannot be executed; what its shell says about a program that a signal ended; and `end CODE`, with 128 + n
 * for a signal. Without an end the launcher itself was ended.
 *
 * A program can write there, too, as it runs as the launcher's user. So no stage counts after `begun`, but one that
 * agrees with the exit code: a program can say of itself that it could not be executed, and then has failed as well.
 *
 * Node cannot tell a program that a signal without a name in its table ended (such as a real-time signal) from one
 * that exited with 0.
 */
export function readExit({ code, signal, mark }: ChildExit): ExitReport {
  const [, early] = /^at (\w+)\n$/.exec(mark) ?? [];
  if (early !== undefined && signal === null && code !== 0) return { stage: early, code: code ?? 126 };
  const ended = /(?:^|\n)end (\d+)\n$/.exec(mark);
  if (ended === null) {
    if (signal !== null) return { stage: '', signal: constants.signals[signal] };
    if (code === 0) return { stage: '', signal: 0 };
    // A launcher that was kept from writing an end exits as its program did.
    if (mark.startsWith('begun\n')) return { stage: '', code: code ?? 126 };
    // What stands before the launcher tells a failure by its exit code alone.
    return { stage: 'room', code: code ?? 126 };
  }
  const status = Number(ended[1]);
  const before = mark.slice(0, ended.index).replace(/^begun(?:\n|$)/, '');
  if (before === 'at program' && notExecuted.includes(status) && code === status) {
    return { stage: 'program', code: status };
  }
  const told = before !== '' || silent.includes(status - 128);
  return told && status > 128 ? { stage: '', signal: status - 128 } : { stage: '', code: status };
}

/** As `kill -l` has it; `signal 32` for one without a name. */
export function signalName(signal: number): string {
  for (const [name, number] of Object.entries(constants.signals)) if (number === signal) return name;
  // Where glibc has them: it keeps 32 and 33 for itself.
  if (signal >= 34 && signal <= 64) return `signal ${signal} (SIGRTMIN+${signal - 34})`;
  return signal === 0 ? 'a signal' : `signal ${signal}`;
}
