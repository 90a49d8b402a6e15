/** A receiver of webhooks that verifies what comes with the published library, and behaves as a test wants. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** What a secret of a node is, and a receiver has too. */
export const signingSecret = `whsec_${Buffer.from('a key of at least 24 bytes').toString('base64')}`;

export interface Received {
  readonly id: string;
  readonly path: string;
  readonly contentType: string;
  /** As CloudEvents say it. */
  readonly event: {
    readonly specversion: string;
    readonly id: string;
    readonly source: string;
    readonly type: string;
    readonly subject: string;
    readonly time: string;
    readonly data: Readonly<Record<string, unknown>>;
  };
}

/** How a receiver answers. */
export type Behaviour = (response: ServerResponse, request: IncomingMessage) => void;

export interface Receiver {
  readonly url: string;
  /** Those whose signature was good. */
  readonly received: Received[];
  readonly faults: string[];
  /** Of requests that are open now, the most at a time. */
  most: number;
  /** Undefined takes it. */
  answer: Behaviour | undefined;
  close(): Promise<void>;
}

export async function startReceiver(secret = signingSecret): Promise<Receiver> {
  let open = 0;
  const server = createServer((request, response) => {
    open += 1;
    receiver.most = Math.max(receiver.most, open);
    response.once('close', () => {
      open -= 1;
    });
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString();
      try {
        const headers = Object.fromEntries(
          Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
        );
        const event = new Webhook(secret).verify(body, headers) as Received['event'];
        receiver.received.push({
          id: String(request.headers['webhook-id']),
          path: String(request.url),
          contentType: String(request.headers['content-type']),
          event,
        });
      } catch (error) {
        receiver.faults.push(String(error));
        response.writeHead(400).end();
        return;
      }
      if (receiver.answer !== undefined) receiver.answer(response, request);
      else response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    ...{ received: [], faults: [], most: 0, answer: undefined },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return receiver;
}
