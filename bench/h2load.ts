import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Load {
  readonly address: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  /** The request message, encoded. */
  readonly message: Uint8Array;
  readonly requests: number;
  readonly inFlight: number;
  /** Absent for a caller that shows none. */
  readonly token?: string;
  readonly tls?: boolean;
  /** Plain HTTP/1.1: the message is the body, of this type, and each call in flight has a connection. */
  readonly http1?: string;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly medianMicroseconds: number;
  /** Requests that got an HTTP response; what its grpc-status said is not known here. */
  readonly answered: number;
}

/** Puts load on one unary method with h2load (nghttp2), over up to 8 connections. Stops by itself. */
export async function load(what: Load): Promise<LoadResult> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-bench-load-'));
  const body = join(folder, 'body');
  const log = join(folder, 'log');
  const connections = what.http1 === undefined ? Math.min(8, what.inFlight) : what.inFlight;
  try {
    await writeFile(body, what.http1 === undefined ? frame(what.message) : what.message);
    const { stdout } = await run('h2load', [
      ...['-n', String(what.requests), '-c', String(connections)],
      ...['-m', String(Math.ceil(what.inFlight / connections))],
      ...(what.http1 === undefined
        ? ['-H', 'content-type: application/grpc', '-H', 'te: trailers']
        : ['--h1', '-H', `content-type: ${what.http1}`]),
      ...['-d', body],
      ...(what.token === undefined ? [] : ['-H', `authorization: Bearer ${what.token}`]),
      ...[`--log-file=${log}`, `${what.tls === true ? 'https' : 'http'}://${what.address}${what.path}`],
    ]);
    const rate = /finished in [\d.]+\w+, ([\d.]+) req\/s/.exec(stdout)?.[1];
    const answered = /(\d+) succeeded/.exec(stdout)?.[1];
    if (rate === undefined || answered === undefined) throw new Error(`h2load said:\n${stdout}`);
    return {
      requestsPerSecond: Number(rate),
      answered: Number(answered),
      medianMicroseconds: medianTime(await readFile(log, 'utf8')),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A gRPC message in its frame: no compression, length, bytes. */
function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([head, message]);
}

/** h2load logs a line a request: start, HTTP status, duration, the times in microseconds. */
function medianTime(log: string): number {
  const times = log
    .trimEnd()
    .split('\n')
    .map((line) => Number(line.split('\t')[2]))
    .sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)] ?? Number.NaN;
}
