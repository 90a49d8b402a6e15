/** Whether a document is as it was written. */

/** A browser takes the digest of what is in memory only. */
const mostBytes = 256 * 1024 * 1024;

/** What is wrong with the seal, for people; empty where nothing is, or where it could not be held against it. */
export async function sealFault(file: Blob, offset: number, sha256: string): Promise<string> {
  // There is none outside of a secure context, and the document is shown all the same: it is only looked at.
  const digester = (globalThis.crypto as Crypto | undefined)?.subtle;
  if (digester === undefined || offset > mostBytes) return '';
  const digest = new Uint8Array(await digester.digest('SHA-256', await file.slice(0, offset).arrayBuffer()));
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex === sha256 ? '' : 'The seal does not fit: the document was changed after it was written.';
}
