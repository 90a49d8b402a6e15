/** Holding on to an execution while connections come and go, and saying so. */
import { Reattachment } from '../client/reattachment.ts';
import { exitCodes } from './exit-codes.ts';
import type { Session } from './session.ts';
import { note } from './shell.ts';

const reconnectTimeoutMs = 30_000;

/** The server stayed away for too long. The execution may well be going on. */
export class LostServerError extends Error {
  override readonly name = 'LostServerError';
  readonly exitCode = exitCodes.unreachable.code;
}

export function reattachmentTo(session: Session, executionId: string, signal?: AbortSignal): Reattachment {
  const { address, shell } = session;
  return new Reattachment({
    patienceMs: reconnectTimeoutMs,
    signal,
    lost: () => note(shell, `lost the server at ${address}; trying to go on with ${executionId}`),
    back: () => {
      note(shell, `the server is back; going on with ${executionId}`).catch(() => {});
    },
    gaveUp: (cause) =>
      new LostServerError(
        `cannot reach the server at ${address}; go on later with: ${session.command('wait', executionId)}`,
        { cause },
      ),
  });
}
