/** A context as logs and snapshots have it: its options stand among the other fields. */
import type { ExecutionContext, ExecutionOptions } from './execution-context.ts';

export type StoredContext = Omit<ExecutionContext, 'options'> & ExecutionOptions;

export function storedContext({ options, ...rest }: ExecutionContext): StoredContext {
  return { ...rest, ...options };
}

export function contextFromStored(stored: StoredContext): ExecutionContext {
  const { totalMs, totalFrom, queueMs, attemptMs, graceMs, startMs, retry, recovery, timers, ...rest } =
    stored;
  return {
    ...rest,
    options: { totalMs, totalFrom, queueMs, attemptMs, graceMs, startMs, retry, recovery, timers },
  };
}
