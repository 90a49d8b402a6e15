/** The few forms of DER (ITU-T X.690) that a certificate is made of. */

export function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, ...parts);
}

export function set(...parts: readonly Buffer[]): Buffer {
  return element(0x31, ...parts);
}

/** A part that its number tells apart, around others. */
export function tagged(number: number, ...parts: readonly Buffer[]): Buffer {
  return element(0xa0 | number, ...parts);
}

/** A part that its number tells apart, with bytes in it. */
export function taggedBytes(number: number, bytes: Buffer): Buffer {
  return element(0x80 | number, bytes);
}

/** Not negative. */
export function integer(bytes: Buffer): Buffer {
  const isHigh = ((bytes[0] ?? 0) & 0x80) !== 0;
  return element(0x02, ...(isHigh ? [Buffer.of(0)] : []), bytes);
}

export function truth(): Buffer {
  return element(0x01, Buffer.of(0xff));
}

export function bitString(bytes: Buffer, unusedBits = 0): Buffer {
  return element(0x03, Buffer.of(unusedBits), bytes);
}

export function octetString(bytes: Buffer): Buffer {
  return element(0x04, bytes);
}

export function utf8String(text: string): Buffer {
  return element(0x0c, Buffer.from(text));
}

/** Such as `2.5.29.17`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([40 * first + second, ...rest].flatMap(base128)));
}

/** To a second, from 1950 to 2049, as RFC 5280, 4.1.2.5 wants them written. */
export function utcTime(isoText: string): Buffer {
  return element(0x17, Buffer.from(`${isoText.slice(2, 19).replace(/[-T:]/g, '')}Z`));
}

function base128(number: number): number[] {
  const digits = [number & 0x7f];
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128)) {
    digits.unshift((rest & 0x7f) | 0x80);
  }
  return digits;
}

function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), lengthOf(content.byteLength), content]);
}

function lengthOf(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.of(bytes);
  const digits: number[] = [];
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest & 0xff);
  return Buffer.of(0x80 | digits.length, ...digits);
}
