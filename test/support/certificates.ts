/** A certificate authority of a test, and what it signs: by the real openssl, so that nothing of ours is on both sides. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface CertificateFiles {
  /** Paths, of PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface CertificateWishes {
  /** As openssl writes them: `DNS:localhost,IP:127.0.0.1,URI:spiffe://a/b`. */
  readonly names: string;
  readonly use?: 'serverAuth' | 'clientAuth';
  /** As openssl writes it: `20200101000000Z`. */
  readonly notAfter?: string;
}

export class CertificateAuthority {
  readonly folder: string;
  readonly #own: CertificateFiles;
  #count = 0;

  /** Its files go when the test has finished. */
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'spear-certificates-'));
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    this.#own = { cert: join(this.folder, 'ca.pem'), key: join(this.folder, 'ca-key.pem') };
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', this.#own.key, '-out', this.#own.cert, '-subj', '/CN=test authority'],
    );
    for (const name of ['index.txt', 'index.txt.attr']) writeFileSync(join(this.folder, name), '');
  }

  /** Path of its certificate. */
  get cert(): string {
    return this.#own.cert;
  }

  issue({ names, use = 'serverAuth', notAfter = '20991231235959Z' }: CertificateWishes): CertificateFiles {
    this.#count += 1;
    const at = (suffix: string): string => join(this.folder, `${this.#count}${suffix}`);
    const files = { cert: at('.pem'), key: at('-key.pem') };
    openssl(
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', files.key, '-out', at('.csr'), '-subj', `/CN=${this.#count}`],
    );
    writeFileSync(
      at('.ext'),
      `subjectAltName=${names}\nextendedKeyUsage=${use}\nbasicConstraints=CA:FALSE\n`,
    );
    writeFileSync(
      at('.cnf'),
      [
        '[ca]\ndefault_ca=own\n[own]\ndefault_md=sha256\npolicy=any\nunique_subject=no\nrand_serial=yes',
        `database=${join(this.folder, 'index.txt')}\nnew_certs_dir=${this.folder}\n[any]\ncommonName=supplied\n`,
      ].join('\n'),
    );
    openssl(
      ...['ca', '-batch', '-notext', '-config', at('.cnf'), '-cert', this.#own.cert],
      ...['-keyfile', this.#own.key, '-in', at('.csr'), '-out', files.cert, '-extfile', at('.ext')],
      ...['-startdate', '20200101000000Z', '-enddate', notAfter],
    );
    return files;
  }
}

/** SHA-256 of a certificate, as openssl writes it. */
export function fingerprintOf(path: string): string {
  return openssl('x509', '-in', path, '-noout', '-fingerprint', '-sha256').trim().replace(/^.*=/, '');
}

function openssl(...args: readonly string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
