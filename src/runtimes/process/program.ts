import { closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { invalidArgument, quote } from '../../domain/errors.ts';
import type { TaskDefinition } from '../../domain/task.ts';
import type { TaskDraft } from '../../domain/tasks.ts';
import type { Identity } from '../containment/users/identity.ts';
import { LaunchError } from '../runtime.ts';
import type { Digests } from './digest.ts';
import { whyUnreachable } from './reach.ts';

const { R_OK, X_OK } = constants;
const pathField = 'definition.artifact.path';

export interface ProcessArtifact {
  readonly kind: 'process';
  readonly path: string;
  readonly sha256: string;
}

/** Finds the program that a draft names. Rejects with a RequestError that names the field. */
export async function findProgram(
  draft: TaskDraft,
  identity: Identity,
  digests: Digests,
  signal: AbortSignal,
): Promise<ProcessArtifact> {
  const { source } = draft;
  if (source.kind !== 'path') {
    throw invalidArgument(
      'definition.artifact',
      `a process task has a path on the server, not a ${source.kind}`,
    );
  }
  const { path } = source;
  if (!isAbsolute(path) || path.includes('\0')) {
    throw invalidArgument(pathField, `${quote(path)} is not an absolute path on the server`);
  }
  try {
    checkProgram(path, identity);
    const sha256 = await digests.of(path, signal);
    if (draft.sha256 !== '' && draft.sha256 !== sha256) {
      throw invalidArgument('definition.artifact.sha256', `the program at ${quote(path)} has ${sha256}`);
    }
    return { kind: 'process', path, sha256 };
  } catch (error) {
    throw asInvalid(pathField, path, error, signal);
  }
}

function checkProgram(path: string, identity: Identity): void {
  const facts = statSync(path);
  if (!facts.isFile()) throw invalidArgument(pathField, `${quote(path)} is not a regular file`);
  // A shell would take it for a script that does nothing, and well.
  if (facts.size === 0) throw invalidArgument(pathField, `${quote(path)} is empty`);
  // A script is opened once more, by its interpreter.
  const rights = isScript(path) ? R_OK | X_OK : X_OK;
  const reason = whyUnreachable(path, rights, identity);
  if (reason !== undefined) {
    throw invalidArgument(
      pathField,
      `${reason}; move the program, change its mode, or name another definition.user`,
    );
  }
}

/** Rejects a task's working directory that its user cannot work in, with a RequestError that names the field. */
export function checkWorkingDirectory(task: TaskDraft | TaskDefinition, identity: Identity): void {
  const { workingDirectory } = task;
  if (workingDirectory === '') return;
  const field = 'definition.working_directory';
  if (!isAbsolute(workingDirectory) || workingDirectory.includes('\0')) {
    throw invalidArgument(field, `${quote(workingDirectory)} is not an absolute path on the server`);
  }
  try {
    if (!statSync(workingDirectory).isDirectory()) {
      throw invalidArgument(field, `${quote(workingDirectory)} is not a folder`);
    }
    const reason = whyUnreachable(workingDirectory, X_OK, identity);
    if (reason !== undefined) throw invalidArgument(field, reason);
  } catch (error) {
    throw asInvalid(field, workingDirectory, error);
  }
}

/**
 * Checks before a start that the program is still the one that was registered; answers at once where its file
 * was not touched since. Throws or rejects with a LaunchError, or with the signal's reason.
 */
export function checkDigest(
  { path, sha256 }: ProcessArtifact,
  digests: Digests,
  signal: AbortSignal,
): undefined | Promise<undefined> {
  const compare = (now: string): undefined => {
    if (now === sha256) return;
    throw new LaunchError(
      'ARTIFACT_UNAVAILABLE',
      `the program at ${quote(path)} is not the one that was registered; register the task again`,
    );
  };
  const missing = (error: unknown): LaunchError => {
    if (error instanceof LaunchError) return error;
    signal.throwIfAborted();
    return new LaunchError('ARTIFACT_UNAVAILABLE', `the program at ${quote(path)} cannot be read`, {
      cause: error,
    });
  };
  try {
    const digest = digests.of(path, signal);
    if (typeof digest === 'string') return compare(digest);
    return digest.then(compare).catch((error: unknown) => {
      throw missing(error);
    });
  } catch (error) {
    throw missing(error);
  }
}

function isScript(path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    const start = Buffer.alloc(2);
    readSync(fd, start, 0, 2, 0);
    return start.toString('latin1') === '#!';
  } finally {
    closeSync(fd);
  }
}

/** What the file system says about a path of the caller's, as an error for that caller. */
function asInvalid(field: string, path: string, error: unknown, signal?: AbortSignal): unknown {
  signal?.throwIfAborted();
  if (!(error instanceof Error) || !('code' in error)) return error;
  const known: Readonly<Record<string, string>> = {
    ENOENT: 'does not exist on the server',
    ENOTDIR: 'leads through something that is not a folder',
    EACCES: 'cannot be read by the node',
    ELOOP: 'is a loop of links',
  };
  return invalidArgument(
    field,
    `${quote(path)} ${known[String(error.code)] ?? `cannot be used: ${error.code}`}`,
  );
}
