/**
 * A socket in a folder that only the node's own user can enter: whoever opens it is the administrator. It serves gRPC
 * from a server of its own, so that who calls is told by where the call came in, and by nothing that a caller says.
 */
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Socket, type Server as SocketServer } from 'node:net';
import { dirname } from 'node:path';
import { type Server, ServerCredentials } from '@grpc/grpc-js';

export class LocalListener {
  readonly #inject: (socket: Socket) => void;
  readonly #failed: (error: Error) => void;
  #server: SocketServer | undefined;
  #path = '';

  constructor(server: Server, failed: (error: Error) => void) {
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#inject = (socket) => injector.injectConnection(socket);
    this.#failed = failed;
  }

  /** Rejects with an error for people where the folder is not this user's, or the socket cannot be made. */
  async listen(path: string): Promise<void> {
    ownFolder(dirname(path));
    // The data folder is this process's, so that what is there is of one that has ended.
    rmSync(path, { force: true });
    const server = createServer((socket) => this.#inject(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => {
        server.off('error', reject);
        server.on('error', this.#failed);
        resolve();
      });
    });
    chmodSync(path, 0o600);
    this.#server = server;
    this.#path = path;
  }

  close(): void {
    this.#server?.close();
    if (this.#path !== '') rmSync(this.#path, { force: true });
  }
}

function ownFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const { uid } = lstatSync(path);
  const own = process.getuid?.() ?? uid;
  if (!lstatSync(path).isDirectory() || uid !== own) {
    throw new Error(`${path} is not a folder of this user, and the node's socket would be in it`);
  }
  chmodSync(path, 0o700);
}
