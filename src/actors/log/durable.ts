import { RequestError } from '../../domain/errors.ts';
import type { LiveLog } from './live-log.ts';

/**
 * Resolves when everything so far of a log is durable. Rejects with a RequestError: where its admission was refused,
 * and with unavailable where the node goes away before anyone here can know.
 */
export async function untilDurable(log: LiveLog): Promise<void> {
  const durable = await log.durable();
  await log.admitted();
  if (!durable) throw unknownHere();
}

export function unknownHere(): RequestError {
  return new RequestError(
    'unavailable',
    'the node is stopping, and what became of this is known when it is back; look then, or ask again',
    { reason: 'DRAINING', retryAfterMs: 1000 },
  );
}
