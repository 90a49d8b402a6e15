import type { OutputStream } from '../../../../domain/event.ts';

/** What the guest that runs now sees as its own; replaced for each execution, also of a reused instance. */
export interface RunContext {
  input: Uint8Array;
  /** How much of `input` was read. */
  inputAt: number;
  args: readonly string[];
  environment: readonly (readonly [string, string])[];
  /** @param bytes may be a view of the guest's memory, and hold for this call only */
  write(stream: OutputStream, bytes: Uint8Array): void;
  /** The first exit code that was asked for; a guest that catches the exception of an exit has still exited. */
  exitCode: number | undefined;
}

/** Unwinds the guest after it has asked to exit. */
export class GuestExit extends Error {
  override readonly name = 'GuestExit';
}

/** @param code as the guest gave it; what is reported of it is its `exitStatus` */
export function exitGuest(context: RunContext, code: number): never {
  context.exitCode ??= exitStatus(code);
  throw new GuestExit(`exit ${context.exitCode}`);
}

/**
 * The exit code that is reported: the low eight bits, as `wait` has them of a process, so that -1 is 255. A code
 * that is not 0 is never reported as 0: 256 is 255.
 */
function exitStatus(code: number): number {
  const status = code & 0xff;
  return status === 0 && code !== 0 ? 0xff : status;
}
