/**
 * Where a node's certificate comes from, and who hears of another one. Both servers have theirs from here, so that
 * they never show two.
 */

import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { Clock, Timer } from '../../domain/clock.ts';
import { mostKeyBytes, readSmallFile } from '../../small-file.ts';
import { type CertificatePair, certificatePair } from './certificate-pair.ts';

export interface CertificateFiles {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** PEM, of those who sign the certificates of clients; absent where none are asked for. */
  readonly clientCa?: string;
}

export interface CertificateListener {
  /** Another pair is shown from now on. */
  changed(pair: CertificatePair): void;
  /** The files are not good; the pair from before stays. */
  refused(error: Error): void;
}

/** How often the files are looked at, in milliseconds: watches do not see every way in which a mounted file changes. */
const lookMs = 2000;

interface Loaded {
  readonly pair: CertificatePair;
  readonly clientCa: string | undefined;
}

export class CertificateSource {
  readonly #files: CertificateFiles;
  readonly #clock: Clock;
  readonly #listener: CertificateListener;
  readonly #followers = new Set<(options: SecureContextOptions) => void>();
  #loaded: Loaded;
  #marks: string;
  #timer: Timer | undefined;
  #closed = false;
  #last: Promise<void> = Promise.resolve();

  private constructor(
    files: CertificateFiles,
    clock: Clock,
    listener: CertificateListener,
    loaded: Loaded,
    marks: string,
  ) {
    this.#files = files;
    this.#clock = clock;
    this.#listener = listener;
    this.#loaded = loaded;
    this.#marks = marks;
    this.#lookLater();
  }

  /** Rejects with an Error for people where the files are not good. */
  static async open(
    files: CertificateFiles,
    clock: Clock,
    listener: CertificateListener,
  ): Promise<CertificateSource> {
    const marks = await marksOf(files);
    return new CertificateSource(files, clock, listener, await load(files), marks);
  }

  get pair(): CertificatePair {
    return this.#loaded.pair;
  }

  /** What a server is made with. */
  get options(): TlsOptions {
    const asking = this.#loaded.clientCa !== undefined;
    // Whoever shows none may show a token; what a certificate is worth is looked at with each call.
    return { ...contextOf(this.#loaded), requestCert: asking, rejectUnauthorized: false };
  }

  /** Calls `take` for each pair that comes later. */
  follow(take: (options: SecureContextOptions) => void): void {
    this.#followers.add(take);
  }

  /** Resolves when the files have been read again, whether they were good or not. */
  reload(): Promise<void> {
    this.#last = this.#last.then(async () => {
      if (this.#closed) return;
      this.#marks = await marksOf(this.#files);
      try {
        const loaded = await load(this.#files);
        this.#loaded = loaded;
        for (const take of this.#followers) take(contextOf(loaded));
        this.#listener.changed(loaded.pair);
      } catch (error) {
        this.#listener.refused(error instanceof Error ? error : new Error(String(error)));
      }
    });
    return this.#last;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #lookLater(): void {
    this.#timer = this.#clock.setTimer(lookMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    if ((await marksOf(this.#files)) !== this.#marks) await this.reload();
    if (!this.#closed) this.#lookLater();
  }
}

/** Mozilla's intermediate list (https://wiki.mozilla.org/Security/Server_Side_TLS), without DHE; TLS 1.3 has its own. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

function contextOf({ pair, clientCa }: Loaded): SecureContextOptions {
  return {
    ...{ cert: pair.cert, key: pair.key, ciphers, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' },
    ...(clientCa !== undefined && { ca: clientCa }),
  };
}

async function load({ cert, key, clientCa }: CertificateFiles): Promise<Loaded> {
  const pair = certificatePair(await read('--tls-cert', cert), await read('--tls-key', key));
  if (clientCa === undefined) return { pair, clientCa: undefined };
  const authorities = await read('--tls-client-ca', clientCa);
  try {
    new X509Certificate(authorities);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`--tls-client-ca: ${clientCa} has no certificate: ${why}`, { cause });
  }
  return { pair, clientCa: authorities };
}

async function read(flag: string, path: string): Promise<string> {
  try {
    return readSmallFile(path, mostKeyBytes).toString();
  } catch (cause) {
    throw new Error(`${flag}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Changes with the files: what a link leads to counts, as mounted secrets are links. */
async function marksOf(files: CertificateFiles): Promise<string> {
  const marks = [files.cert, files.key, files.clientCa ?? ''].map(async (path) => {
    const found = path === '' ? undefined : await stat(path).catch(() => undefined);
    return found === undefined ? '' : `${found.dev} ${found.ino} ${found.size} ${found.mtimeMs}`;
  });
  return (await Promise.all(marks)).join('\n');
}
