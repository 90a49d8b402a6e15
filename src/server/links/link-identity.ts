/**
 * Who may speak over links: whoever has the secret of the cluster. A key is derived from it, and from that a certificate
 * which is the same on every node; both ends of TLS 1.3 show it, and take no other. So the secret never travels, and a
 * listener that somebody else has put there learns nothing but the certificate.
 */
import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  scryptSync,
  sign,
  X509Certificate,
} from 'node:crypto';
import {
  bitString,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  tagged,
  truth,
  utcTime,
  utf8String,
} from '../tls/der.ts';

export interface LinkIdentity {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** Of the certificate, as DER. */
  readonly raw: Buffer;
}

/** A guess at the secret, from the certificate, takes about a tenth of a second each. */
const costs = { N: 2 ** 16, r: 8, p: 1, maxmem: 128 * 1024 * 1024 };
/** RFC 8410, 7: what stands before the 32 bytes of an Ed25519 private key. */
const beforeSeed = Buffer.from('302e020100300506032b657004220420', 'hex');

export function linkIdentity(secret: Uint8Array): LinkIdentity {
  const seed = scryptSync(secret, 'spear: links between nodes, 1', 32, costs);
  const privateKey = createPrivateKey({
    key: Buffer.concat([beforeSeed, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const raw = certificate(privateKey);
  return {
    cert: new X509Certificate(raw).toString(),
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    raw,
  };
}

/** RFC 5280, 4.1, with nothing in it that differs from one node to another. */
function certificate(privateKey: KeyObject): Buffer {
  const signing = sequence(objectIdentifier('1.3.101.112'));
  const name = sequence(set(sequence(objectIdentifier('2.5.4.3'), utf8String('Spear, a node of a cluster'))));
  const basic = sequence(objectIdentifier('2.5.29.19'), truth(), octetString(sequence()));
  const usage = sequence(objectIdentifier('2.5.29.15'), truth(), octetString(bitString(Buffer.of(0x80), 7)));
  const body = sequence(
    tagged(0, integer(Buffer.of(2))),
    integer(Buffer.of(1)),
    signing,
    name,
    // It lasts as long as its secret: a new one is a new secret.
    sequence(utcTime('2020-01-01T00:00:00.000Z'), utcTime('2049-12-31T23:59:59.000Z')),
    name,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(basic, usage)),
  );
  return sequence(body, signing, bitString(sign(null, body, privateKey)));
}
