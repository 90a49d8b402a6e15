const leastBytes = 24;
const mostBytes = 64;
const mostKeys = 4;

/**
 * The keys in a secret: `whsec_` and base64 of 24 to 64 bytes, as Standard Webhooks say; several, a line each, while one
 * is being replaced by another. Nothing else signs: a secret that is something else's could be guessed by what it signs.
 * Throws an Error that says nothing of its value.
 */
export function signingKeys(name: string, value: Uint8Array): readonly Uint8Array[] {
  const lines = Buffer.from(value)
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim());
  const texts = lines.filter((line) => line !== '');
  const keys = texts.map((text) => Buffer.from(text.replace(/^whsec_/, ''), 'base64'));
  const isGood =
    keys.length >= 1 &&
    keys.length <= mostKeys &&
    texts.every((text) => /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text)) &&
    keys.every(({ byteLength }) => byteLength >= leastBytes && byteLength <= mostBytes);
  if (isGood) return keys;
  throw new Error(
    `the secret ${name} signs no webhooks: allowed is whsec_ and the base64 of ${leastBytes} to ${mostBytes} bytes, at most ${mostKeys} lines of it`,
  );
}
