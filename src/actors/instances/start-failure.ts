import { type AttemptOutcome, LaunchError } from '../../runtimes/runtime.ts';

/**
 * What an attempt comes to whose instance could not be started, or found again. Throws `error` where that is a bug
 * of ours. `warn` hears of what the node's operator should know.
 */
export function startFailure(
  error: unknown,
  instanceId: string,
  signal: AbortSignal,
  warn: (error: LaunchError) => void,
): AttemptOutcome {
  const facts = { instanceId, resourceUse: {} };
  if (error instanceof LaunchError) {
    warn(error);
    return { kind: 'failed', code: error.code, message: error.message, ...facts };
  }
  if (signal.aborted) return { kind: 'stopped', rung: 'cooperative', ...facts };
  throw error;
}
