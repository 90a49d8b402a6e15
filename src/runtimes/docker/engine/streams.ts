import type { IncomingMessage } from 'node:http';
import { EngineError } from './engine-error.ts';
import type { Deliver } from './frames.ts';
import { parsed, textOf } from './wire.ts';

const maxExitBytes = 64 * 1024;

/** The open ends of a container: of one that is about to start, or of one that an earlier run of the node started. */
export interface ContainerStreams {
  /** The exit code. Rejects with an EngineError where the engine goes away first. */
  readonly exit: Promise<number>;
  /** How much the engine sent of its output: grows while any comes. */
  readonly bytesRead: number;
  /** The container must not be removed before `follow` is done: some of its output is read after its end. */
  readonly needsContainer: boolean;
  /**
   * Hands its output over. Resolves with the end of that, and also where the engine goes away. Rejects where some of
   * it is not to be had. Called once.
   */
  follow(deliver: Deliver): Promise<void>;
  /**
   * Gives the program its whole standard input, then the end of it; a program that reads none is no error. Absent
   * where it has had it. `delivered` is called when the kernel has taken over all of that, and not where it did not.
   */
  send?(input: Uint8Array, delivered: () => void): void;
  /** Writes to the standard input before all that is given by `send`; absent where it has had that. */
  begin?(line: Uint8Array): void;
  close(): void;
}

/** The exit code in an answer to `wait`, which ends with the container. */
export async function exitIn(answer: IncomingMessage): Promise<number> {
  const text = await textOf(answer, maxExitBytes).catch((cause: unknown) => {
    throw new EngineError('the engine went away while the container ran', { cause });
  });
  return exitCodeIn(text);
}

function exitCodeIn(text: string): number {
  const answer = parsed(text);
  if (typeof answer === 'object' && answer !== null && 'StatusCode' in answer) {
    if (typeof answer.StatusCode === 'number') return answer.StatusCode;
  }
  throw new EngineError('the engine did not say how the container ended');
}
