import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, textOf } from '../../../../src/runtimes/wasm/files/names.ts';

const part = fc.oneof(
  fc.uint8Array({ maxLength: 4 }),
  fc.string({ unit: 'grapheme', maxLength: 4 }).map((text) => Buffer.from(text)),
  fc.constantFrom('\uf780', '\uf7ff', '\ufffd', '\ufeff', 'é').map((text) => Buffer.from(text)),
);

describe('the name of a file as text', () => {
  it('leads back to the same bytes, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const name = Buffer.concat(parts);
        const text = textOf(name);
        expect(text.isWellFormed()).toBe(true);
        expect(Buffer.from(bytesOf(text)).toString('hex')).toBe(name.toString('hex'));
      }),
      { numRuns: 2000 },
    );
  });

  it('is the name itself where that is text', () => {
    for (const text of ['', 'plain', 'é', '\u{1f600}', '\ufeffmark', '\ufffd', 'a\\b\n']) {
      expect(textOf(Buffer.from(text))).toBe(text);
      expect(Buffer.from(bytesOf(text)).toString()).toBe(text);
    }
  });

  it('shows a byte that is no text as one character', () => {
    expect(textOf(Buffer.from([0x61, 0xff, 0xc3, 0xa9]))).toBe('a\uf7ffé');
    expect(textOf(Buffer.from([0xc3]))).toBe('\uf7c3');
  });

  it('makes no separator, dot or NUL of a character', () => {
    for (let code = 0xf700; code < 0xf800; code += 1) {
      for (const byte of bytesOf(String.fromCharCode(code))) expect(byte).toBeGreaterThanOrEqual(0x80);
    }
  });
});
