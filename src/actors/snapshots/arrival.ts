/** A document on its way in: kept until all of it is here and its digest is known, then read part by part. */
import { createHash } from 'node:crypto';
import { RequestError } from '../../domain/errors.ts';
import { Envelope } from '../../domain/snapshot/envelope.ts';
import { Lines } from '../../domain/snapshot/lines.ts';
import type { Seal, SnapshotPart } from '../../domain/snapshot/parts.ts';
import { PartReader } from '../../domain/snapshot/reader.ts';
import { damaged } from '../../domain/snapshot/refusal.ts';

/** Where a document is kept until all of it is here. */
export interface SnapshotSpool {
  create(): Promise<SpooledDocument>;
}

export interface SpooledDocument {
  /** Takes over `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  read(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Rejects with a RequestError where the bytes are no whole document with the digest of its seal. */
export async function receive(
  document: SpooledDocument,
  bytes: AsyncIterable<Uint8Array>,
  { maxLineBytes, maxBytes }: { readonly maxLineBytes: number; readonly maxBytes: number },
  signal: AbortSignal,
): Promise<Seal> {
  let received = 0;
  const lines = new Lines(maxLineBytes);
  const envelope = new Envelope();
  const hash = createHash('sha256');
  for await (const piece of bytes) {
    throwIfCallerGone(signal);
    received += piece.byteLength;
    if (received > maxBytes) throw tooLarge(maxBytes);
    for (const line of lines.push(piece)) {
      const framing = envelope.frame(line);
      if (framing === 'opening' || framing === 'part') hash.update(line);
    }
    await document.write(piece);
  }
  // A call that is cancelled may end its stream as one that is complete.
  throwIfCallerGone(signal);
  lines.end();
  const seal = envelope.end();
  const found = hash.digest('hex');
  if (found === seal.sha256) return seal;
  throw damaged(
    lines.count - 1,
    `the digest of the document is ${found}, and its seal says ${seal.sha256}: it was changed`,
  );
}

/** The parts of a document that was received, each checked. Rejects with a RequestError. */
export async function* partsOf(
  document: SpooledDocument,
  maxLineBytes: number,
  signal: AbortSignal,
): AsyncGenerator<SnapshotPart> {
  const lines = new Lines(maxLineBytes);
  const reader = new PartReader();
  for await (const piece of document.read()) {
    for (const line of lines.push(piece)) {
      throwIfCallerGone(signal);
      const part = reader.read(line);
      if (part !== undefined) yield part;
    }
  }
  reader.end();
}

/** Throws `cancelled` where nobody waits for the answer any more. */
export function throwIfCallerGone(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new RequestError('cancelled', 'the caller went away; nothing was restored', {
    reason: 'CALLER_GONE',
  });
}

function tooLarge(most: number): RequestError {
  return new RequestError('resource_exhausted', `the snapshot is larger than the allowed ${most} bytes`, {
    reason: 'SNAPSHOT_TOO_LARGE',
    quota: 'max-snapshot-bytes',
  });
}
