import { randomBytes } from 'node:crypto';

/** More than this at once is host memory that nothing of the guest's accounts for. */
const maxRandomBytes = 16 * 1024 * 1024;

/** `wasi:random`; the insecure kinds are as good as the secure one. */
export function createRandom() {
  const bytes = (length: bigint): Uint8Array => {
    if (length > BigInt(maxRandomBytes)) throw new Error(`more than ${maxRandomBytes} random bytes at once`);
    return randomBytes(Number(length));
  };
  const u64 = (): bigint => randomBytes(8).readBigUInt64LE();
  return {
    random: { getRandomBytes: bytes, getRandomU64: u64 },
    insecure: { getInsecureRandomBytes: bytes, getInsecureRandomU64: u64 },
    insecureSeed: { insecureSeed: () => [u64(), u64()] },
  };
}
