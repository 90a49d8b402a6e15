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

/**
 * Reads what a launcher wrote: `at STAGE` where it failed; what its shell says about a program that a signal
 * ended; and `end CODE`, with 128 + n for a signal. Without an end the launcher itself was ended.
 *
 * Node cannot tell a program that a signal without a name in its table ended (such as a real-time signal) from one
 * that exited with 0.
 */
export function readExit({ code, signal, mark }: ChildExit): ExitReport {
  const [, stage = ''] = /^at (\w+)$/m.exec(mark) ?? [];
  if (stage !== '') return { stage, code: code ?? 126 };
  const ended = /(?:^|\n)end (\d+)\n$/.exec(mark);
  if (ended === null) {
    if (signal !== null) return { stage, signal: constants.signals[signal] };
    // What stands before the launcher tells a failure by its exit code alone.
    return code === 0 ? { stage, signal: 0 } : { stage: 'room', code: code ?? 126 };
  }
  const status = Number(ended[1]);
  const told = ended.index > 0 || silent.includes(status - 128);
  return told && status > 128 ? { stage, signal: status - 128 } : { stage, code: status };
}

/** As `kill -l` has it; `signal 32` for one without a name. */
export function signalName(signal: number): string {
  for (const [name, number] of Object.entries(constants.signals)) if (number === signal) return name;
  // Where glibc has them: it keeps 32 and 33 for itself.
  if (signal >= 34 && signal <= 64) return `signal ${signal} (SIGRTMIN+${signal - 34})`;
  return signal === 0 ? 'a signal' : `signal ${signal}`;
}
