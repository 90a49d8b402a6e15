import type { OutputStream } from '../../../../domain/event.ts';

/** What the guest that runs now sees as its own; replaced for each execution, also of a reused instance. */
export interface RunContext {
  input: Uint8Array;
  /** How much of `input` was read. */
  inputAt: number;
  args: readonly string[];
  environment: readonly (readonly [string, string])[];
  write(stream: OutputStream, bytes: Uint8Array): void;
  /** The first exit code that was asked for; a guest that catches the exception of an exit has still exited. */
  exitCode: number | undefined;
}

/** Unwinds the guest after it has asked to exit. */
export class GuestExit extends Error {
  override readonly name = 'GuestExit';
}

export function exitGuest(context: RunContext, code: number): never {
  context.exitCode ??= code;
  throw new GuestExit(`exit ${code}`);
}
