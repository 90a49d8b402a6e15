import type { ErrorCode } from '../../../domain/errors.ts';
import type { TaskDefinition } from '../../../domain/task.ts';
import { bounded } from '../engine/engine-error.ts';
import { signalOf } from './linux-signals.ts';

/** What is known of a container that ended by itself. */
export interface Exit {
  readonly exitCode: number;
  /** The kernel killed something in it for want of memory. */
  readonly outOfMemory: boolean;
  /** The first bytes of its stderr, as text; empty where it also wrote to stdout. */
  readonly firstWords: string;
}

type Ending =
  | { readonly kind: 'completed'; readonly exitCode: number }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly exitCode?: number;
    };

const cannotExecute = 126;
const notFound = 127;
const exceededCpu = 'SIGXCPU';
/** How the engine's init says that it could not start the program; it then exits as a shell would. */
const initFailed = /^\[FATAL tini \(\d+\)\] (exec .+ failed: .+)$/;
/** How the gate says it that a program with a network list waits at. */
const gateFailed = /^sh: (?:line )?\d+: (exec: .+)$/;

/** How a container that nobody stopped came to its end. */
export function endingOf(exit: Exit, task: TaskDefinition): Ending {
  const { exitCode } = exit;
  if (exitCode === 0) return { kind: 'completed', exitCode };
  if (exit.outOfMemory) {
    const message = `the program went over its ${task.limits.memory ?? 'unlimited'} bytes of memory (limits.memory)`;
    return { kind: 'failed', code: 'MEMORY_LIMIT', message, exitCode };
  }
  const unstarted =
    exitCode === cannotExecute || exitCode === notFound ? initWords(exit.firstWords) : undefined;
  if (unstarted !== undefined) {
    return {
      kind: 'failed',
      code: 'START_FAILED',
      message: `the program could not be started: ${unstarted}`,
    };
  }
  const signal = signalOf(exitCode);
  if (signal === exceededCpu && task.limits.cpuTimeMs !== undefined) return cpuExceeded(task, exitCode);
  if (signal !== undefined) {
    return { kind: 'failed', code: 'SIGNALED', message: `the program was ended by ${signal}`, exitCode };
  }
  return {
    kind: 'failed',
    code: 'FUNCTION_EXIT',
    message: `the program exited with code ${exitCode}`,
    exitCode,
  };
}

export function cpuExceeded(task: TaskDefinition, exitCode?: number): Ending {
  const message = `the program used up its ${task.limits.cpuTimeMs} ms of processor time (limits.cpu_time)`;
  return { kind: 'failed', code: 'CPU_LIMIT', message, ...(exitCode === undefined ? {} : { exitCode }) };
}

export function socketsExceeded(task: TaskDefinition, exitCode?: number): Ending {
  const message = `the program was killed because its sockets held more memory than its limit of ${task.limits.memory ?? 0} bytes`;
  return { kind: 'failed', code: 'MEMORY_LIMIT', message, ...(exitCode === undefined ? {} : { exitCode }) };
}

/** `bytes` is what may be written. */
export function layerExceeded(bytes: number, exitCode?: number): Ending {
  const message = `the program was killed because it wrote more than ${bytes} bytes to its root file system, as --max-scratch-bytes of the node says`;
  return { kind: 'failed', code: 'OUTPUT_LIMIT', message, ...(exitCode === undefined ? {} : { exitCode }) };
}

function initWords(firstWords: string): string | undefined {
  const words = initFailed.exec(firstWords.trim())?.[1] ?? gateFailed.exec(firstWords.trim())?.[1];
  return words === undefined ? undefined : bounded(words);
}
