import { Mismatch } from '../schema/check.ts';
import { sealCheck } from './part-check.ts';
import { knownEnvelopes, type Seal } from './parts.ts';
import { damaged, unknownVersion } from './refusal.ts';
import { firstLine, lastLine } from './writer.ts';

const opening = /^\{"spearSnapshot":(\d{1,9}),"parts":\[\n$/;
const sealStart = Buffer.from('{"kind":"seal"');

/** What a line is to the envelope around the parts. */
export type Framing = 'opening' | 'part' | 'seal' | 'closing';

/**
 * Follows the lines of a document and says what each is. It looks into none but the first and the last two, so that
 * the digest can be checked before anything else is read.
 */
export class Envelope {
  #line = 0;
  #seal: Seal | undefined;
  #closed = false;

  /** Throws where the line cannot stand there. */
  frame(line: Uint8Array): Framing {
    this.#line += 1;
    if (this.#line === 1) {
      this.#open(line);
      return 'opening';
    }
    if (this.#closed) throw damaged(this.#line, 'stands behind the end of the document');
    if (this.#seal !== undefined) {
      if (textOf(line) !== lastLine) throw damaged(this.#line, 'is not the end, which follows the seal: ]}');
      this.#closed = true;
      return 'closing';
    }
    if (startsWith(line, sealStart)) {
      this.#seal = checked(this.#line, () => sealCheck(JSON.parse(textOf(line))));
      return 'seal';
    }
    if (textOf(line.subarray(-3)) !== '},\n') {
      throw damaged(this.#line, 'is not one part and a comma: the document was reformatted or damaged');
    }
    return 'part';
  }

  /** The seal of a document that is whole. Throws where something is missing. */
  end(): Seal {
    if (this.#seal === undefined || !this.#closed) {
      throw damaged(this.#line + 1, 'is missing: the document was cut off');
    }
    return this.#seal;
  }

  #open(line: Uint8Array): void {
    const version = opening.exec(textOf(line.subarray(0, 64)))?.[1];
    if (version === undefined) {
      throw damaged(1, `is not ${firstLine.trimEnd()}; is this a snapshot, and as it was written?`);
    }
    if (!knownEnvelopes.includes(Number(version))) throw unknownVersion(version, knownEnvelopes);
  }
}

/** What JSON.parse and the checks throw, as a refusal that names the line. */
export function checked<T>(line: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Mismatch) throw damaged(line, error.message);
    if (error instanceof SyntaxError) throw damaged(line, 'is not JSON');
    throw error;
  }
}

export function textOf(line: Uint8Array): string {
  return Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString();
}

function startsWith(line: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, index) => line[index] === byte);
}
