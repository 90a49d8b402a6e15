import type { ErrorCode } from './errors.ts';

/** What can be done about an execution that ended with a code, as `docs/errors.md` has it. */
export const errorAdvice: Readonly<Record<ErrorCode, string>> = {
  FUNCTION_ERROR: 'read output',
  FUNCTION_EXIT: 'read error_output',
  TRAP: 'fix the function',
  SIGNALED: 'read error_output',
  CANCELLED: 'nothing',
  QUEUE_TIMEOUT: 'allow more time, or give the node more --slots',
  ATTEMPT_TIMEOUT: 'raise it, or make the function faster',
  TOTAL_TIMEOUT: 'raise it in the task; a request can only shorten it',
  MEMORY_LIMIT: 'raise limits.memory',
  CPU_LIMIT: 'raise it, or make the function faster',
  OUTPUT_LIMIT: 'write less, or raise the limit; make room on the disk where it is full',
  RESULT_TOO_LARGE: 'return less, or write it to stdout',
  DEPENDENCY_FAILED: 'look at what it depends on, which error_message names',
  INTERRUPTED: 'invoke again, where the function may run twice; set on_interrupt',
  RUNTIME_UNAVAILABLE: "look into the node's log; start Docker",
  START_FAILED: 'read error_message',
  ARTIFACT_UNAVAILABLE: 'register the task again',
  INSTANCE_LOST: "invoke again; if it recurs, look into the node's log",
  KILL_UNCONFIRMED: "look into the node's log: what is left of it may still run",
  SNAPSHOT_INCOMPATIBLE: 'restore it on a node of the version that wrote it; else invoke again',
  MOVED: 'follow it where the snapshot was restored',
  INTERNAL: 'report it, with the log',
};
