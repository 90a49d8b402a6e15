/** Whether a document is as it was written, and who vouches for it. */
import { type Seal, signedText } from '../../../../domain/snapshot/parts.ts';
import { bytesOf } from '../../model/scalar.ts';
import type { Signature } from '../../model/signature.ts';

/** A browser takes the digest of what is in memory only. */
const maxBytes = 256 * 1024 * 1024;

export interface SealFinding {
  /** What is wrong, for people; empty where nothing is, or where it could not be checked. */
  readonly fault: string;
  readonly signature: Signature;
}

/** Holds the seal against the file, whose `offset` first bytes it is of. */
export async function checkSeal(file: Blob, offset: number, seal: Seal): Promise<SealFinding> {
  // There is none outside of a secure context, and the document is shown all the same: it is only looked at.
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle;
  const fits = await digestFits(subtle, file, offset, seal.sha256);
  const signature = await signatureOf(subtle, seal);
  const faults: string[] = [];
  if (fits === false) faults.push('The seal does not fit: the document was changed after it was written.');
  if (signature.verdict === 'broken')
    faults.push('The signature is broken: it is not of the key that it names.');
  return { fault: faults.join(' '), signature: { ...signature, verdict: within(signature.verdict, fits) } };
}

/** A signature is over the digest: it says of the document what the digest does. */
function within(verdict: Signature['verdict'], fits: boolean | undefined): Signature['verdict'] {
  if (verdict !== 'valid' || fits === true) return verdict;
  return fits === false ? 'broken' : 'not checked';
}

/** Nothing where it could not be checked. */
async function digestFits(
  subtle: SubtleCrypto | undefined,
  file: Blob,
  offset: number,
  sha256: string,
): Promise<boolean | undefined> {
  if (subtle === undefined || offset > maxBytes) return undefined;
  return (await hexDigest(subtle, await file.slice(0, offset).arrayBuffer())) === sha256;
}

async function signatureOf(subtle: SubtleCrypto | undefined, seal: Seal): Promise<Signature> {
  const { publicKey, signature } = seal;
  if (publicKey === undefined && signature === undefined) {
    return { verdict: 'unsigned', publicKey: '', keyId: '' };
  }
  const told = String(publicKey ?? '');
  const key = decoded(told);
  if (key === undefined) return { verdict: 'broken', publicKey: told, keyId: '' };
  return {
    verdict: await verdictOf(subtle, key, String(signature ?? ''), seal.sha256),
    publicKey: told,
    keyId: subtle === undefined ? '' : await hexDigest(subtle, key),
  };
}

async function verdictOf(
  subtle: SubtleCrypto | undefined,
  key: Uint8Array<ArrayBuffer>,
  signature: string,
  sha256: string,
): Promise<Signature['verdict']> {
  if (subtle === undefined) return 'not checked';
  const bytes = decoded(signature);
  if (bytes === undefined) return 'broken';
  try {
    const signer = await subtle.importKey('spki', key, 'Ed25519', false, ['verify']);
    const text = new TextEncoder().encode(signedText(sha256));
    return (await subtle.verify('Ed25519', signer, bytes, text)) ? 'valid' : 'broken';
  } catch (error) {
    // Any other is about the key itself.
    return error instanceof DOMException && error.name === 'NotSupportedError' ? 'not checked' : 'broken';
  }
}

function decoded(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(bytesOf(base64));
  } catch {
    // What is no base64 is no key and no signature.
    return undefined;
  }
}

async function hexDigest(subtle: SubtleCrypto, data: BufferSource): Promise<string> {
  const digest = new Uint8Array(await subtle.digest('SHA-256', data));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
