import type { Clock } from '../../../domain/clock.ts';
import type { EngineConnection } from '../engine/connection.ts';
import { asEngineError } from '../engine/engine-error.ts';
import { passed } from '../engine/waiting.ts';

const removeMs = 10_000;
const underWayMs = 50;
const maxLooks = 100;

/** Kills and removes a container, by id or name. False where that could not be confirmed; never rejects. */
export async function removeContainer(
  connection: EngineConnection,
  clock: Clock,
  container: string,
  withinMs = removeMs,
): Promise<boolean> {
  try {
    await connection.call(withinMs, (docker, abortSignal) =>
      docker.getContainer(container).remove({ force: true, v: true, abortSignal }),
    );
    connection.facts?.sockets.forget(container);
    return true;
  } catch (cause) {
    const { status } = asEngineError(cause);
    // 409: someone else's removal is under way.
    if (status === 409) return waitUntilGone(connection, clock, container);
    return status === 404;
  }
}

async function waitUntilGone(
  connection: EngineConnection,
  clock: Clock,
  container: string,
): Promise<boolean> {
  for (let look = 0; look < maxLooks; look += 1) {
    await passed(clock, underWayMs);
    try {
      await connection.call(removeMs, (docker) => docker.getContainer(container).inspect());
    } catch (cause) {
      return asEngineError(cause).status === 404;
    }
  }
  return false;
}
