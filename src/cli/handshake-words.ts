/** What a handshake that failed means to the user, and whether one would have been right. */
import { connect } from 'node:tls';
import { otherNames } from './client.ts';

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

/** `details` is grpc-js's text. Undefined where it was no matter of TLS. */
export function handshakeText(details: string, address: string): string | undefined {
  if (/wrong version number|packet length too long|record overflow/i.test(details)) {
    return `what listens at ${address} does not speak TLS; --address without https:// reaches it in the clear`;
  }
  if (/no application protocol/i.test(details)) {
    return `what listens at ${address} does not speak gRPC; --address is the server's gRPC address, not that of its page`;
  }
  if (/certificate has expired/i.test(details)) {
    return `the certificate of ${address} has expired; whoever runs the server has to renew it`;
  }
  if (/certificate is not yet valid/i.test(details)) {
    return `the certificate of ${address} is not good yet; one of the two clocks is wrong, or it came too early`;
  }
  const names = new RegExp(`${otherNames} ([^;]*);`).exec(details)?.[1];
  if (names !== undefined) return `the certificate of ${address} is for other names than that: ${names}`;
  if (
    /self[- ]signed certificate|unable to (?:get|verify).*certificate|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED|CERT_UNTRUSTED|invalid CA|signature failure/i.test(
      details,
    )
  ) {
    return `nobody whom this command trusts has signed the certificate of ${address}; --ca (or SPEAR_CA) names the file of who has`;
  }
  if (/alert|SSL routines|\bTLS\b/.test(details)) {
    return `the handshake with ${address} failed; the client's certificate (--client-cert) or the version of TLS may be the reason`;
  }
  return undefined;
}
