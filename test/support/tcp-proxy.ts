/** A way to a TCP port that can be cut, or swallow what goes through it. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Resets every connection, both ways. */
  cut(): void;
  /** From now on nothing gets through, and nobody is told; false ends that, and what was swallowed is lost. */
  swallow(on: boolean): void;
  /** Hears the bytes that come back; true cuts the connection before they get through. */
  onAnswer(hear: ((bytes: Buffer) => boolean) | undefined): void;
  close(): Promise<void>;
}

/**
 * @param host where the port is
 * @param at the address of this machine where it listens
 */
export async function tcpProxy(to: number, host = '127.0.0.1', at = '127.0.0.1'): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let swallows = false;
  let hear: ((bytes: Buffer) => boolean) | undefined;
  const cut = (): void => {
    for (const [near, far] of pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
    pairs.clear();
  };
  const server = createServer((near) => {
    const far = connect(to, host);
    const pair = [near, far] as const;
    pairs.add(pair);
    const gone = (): void => {
      if (swallows) return;
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    near.on('data', (bytes) => void (swallows || far.write(bytes)));
    far.on('data', (bytes: Buffer) => {
      if (swallows) return;
      if (hear?.(bytes) === true) cut();
      else near.write(bytes);
    });
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', gone);
      socket.on('close', gone);
    }
  }).listen(0, at);
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    swallow(on) {
      swallows = on;
      if (!on) cut();
    },
    onAnswer(given) {
      hear = given;
    },
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
