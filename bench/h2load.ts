import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly meanMicroseconds: number;
  /** Requests that got an HTTP response; what they said is not known here. */
  readonly answered: number;
}

/** A gRPC message in its frame: no compression, length, bytes. */
function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([head, message]);
}

/** Puts load on one unary method with h2load (nghttp2), `inFlight` requests at a time over up to 8 connections. */
export async function load(
  address: string,
  path: string,
  message: Uint8Array,
  requests: number,
  inFlight: number,
): Promise<LoadResult> {
  const body = join(tmpdir(), `spear-bench-${process.pid}-${Math.round(performance.now() * 1000)}.bin`);
  await writeFile(body, frame(message));
  const connections = Math.min(8, inFlight);
  try {
    const { stdout } = await run('h2load', [
      ...['-n', String(requests), '-c', String(connections), '-m', String(Math.ceil(inFlight / connections))],
      ...['-d', body, '-H', 'content-type: application/grpc', '-H', 'te: trailers'],
      `http://${address}${path}`,
    ]);
    return parse(stdout);
  } finally {
    await rm(body, { force: true });
  }
}

function parse(text: string): LoadResult {
  const rate = /finished in [\d.]+\w+, ([\d.]+) req\/s/.exec(text)?.[1];
  const answered = /(\d+) succeeded/.exec(text)?.[1];
  const mean = /time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)/.exec(text);
  if (rate === undefined || answered === undefined || mean === null) throw new Error(`h2load said:\n${text}`);
  const unit = { us: 1, ms: 1000, s: 1_000_000 }[mean[2] as 'us' | 'ms' | 's'];
  return {
    requestsPerSecond: Number(rate),
    answered: Number(answered),
    meanMicroseconds: Number(mean[1]) * unit,
  };
}
