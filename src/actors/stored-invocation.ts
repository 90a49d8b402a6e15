import type { Clock } from '../domain/clock.ts';
import type { ExecutionRecord, Invocation } from '../domain/execution.ts';
import { isDamage } from '../domain/store-error.ts';
import type { Store } from '../stores/store.ts';

const readAgainMs = 250;

/**
 * What goes into the store of an invocation: its record has the function's name and the content type already, and
 * most typed calls then need no row of their own.
 */
export function toStore(invocation: Invocation): Invocation {
  return { ...invocation, functionName: '', contentType: '' };
}

/**
 * Reads an accepted execution's invocation back, and again where the store cannot: what was accepted is not lost
 * (I8). Undefined where `signal` ends the wait, or the store has none that is whole. `health` hears of each failure,
 * and with undefined that the store can be read again.
 */
export async function fromStore(
  store: Store,
  clock: Clock,
  record: ExecutionRecord,
  signal: AbortSignal,
  health: (error: Error | undefined) => void,
): Promise<Invocation | undefined> {
  for (let failed = false; !signal.aborted; failed = true) {
    try {
      const stored = await store.input(record.executionId);
      if (failed) health(undefined);
      const { functionName, contentType } = record;
      return stored === undefined ? undefined : { ...stored, functionName, contentType };
    } catch (error) {
      if (isDamage(error)) return undefined;
      health(error instanceof Error ? error : new Error(String(error)));
      await new Promise<void>((resolve) => clock.setTimer(readAgainMs, resolve));
    }
  }
  return undefined;
}
