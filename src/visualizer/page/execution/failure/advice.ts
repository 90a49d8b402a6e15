/** What each error code means and what to do about it, in the words of docs/errors.md; a test holds both together. */

export interface Advice {
  readonly meaning: string;
  readonly todo: string;
}

const advice: Readonly<Record<string, Advice>> = {
  FUNCTION_ERROR: {
    meaning: 'a typed function returned the error side of its result; the value is in output',
    todo: 'read output',
  },
  FUNCTION_EXIT: {
    meaning:
      'the program exited with a code other than 0; exit_code has it, output and error_output are kept. Of a WebAssembly function it is the low eight bits: −1 is 255, and so is 256, since it is no success',
    todo: 'read error_output',
  },
  TRAP: {
    meaning:
      'WebAssembly trapped: unreachable code, a stack overflow, an access out of bounds; the message has the memory used and the cap',
    todo: 'fix the function',
  },
  SIGNALED: {
    meaning:
      'the program ended by a signal that Spear did not send; exit_code is 128 + n. A container tells only its exit code: 129 to 192 counts as a signal',
    todo: 'read error_output',
  },
  CANCELLED: {
    meaning: 'somebody asked for the end, or the caller went away and had set cancel_on_disconnect',
    todo: 'nothing',
  },
  QUEUE_TIMEOUT: {
    meaning: 'no slot was free within timeouts.queue',
    todo: 'allow more time, or give the node more --slots',
  },
  ATTEMPT_TIMEOUT: {
    meaning: 'one attempt ran longer than timeouts.attempt',
    todo: 'raise it, or make the function faster',
  },
  TOTAL_TIMEOUT: {
    meaning:
      'not over within timeouts.total, waits and retries included; where nobody names it, within 5 minutes of its first attempt',
    todo: 'raise it in the task; a request can only shorten it',
  },
  MEMORY_LIMIT: {
    meaning:
      'WebAssembly: it trapped when its memory stood near limits.memory, or took its guest host down by what it made the host hold; process and container: the kernel ended it for want of memory',
    todo: 'raise limits.memory',
  },
  CPU_LIMIT: {
    meaning: 'the attempt used up limits.cpu_time',
    todo: 'raise it, or make the function faster',
  },
  OUTPUT_LIMIT: {
    meaning:
      "stdout and stderr came to more than limits.max_output_bytes, or more chunks than limits.max_output_events; or the node's disk is full, which the message says; what fits is in the log. A container wrote more than --max-scratch-bytes to its root file system",
    todo: 'write less, or raise the limit; make room on the disk where it is full',
  },
  RESULT_TOO_LARGE: {
    meaning: 'a typed result is more than 3 MiB of JSON',
    todo: 'return less, or write it to stdout',
  },
  DEPENDENCY_FAILED: {
    meaning:
      'an execution that it depends on did not end as it has to, so that it never started; or its output cannot be the parameter that it was to be',
    todo: 'look at what it depends on, which error_message names',
  },
  INTERRUPTED: {
    meaning: 'an attempt was lost with its node, and its task does not let it run again, or not that often',
    todo: 'invoke again, where the function may run twice; set on_interrupt',
  },
  RUNTIME_UNAVAILABLE: {
    meaning:
      "the node has no such runtime, cannot start guest hosts, cannot reach the Docker engine, or cannot hide from a process what is the node's",
    todo: "look into the node's log; start Docker",
  },
  START_FAILED: {
    meaning:
      'the artifact was accepted but cannot be made ready, or its instance cannot be made: no such program in the image, no right to run it, a secret that is missing, a host folder that leads to files of the node',
    todo: 'read error_message',
  },
  ARTIFACT_UNAVAILABLE: {
    meaning:
      "the artifact is gone or is not what it was: the bytes in the data folder, the program's file, the image",
    todo: 'register the task again',
  },
  INSTANCE_LOST: {
    meaning: "the guest host was killed under the function, or the container's engine was",
    todo: "invoke again; if it recurs, look into the node's log",
  },
  KILL_UNCONFIRMED: {
    meaning:
      "the attempt was told to end and was not confirmed gone within 10 s after the task's grace was over",
    todo: "look into the node's log: what is left of it may still run",
  },
  SNAPSHOT_INCOMPATIBLE: {
    meaning:
      'its log, or its snapshot, cannot be gone on from by this node: another version wrote it, or it is damaged',
    todo: 'restore it on a node of the version that wrote it; else invoke again',
  },
  MOVED: {
    meaning: 'it was moved away with spear snapshot --detach',
    todo: 'follow it where the snapshot was restored',
  },
  INTERNAL: {
    meaning: "a bug in Spear; the node's log has the cause",
    todo: 'report it, with the log',
  },
};

/** Nothing for a code that this page does not know. */
export function adviceOn(code: string): Advice | undefined {
  return Object.hasOwn(advice, code) ? advice[code] : undefined;
}

export const advisedCodes: readonly string[] = Object.keys(advice);
