/** What a handshake that failed means to the user, and whether one would have been right. */
import { connect } from 'node:tls';
import { handshakeFault } from '../client/handshake-fault.ts';

/** How long a server may take to show whether it speaks TLS, in milliseconds. */
const probeMs = 2000;

/** Whether a handshake comes about at HOST:PORT; nothing is sent over it. */
export function speaksTls({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, rejectUnauthorized: false, timeout: probeMs });
    const answer = (speaks: boolean) => (): void => {
      socket.destroy();
      resolve(speaks);
    };
    socket.once('secureConnect', answer(true));
    for (const event of ['error', 'timeout', 'close']) socket.once(event, answer(false));
  });
}

/** `details` is grpc-js's text. Undefined where it was no matter of a handshake. */
export function handshakeText(details: string, address: string): string | undefined {
  const fault = handshakeFault(details);
  switch (fault?.kind) {
    case undefined:
      return undefined;
    case 'plain':
      return `what listens at ${address} does not speak TLS; --address without https:// reaches it in the clear`;
    case 'notGrpc':
      return `what listens at ${address} does not speak gRPC; --address is the server's gRPC address, not that of its page`;
    case 'expired':
      return `the certificate of ${address} has expired; whoever runs the server has to renew it`;
    case 'notYetValid':
      return `the certificate of ${address} is not good yet; one of the two clocks is wrong, or it came too early`;
    case 'otherNames':
      return `the certificate of ${address} is for other names than that: ${fault.names}`;
    case 'untrusted':
      return `nobody whom this command trusts has signed the certificate of ${address}; --ca (or SPEAR_CA) names the file of who has`;
    case 'failed':
      return `the handshake with ${address} failed; the client's certificate (--client-cert) or the version of TLS may be the reason`;
  }
}
