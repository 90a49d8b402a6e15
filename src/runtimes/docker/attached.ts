import type { Socket } from 'node:net';
import { EngineError } from './engine-error.ts';
import { type EngineWire, parsed, textOf } from './wire.ts';

const mostExitBytes = 64 * 1024;

/** The open ends of a container that is about to start. */
export interface Attached {
  /** stdout and stderr in frames. Ends with the container, and also where the engine goes away. */
  readonly output: Socket;
  /** The exit code. Rejects with an EngineError where the engine goes away first. */
  readonly exit: Promise<number>;
  /** Gives the program its whole standard input, then the end of it; a program that reads none is no error. */
  send(input: Uint8Array): void;
  close(): void;
}

/**
 * Attaches to a container that is created and not started: what it writes before would be lost, and its exit with it.
 * Standard input has a connection of its own: writing to a program that is gone breaks the connection, and with it
 * output that is still on its way. Rejects with an EngineError, and then leaves nothing open.
 */
export async function attachTo(wire: EngineWire, id: string): Promise<Attached> {
  const open = new AbortController();
  const { signal } = open;
  const path = `/containers/${id}`;
  try {
    const [output, input, waiting] = await Promise.all([
      wire.attach(`${path}/attach?stream=1&stdout=1&stderr=1`, signal),
      wire.attach(`${path}/attach?stream=1&stdin=1`, signal),
      // The answer begins when the engine has taken note, and ends with the exit.
      wire.open(`${path}/wait?condition=next-exit`, signal),
    ]);
    // Nothing comes from it; but only who reads hears that the other side has hung up.
    input.resume();
    const exit = textOf(waiting, mostExitBytes).then(exitCodeIn, (cause) => {
      throw new EngineError('the engine went away while the container ran', { cause });
    });
    exit.catch(() => undefined);
    return {
      output,
      exit,
      send: (data) => void input.end(data),
      close: () => open.abort(),
    };
  } catch (error) {
    open.abort();
    throw error;
  }
}

function exitCodeIn(text: string): number {
  const answer = parsed(text);
  if (typeof answer === 'object' && answer !== null && 'StatusCode' in answer) {
    if (typeof answer.StatusCode === 'number') return answer.StatusCode;
  }
  throw new EngineError('the engine did not say how the container ended');
}
