/** Stands between a runtime and the engine, and tells of each request before the engine has it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dockerSocket } from '../../support/docker-image.ts';

export interface Relay {
  readonly socketPath: string;
  close(): Promise<void>;
}

/** @param heard gets the method and the path, as in `POST /containers/create` */
export async function startRelay(heard: (request: string) => void): Promise<Relay> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-relay-'));
  const socketPath = join(folder, 'docker.sock');
  const server = createServer((client) => {
    const engine = connect(dockerSocket);
    client.on('data', (bytes) => {
      const head = /^(GET|POST|DELETE) (?:\/v[\d.]+)?([^ ?]+)/.exec(bytes.toString('latin1', 0, 200));
      if (head !== null) heard(`${head[1]} ${head[2]}`);
    });
    client.pipe(engine).pipe(client);
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    async close() {
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}
