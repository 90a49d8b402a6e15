/** Who vouches for a snapshot: Ed25519 over the digest in its seal. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { invalidArgument, RequestError } from '../../domain/errors.ts';
import { type Seal, signedText } from '../../domain/snapshot/parts.ts';

export interface SnapshotKeys {
  /** Signs what this node writes; undefined means that nobody does. */
  readonly signing: KeyObject | undefined;
  /** Hex SHA-256 of the public keys whose documents are taken; empty means anyone's, also unsigned ones. */
  readonly trusted: ReadonlySet<string>;
}

export const noKeys: SnapshotKeys = { signing: undefined, trusted: new Set() };

/** An Ed25519 private key in PEM. Throws invalid_argument that names `flag`. */
export function signingKey(flag: string, pem: string): KeyObject {
  const key = read(() => createPrivateKey(pem));
  if (key === undefined) {
    throw invalidArgument(
      flag,
      'does not hold a private key that can be read; allowed is an Ed25519 one in PEM, without a passphrase',
    );
  }
  return ed25519(flag, key);
}

/** The fingerprint of an Ed25519 public key in PEM. Throws invalid_argument that names `flag`. */
export function trustedKey(flag: string, pem: string): string {
  // Node would take the public half of it, and the secret would stay where nobody needs it.
  if (/^-----BEGIN [A-Z ]*PRIVATE KEY-----/m.test(pem)) {
    throw invalidArgument(flag, 'holds a private key; allowed is the public one');
  }
  const key = read(() => createPublicKey(pem));
  if (key === undefined) {
    throw invalidArgument(flag, 'does not hold a public key; allowed is an Ed25519 one in PEM');
  }
  return fingerprint(der(ed25519(flag, key)));
}

function read(key: () => KeyObject): KeyObject | undefined {
  try {
    return key();
  } catch {
    // What OpenSSL says of a file that is no key helps nobody.
    return undefined;
  }
}

function ed25519(flag: string, key: KeyObject): KeyObject {
  const { asymmetricKeyType: kind = 'unknown' } = key;
  if (kind === 'ed25519') return key;
  throw invalidArgument(flag, `holds a ${key.type} key of the kind ${kind}; allowed is an Ed25519 one`);
}

export function sealOf(sha256: string, signing: KeyObject | undefined): Seal {
  if (signing === undefined) return { kind: 'seal', sha256 };
  return {
    kind: 'seal',
    sha256,
    publicKey: der(createPublicKey(signing)).toString('base64'),
    signature: sign(null, Buffer.from(signedText(sha256)), signing).toString('base64'),
  };
}

/**
 * The fingerprint of who signed; empty for nobody. Throws invalid_argument where the signature is not that key's, and
 * permission_denied where keys are trusted and this is none of them.
 */
export function checkSeal(seal: Seal, { trusted }: SnapshotKeys): string {
  const signer = signerOf(seal);
  if (trusted.size === 0 || trusted.has(signer)) return signer;
  const who = signer === '' ? 'nobody has signed' : `the key ${signer} has signed`;
  throw new RequestError(
    'permission_denied',
    `${who} this snapshot; this node takes only those of the keys that it was given (--trusted-key)`,
    { reason: 'SNAPSHOT_NOT_TRUSTED', metadata: { signed_by: signer } },
  );
}

function signerOf({ sha256, publicKey, signature }: Seal): string {
  if (publicKey === undefined || signature === undefined) return '';
  const bytes = Buffer.from(publicKey, 'base64');
  let valid = false;
  try {
    const key = createPublicKey({ key: bytes, format: 'der', type: 'spki' });
    valid =
      key.asymmetricKeyType === 'ed25519' &&
      verify(null, Buffer.from(signedText(sha256)), key, Buffer.from(signature, 'base64'));
  } catch {
    // Not a key at all; the refusal below says as much as anyone needs.
  }
  if (valid) return fingerprint(bytes);
  throw new RequestError('invalid_argument', 'the snapshot cannot be read: its signature is not of its key', {
    reason: 'SNAPSHOT_DAMAGED',
    violations: [{ field: 'snapshot', description: 'the signature is not of its key' }],
  });
}

function der(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' });
}

function fingerprint(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex');
}
