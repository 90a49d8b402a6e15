import type { Socket as UdpSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';

type Connection = Socket | Server | UdpSocket;

/** How long handles may take to close, in milliseconds. */
const closeMs = 2000;

/** What is open on the network. */
export class Connections {
  readonly #open = new Set<Connection>();

  /** Counts until it is closed. */
  add(connection: Connection): void {
    if (this.#open.has(connection)) return;
    this.#open.add(connection);
    // Without a listener an error would end the thread; others that there are still hear of it.
    connection.on('error', () => {});
    connection.once('close', () => this.#open.delete(connection));
  }

  /** Closes all of them, and what the code that waits for one opens meanwhile. Whether that was done in time. */
  async close(): Promise<boolean> {
    const end = performance.now() + closeMs;
    while (this.#open.size > 0) {
      for (const connection of this.#open) close(connection);
      await setImmediate();
      if (this.#open.size > 0) await setTimeout(1);
      if (performance.now() > end) return false;
    }
    return true;
  }
}

function close(connection: Connection): void {
  if ('destroy' in connection) {
    // With an error, so that an instance that is kept finds its streams failed and does not wait for them.
    connection.destroy(Object.assign(new Error('its execution has ended'), { code: 'ECONNABORTED' }));
  } else {
    connection.close();
  }
}
