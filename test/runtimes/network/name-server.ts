import { createSocket } from 'node:dgram';

/** A real name server over UDP on loopback: it knows these names, and answers others that they are not there. */
export interface NameServer {
  /** HOST:PORT */
  readonly address: string;
  /** Names that it was asked for, each once, in order. */
  readonly asked: readonly string[];
  close(): void;
}

interface Zone {
  readonly [name: string]: { readonly ipv4?: string; readonly ipv6?: readonly number[] };
}

const recordTypes = { a: 1, aaaa: 28 };

/** @param zone undefined for a server that never answers */
export async function nameServer(zone: Zone | undefined): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const { name, type, end } = questionOf(query);
    if (!asked.includes(name)) asked.push(name);
    if (zone === undefined) return;
    const known = zone[name];
    const ipv4 = type === recordTypes.a ? known?.ipv4?.split('.').map(Number) : undefined;
    const data = ipv4 ?? (type === recordTypes.aaaa ? known?.ipv6 : undefined);
    socket.send(answerTo(query.subarray(0, end), known !== undefined, type, data), from.port, from.address);
  });
  const bound = Promise.withResolvers<void>();
  socket.bind(0, '127.0.0.1', bound.resolve);
  await bound.promise;
  return { address: `127.0.0.1:${socket.address().port}`, asked, close: () => socket.close() };
}

/** The one question of a query (RFC 1035, section 4.1.2). */
function questionOf(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answerTo(question: Buffer, exists: boolean, type: number, data?: readonly number[]): Buffer {
  const head = Buffer.from(question);
  // An answer, with recursion; 3 is that there is no such name.
  head.writeUInt16BE(0x8180 | (exists ? 0 : 3), 2);
  head.writeUInt16BE(data === undefined ? 0 : 1, 6);
  // No other sections, whatever the query had there.
  head.writeUInt32BE(0, 8);
  if (data === undefined) return head;
  const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length, ...data]);
  return Buffer.concat([head, record]);
}
