import { invalidArgument, RequestError } from '../../../domain/errors.ts';
import { networkOf } from '../../../domain/network/network-list.ts';
import type { Limits, TaskDefinition } from '../../../domain/task.ts';
import { maxOpenFiles } from '../files/file-system.ts';

const mebibyte = 1024 * 1024;

/** What every guest can be held to: the gate needs a number to divide among memories and tables. */
export const defaultLimits = { memory: 128 * mebibyte } satisfies Partial<Limits>;

/** All that a 32-bit address reaches. */
const maxMemory = 4096 * mebibyte;

/**
 * Refuses a task with preopens where a guest could leave them: without /proc, folders can only be held by path.
 *
 * @throws RequestError, failed_precondition
 */
export function checkPreopens(task: TaskDefinition, allowed: boolean): void {
  if (allowed || Object.keys(task.preopens).length === 0) return;
  throw new RequestError(
    'failed_precondition',
    'definition.preopens: there is no /proc here, by which a wasm guest is kept inside its preopens; start the node with --unsafe-preopens where its guests are trusted',
    {
      reason: 'HOST_ACCESS_NOT_ALLOWED',
      violations: [{ field: 'definition.preopens', description: 'allowed is none' }],
    },
  );
}

/** Bytes. */
export function memoryLimit(task: TaskDefinition): number {
  return task.limits.memory ?? defaultLimits.memory;
}

/**
 * Refuses what a guest cannot be held to, or cannot be given.
 *
 * @throws RequestError, invalid_argument, naming the field
 */
export function checkSettings(task: TaskDefinition): void {
  checkLimits(task);
  const { container, user, workingDirectory, warm, instancePolicy } = task;
  if (container !== undefined) throw invalidArgument('definition.container', 'is for docker tasks');
  if (user !== '') {
    throw invalidArgument('definition.user', 'is for docker and process tasks; a wasm guest is no user');
  }
  if (workingDirectory !== '') {
    throw invalidArgument(
      'definition.working_directory',
      'is for docker and process tasks; a wasm guest sees the folders of its preopens',
    );
  }
  if (warm.startAhead) {
    throw invalidArgument(
      'definition.warm.start_ahead',
      'is for docker and process tasks; a wasm guest is ready with min alone',
    );
  }
  const { maxUses = 1 } = warm;
  if (instancePolicy === 'fresh' && maxUses !== 1) {
    throw invalidArgument(
      'definition.warm.max_uses',
      `is ${maxUses}; allowed is 1 with FRESH, which gives each execution an instance of its own`,
    );
  }
}

function checkLimits({ limits, preopens, ...definition }: TaskDefinition): void {
  const { memory = 0, cpu = 1, processes = 1, openFiles, fileSize } = limits;
  if (memory > maxMemory) {
    throw invalidArgument('definition.limits.memory', `is ${memory}; allowed is at most ${maxMemory} bytes`);
  }
  if (!(cpu >= 1)) {
    throw invalidArgument(
      'definition.limits.cpu',
      `is ${cpu}; allowed is 1 or more: a wasm guest runs on one thread, which nothing slows down`,
    );
  }
  if (!(processes >= 1)) {
    throw invalidArgument('definition.limits.processes', `is ${processes}; allowed is 1 or more`);
  }
  const hasFiles = Object.keys(preopens).length > 0;
  if (openFiles !== undefined && networkOf(definition).length > 0) {
    throw invalidArgument(
      'definition.limits.open_files',
      'a wasm guest with a network cannot be held to a number of open files; leave it out',
    );
  }
  if (openFiles !== undefined && openFiles > maxOpenFiles) {
    throw invalidArgument(
      'definition.limits.open_files',
      `is ${openFiles}; allowed is at most ${maxOpenFiles}, which is also the default`,
    );
  }
  if (fileSize !== undefined && hasFiles) {
    throw invalidArgument(
      'definition.limits.file_size',
      'a wasm guest with preopens cannot be held to a size of files; leave it out',
    );
  }
}
