import { constants } from 'node:os';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Limits } from '../../domain/task.ts';
import { signalName } from '../containment/exit-report.ts';
import { bytesPerFile } from '../containment/volumes.ts';

const { SIGKILL, SIGXCPU, SIGXFSZ } = constants.signals;

/** Why the runtime ended an instance; the first reason counts. */
export type KillCause = 'stopped' | 'spent' | 'sockets' | 'closed' | 'discarded' | 'lost';

/** What is known of an instance when nothing is left of it. */
export interface Exit {
  /** Of a program that exited. */
  readonly code?: number;
  /** Of one that a signal ended; 0 where nobody knows which. */
  readonly signal?: number;
  readonly cause: KillCause | undefined;
  /** The rung of the ladder that was reached. */
  readonly rung: string;
  /** How far the launcher came that did not become the program; empty where it did. */
  readonly stage: string;
  /** Where it was to start; empty for a folder of its own. */
  readonly directory: string;
  /** Why there never was a program, for people. */
  readonly failure?: string;
  /** Bytes that may be written to its folder; absent where that was not full. */
  readonly fullFolder?: number;
  readonly ranOutOfMemory: boolean;
  readonly cpuTimeUs: number | undefined;
}

type Ending =
  | { readonly kind: 'completed'; readonly exitCode: number }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly exitCode?: number;
    }
  | { readonly kind: 'stopped'; readonly rung: string };

/** What an exit means to the one who called. */
export function endingOf(exit: Exit, limits: Limits): Ending {
  const { cause, code, signal } = exit;
  if (exit.failure !== undefined && cause === undefined) {
    return { kind: 'failed', code: 'START_FAILED', message: exit.failure };
  }
  if (cause === 'stopped') return { kind: 'stopped', rung: exit.rung };
  if (cause === 'closed' || cause === 'discarded') {
    return { kind: 'failed', code: 'INSTANCE_LOST', message: 'the node ended the program because it stops' };
  }
  if (cause === 'lost') {
    return { kind: 'failed', code: 'INSTANCE_LOST', message: 'what starts programs for the node was ended' };
  }
  // One that nobody knows has no exit code either.
  const status = signal === undefined ? (code ?? 0) : signal === 0 ? undefined : 128 + signal;
  const failed = (errorCode: ErrorCode, message: string): Ending => ({
    kind: 'failed',
    code: errorCode,
    message,
    ...(status !== undefined && { exitCode: status }),
  });
  if (exit.ranOutOfMemory) return failed('MEMORY_LIMIT', memoryMessage(limits));
  if (cause === 'sockets') return failed('MEMORY_LIMIT', socketMessage(limits));
  if (cause === 'spent' || (signal !== undefined && ranOutOfCpu(exit, signal, limits))) {
    return failed('CPU_LIMIT', `the program used up its CPU time of ${limits.cpuTimeMs ?? 0} ms`);
  }
  if (exit.stage !== '')
    return {
      kind: 'failed',
      code: 'START_FAILED',
      message: startMessage(exit.stage, limits, exit.directory),
    };
  if (signal === SIGXFSZ) {
    return failed(
      'SIGNALED',
      `the program was ended by SIGXFSZ: it wrote a file larger than limits.file_size, ${limits.fileSize ?? 0} bytes`,
    );
  }
  if (signal !== undefined) {
    return failed('SIGNALED', `the program was ended by ${signalName(signal)}${fullFolderNote(exit)}`);
  }
  if (status !== 0) {
    return failed('FUNCTION_EXIT', `the program exited with ${status}${fullFolderNote(exit)}`);
  }
  return { kind: 'completed', exitCode: 0 };
}

/** The limit of each process ends it with SIGXCPU, or with SIGKILL where it takes no notice. */
function ranOutOfCpu({ cpuTimeUs }: Exit, signal: number, { cpuTimeMs }: Limits): boolean {
  if (cpuTimeMs === undefined) return false;
  return signal === SIGXCPU || (signal === SIGKILL && (cpuTimeUs ?? 0) >= cpuTimeMs * 1000);
}

function memoryMessage({ memory }: Limits): string {
  return memory === undefined
    ? 'the program was killed because the machine ran out of memory'
    : `the program was killed because it needed more memory than its limit of ${memory} bytes`;
}

function socketMessage({ memory = 0 }: Limits): string {
  return `the program was killed because its sockets held more memory than its limit of ${memory} bytes`;
}

/** A program that could not write any more ends as it likes. */
function fullFolderNote({ fullFolder }: Exit): string {
  if (fullFolder === undefined) return '';
  const files = Math.ceil(fullFolder / bytesPerFile);
  return `; its folder is full: an execution may write ${fullFolder} bytes in ${files} files to it, as --max-scratch-bytes of the node says`;
}

function startMessage(stage: string, { openFiles }: Limits, directory: string): string {
  if (stage === 'room')
    return 'the program could not be started: its private temporary folders could not be entered';
  if (stage === 'folder')
    return `the program could not be started: its working directory ${directory} does not exist, or cannot be entered`;
  if (stage === 'cell') return 'the program could not be started: it could not be put under its limits';
  if (stage === 'limits') {
    const of = openFiles === undefined ? '' : `; limits.open_files is ${openFiles}`;
    return `the program could not be started: a limit could not be set${of}`;
  }
  return 'the program could not be started: it cannot be executed; its output says why';
}
