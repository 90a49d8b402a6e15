/** A certificate that a node makes for itself, for trying: nobody trusts it who is not told to. */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { timestampDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Clock } from '../../domain/clock.ts';
import { certificatePair, plainName } from './certificate-pair.ts';
import {
  bitString,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  tagged,
  taggedBytes,
  truth,
  utcTime,
  utf8String,
} from './der.ts';

const dayMs = 86_400_000;
const lifetimeMs = 365 * dayMs;
/** One that ends sooner is made anew at a start. */
const leastLeftMs = 30 * dayMs;

/** Paths of the two files, in a folder that is made. They are kept while they are good for these names. */
export async function selfSignedFiles(
  folder: string,
  names: readonly string[],
  clock: Pick<Clock, 'now'>,
): Promise<{ readonly cert: string; readonly key: string }> {
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const wanted = [...new Set(names.map(plainName))];
  if (await isGood(files, wanted, clock)) return files;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { cert, key } = selfSigned(wanted, Math.round(clock.now()));
  // The key first: a pair that does not match is made anew.
  await replace(files.key, key, 0o600);
  await replace(files.cert, cert, 0o644);
  return files;
}

async function isGood(
  files: { readonly cert: string; readonly key: string },
  wanted: readonly string[],
  clock: Pick<Clock, 'now'>,
): Promise<boolean> {
  try {
    const pair = certificatePair(await readFile(files.cert, 'utf8'), await readFile(files.key, 'utf8'));
    return wanted.every((name) => pair.names.includes(name)) && pair.expiresAt - clock.now() > leastLeftMs;
  } catch {
    // None, or none that could be used.
    return false;
  }
}

async function replace(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, text, { mode, flush: true });
  await rename(`${path}.new`, path);
}

/** RFC 5280, 4.1: version 3, ECDSA over P-256 with SHA-256. */
export function selfSigned(
  names: readonly string[],
  now: number,
): { readonly cert: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKeyInfo = publicKey.export({ type: 'spki', format: 'der' });
  const signing = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
  const name = sequence(set(sequence(objectIdentifier('2.5.4.3'), utf8String('Spear, self-signed'))));
  const serial = randomBytes(16);
  // The first bit makes it a number of full length, and none that begins with a zero.
  serial[0] = (serial[0] ?? 0) | 0x40;
  const body = sequence(
    tagged(0, integer(Buffer.of(2))),
    integer(serial),
    signing,
    name,
    sequence(timeAt(now - dayMs), timeAt(now + lifetimeMs)),
    name,
    publicKeyInfo,
    tagged(3, sequence(...extensions(names, publicKeyInfo))),
  );
  const certificate = sequence(body, signing, bitString(sign('sha256', body, privateKey)));
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

function extensions(names: readonly string[], publicKeyInfo: Buffer): readonly Buffer[] {
  const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
    sequence(objectIdentifier(id), ...(critical ? [truth()] : []), octetString(value));
  const keyId = createHash('sha256').update(publicKeyInfo).digest().subarray(0, 20);
  return [
    // It signs no other: whoever trusts it trusts this node alone.
    extension('2.5.29.19', true, sequence()),
    // digitalSignature
    extension('2.5.29.15', true, bitString(Buffer.of(0x80), 7)),
    // serverAuth
    extension('2.5.29.37', false, sequence(objectIdentifier('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.14', false, octetString(keyId)),
    extension('2.5.29.17', false, sequence(...names.map(generalName))),
  ];
}

function generalName(name: string): Buffer {
  return isIP(name) === 0 ? taggedBytes(2, Buffer.from(name, 'ascii')) : taggedBytes(7, addressBytes(name));
}

/** 4 or 16 bytes. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  // In its shortest form it has IPv4 only where it is a mapped one.
  const plain = plainName(address);
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(plain);
  const text =
    dotted === null
      ? plain
      : `${dotted[1]}${pairText(dotted[2], dotted[3])}:${pairText(dotted[4], dotted[5])}`;
  const [head = '', tail] = text.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const gap = Array.from({ length: 8 - first.length - last.length }, () => '0');
  const bytes = Buffer.alloc(16);
  [...first, ...gap, ...last].forEach((group, index) => {
    bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * index);
  });
  return bytes;
}

function pairText(high: string | undefined, low: string | undefined): string {
  return (256 * Number(high) + Number(low)).toString(16);
}

function timeAt(ms: number): Buffer {
  return utcTime(timestampDate(timestampFromMs(ms)).toISOString());
}
