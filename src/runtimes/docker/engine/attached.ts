import { followFrames } from './frames.ts';
import { type ContainerStreams, exitIn } from './streams.ts';
import type { EngineWire } from './wire.ts';

/**
 * Attaches to a container that is created and not started: what it writes before would be lost, and its exit with it.
 * Standard input has a connection of its own: writing to a program that is gone breaks the connection, and with it
 * output that is still on its way. Rejects with an EngineError, and then leaves nothing open.
 */
export async function attachTo(wire: EngineWire, id: string): Promise<ContainerStreams> {
  const open = new AbortController();
  const { signal } = open;
  const path = `/containers/${id}`;
  try {
    const [output, input, waiting] = await Promise.all([
      wire.attach(`${path}/attach?stream=1&stdout=1&stderr=1`, signal),
      wire.attach(`${path}/attach?stream=1&stdin=1`, signal),
      // The answer begins when the engine has taken note, and ends with the exit.
      wire.open('POST', `${path}/wait?condition=next-exit`, signal),
    ]);
    // Nothing comes from it; but only who reads hears that the other side has hung up.
    input.resume();
    const exit = exitIn(waiting);
    exit.catch(() => undefined);
    return {
      exit,
      needsContainer: false,
      get bytesRead() {
        return output.bytesRead;
      },
      // Output that breaks off does so with the engine, and that is the business of the exit.
      follow: (deliver) => followFrames(output, deliver).catch(() => undefined),
      // The callback comes after the half-close, or with the error that came before it.
      send: (data, delivered) =>
        void input.end(data, (error?: Error | null) => {
          if (error == null) delivered();
        }),
      begin: (line) => void input.write(line),
      close: () => open.abort(),
    };
  } catch (error) {
    open.abort();
    throw error;
  }
}
