/** What `spear` exits with: the one table, which `--help` prints too. */
import { type ErrorCode, errorCodes } from '../domain/errors.ts';
import {
  type ExecutionResult,
  ExecutionStatus,
  ErrorCode as WireCode,
} from '../server/gen/spearlet/function_pb.js';

export const exitCodes = {
  completed: { code: 0, meaning: 'completed' },
  functionError: {
    code: 1,
    meaning:
      'the error side of a typed function; a member of a batch that did not complete; or the server could not start (serve), or all is not well (db, replay)',
  },
  usage: { code: 64, meaning: 'usage, or the server found an argument that is not allowed' },
  unreachable: { code: 69, meaning: 'the server cannot be reached' },
  refused: { code: 75, meaning: 'refused for now, or the wait budget ended' },
  timedOut: { code: 124, meaning: 'timed out' },
  platform: { code: 125, meaning: 'a limit, or an error of the platform' },
  startFailed: { code: 126, meaning: 'the function could not be started' },
  unknown: { code: 127, meaning: 'no such task, function or execution' },
  cancelled: {
    code: 130,
    meaning: 'cancelled, or interrupted (the first Ctrl-C cancels, the second leaves)',
  },
  trap: { code: 134, meaning: 'a WebAssembly trap' },
  memory: { code: 137, meaning: 'out of memory' },
  readerGone: { code: 141, meaning: 'whoever read our output went away' },
} as const satisfies Record<string, { readonly code: number; readonly meaning: string }>;

type Ending = keyof typeof exitCodes;

/** How each error code ends the command; `own` is the exit code of the function, 128+n for a signal. */
const endings: Record<ErrorCode, Ending | 'own'> = {
  FUNCTION_ERROR: 'functionError',
  FUNCTION_EXIT: 'own',
  TRAP: 'trap',
  SIGNALED: 'own',
  CANCELLED: 'cancelled',
  QUEUE_TIMEOUT: 'timedOut',
  ATTEMPT_TIMEOUT: 'timedOut',
  TOTAL_TIMEOUT: 'timedOut',
  MEMORY_LIMIT: 'memory',
  CPU_LIMIT: 'platform',
  OUTPUT_LIMIT: 'platform',
  RESULT_TOO_LARGE: 'platform',
  DEPENDENCY_FAILED: 'platform',
  INTERRUPTED: 'platform',
  RUNTIME_UNAVAILABLE: 'platform',
  START_FAILED: 'startFailed',
  ARTIFACT_UNAVAILABLE: 'platform',
  INSTANCE_LOST: 'platform',
  KILL_UNCONFIRMED: 'platform',
  SNAPSHOT_INCOMPATIBLE: 'platform',
  MOVED: 'platform',
  INTERNAL: 'platform',
};

/** The exit code for an execution as it is; one that has not ended is `refused`. */
export function exitCodeOf(result: ExecutionResult): number {
  if (!result.isCompleted) return exitCodes.refused.code;
  if (result.status === ExecutionStatus.COMPLETED) return exitCodes.completed.code;
  const name: string = WireCode[result.errorCode] ?? '';
  if (isErrorCode(name)) {
    const ending = endings[name];
    return ending === 'own' ? ownCode(result.exitCode) : exitCodes[ending].code;
  }
  // A code from a newer server.
  if (result.status === ExecutionStatus.TIMED_OUT) return exitCodes.timedOut.code;
  if (result.status === ExecutionStatus.CANCELLED) return exitCodes.cancelled.code;
  return exitCodes.platform.code;
}

function isErrorCode(name: string): name is ErrorCode {
  return Object.hasOwn(errorCodes, name);
}

/** The kernel keeps 8 bits of an exit code; a failure whose low bits are 0 must not look like success. */
function ownCode(code = 0): number {
  return code & 0xff || 255;
}

/** The part of `--help` that lists them. */
export function exitCodeHelp(): string {
  const rows = Object.values(exitCodes).map(
    ({ code, meaning }) => `  ${String(code).padStart(5)}  ${meaning}`,
  );
  return [
    "Exit codes of invoke and wait: the function's own, and",
    ...rows,
    '  128+n  ended by signal n',
    'With --json, error_code tells overlaps apart.',
  ].join('\n');
}
