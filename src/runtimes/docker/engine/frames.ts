import type { OutputStream } from '../../../domain/event.ts';

/** Takes output over; a promise means hand over no more until it resolves. */
export type Deliver = (stream: OutputStream, data: Uint8Array) => Promise<void> | undefined;

const headerBytes = 8;

/**
 * Takes apart what an attached container writes: frames of one byte for the stream, three zeros, and a length as four
 * bytes big endian, then the data. A frame is handed on in the pieces in which it comes, never kept; while `deliver`
 * holds back, nothing is read. `onFrame` hears the length of each frame before its data. Resolves with the end of
 * `source`; rejects where it breaks, or is no such stream.
 */
export async function followFrames(
  source: AsyncIterable<Uint8Array>,
  deliver: Deliver,
  onFrame?: (bytes: number) => void,
): Promise<void> {
  const header = Buffer.alloc(headerBytes);
  let headerHas = 0;
  let stream: OutputStream = 'stdout';
  let left = 0;
  for await (const chunk of source) {
    let at = 0;
    while (at < chunk.length) {
      if (left === 0) {
        const taken = chunk.subarray(at, at + headerBytes - headerHas);
        header.set(taken, headerHas);
        headerHas += taken.length;
        at += taken.length;
        if (headerHas < headerBytes) break;
        stream = streamOf(header.readUInt8(0));
        left = header.readUInt32BE(4);
        onFrame?.(left);
        headerHas = 0;
        continue;
      }
      const data = chunk.subarray(at, at + left);
      at += data.length;
      left -= data.length;
      const held = deliver(stream, data);
      if (held !== undefined) await held;
    }
  }
}

function streamOf(type: number): OutputStream {
  if (type === 1) return 'stdout';
  if (type === 2) return 'stderr';
  throw new Error(`a frame of type ${type} in the output of a container`);
}
