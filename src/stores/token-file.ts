/**
 * The tokens of a node, in two files of its data folder that only its user can read: `admin-token` is one token, made
 * at the first start; `tokens.json` has the hashes of those that were made since. A token has 256 random bits, so that
 * one round of SHA-256 keeps it: nobody tries them all. An entry that certificates stand for has no hash.
 */
import { createHash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, lstat, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Principal } from '../domain/access.ts';
import type { ShownCertificate } from '../domain/certificate.ts';
import type { Clock } from '../domain/clock.ts';
import { quote, RequestError } from '../domain/errors.ts';
import { LruMap } from '../domain/lru-map.ts';
import { holderOf, type NewToken, type TokenFacts, type Tokens } from '../domain/tokens.ts';
import { syncFolder } from './artifacts.ts';
import { StoreError } from './store.ts';
import { factsOf, type Kept, keptFrom, keptText, tokensFile } from './token-records.ts';

export const adminTokenFile = 'admin-token';

/** A token says what it is, so that who finds one in a file knows, and scanners of repositories can. */
const tokenPattern = /^spear_[A-Za-z0-9_-]{43}$/;
const mostTokens = 10_000;
/** Certificates of one token that were revoked one by one. */
const mostFingerprints = 1000;
/** Tokens whose hash is remembered: it costs more than the rest of a look-up. */
const mostRemembered = 1024;
/** How exactly the last use is kept, in milliseconds. */
const useMs = 60_000;

/** Rejects with StoreError where a file cannot be read, is not what it should be, or cannot be made. */
export async function openTokens(dataDir: string, clock: Pick<Clock, 'now'>): Promise<TokenFile> {
  const path = join(dataDir, tokensFile);
  try {
    const admin = await adminToken(join(dataDir, adminTokenFile));
    const text = await readFile(path, 'utf8').catch(emptyWhereMissing);
    return new TokenFile(path, clock, hashOf(admin), text === '' ? [] : keptFrom(text));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError(`cannot use the tokens of ${dataDir}: ${why}`, { cause });
  }
}

export class TokenFile implements Tokens {
  readonly #path: string;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #admin: string;
  #tokens: ReadonlyMap<string, Kept> = new Map();
  readonly #hashes = new LruMap<string, string>(mostRemembered);
  #byHash: ReadonlyMap<string, Kept> = new Map();
  #byCertificate: ReadonlyMap<string, Kept> = new Map();
  /** When each token was last used: name to milliseconds since the epoch. */
  readonly #lastUses = new Map<string, number>();
  #last: Promise<void> = Promise.resolve();
  #usesChanged = false;
  #writingUses: Promise<void> | undefined;

  constructor(path: string, clock: Pick<Clock, 'now'>, admin: string, tokens: readonly Kept[]) {
    this.#path = path;
    this.#clock = clock;
    this.#admin = admin;
    this.#keep(new Map(tokens.map((token) => [token.name, token])));
    for (const { name, lastUsedAt } of tokens) {
      if (lastUsedAt !== undefined) this.#lastUses.set(name, lastUsedAt);
    }
  }

  /** Of the administrator's token, whose hash is in no file; with another one, it is another key. */
  keyFor(purpose: string): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', Buffer.from(this.#admin, 'hex'), '', purpose, 32));
  }

  find(token: string): Principal | undefined {
    if (!tokenPattern.test(token)) return undefined;
    const hash = this.#hashOf(token);
    if (timingSafeEqual(Buffer.from(hash, 'hex'), Buffer.from(this.#admin, 'hex'))) return administrator;
    const kept = this.#byHash.get(hash);
    if (kept === undefined) return undefined;
    return this.#principalOf(kept);
  }

  findByCertificate({ names, fingerprint, expiresAt, untrusted }: ShownCertificate): Principal | string {
    if (untrusted !== undefined) return `the certificate is not one that this node trusts (${untrusted})`;
    if (expiresAt <= this.#clock.now()) return 'the certificate has expired';
    const name = names.find((each) => this.#byCertificate.has(each));
    const kept = name === undefined ? undefined : this.#byCertificate.get(name);
    if (kept === undefined) return 'no name of the certificate is one that this node knows';
    if (kept.revokedFingerprints?.includes(fingerprint) === true) return 'the certificate was revoked';
    const principal = this.#principalOf(kept);
    if (principal === undefined) return 'what the certificate stands for has expired';
    return { ...principal, expiresAt: Math.min(expiresAt, principal.expiresAt ?? expiresAt) };
  }

  /** Undefined for one that has expired. */
  #principalOf(kept: Kept): Principal | undefined {
    const now = Math.round(this.#clock.now());
    if (kept.expiresAt !== undefined && kept.expiresAt <= now) return undefined;
    if (now - (this.#lastUses.get(kept.name) ?? 0) >= useMs) this.#use(kept, now);
    return {
      ...{ name: holderOf(kept.name), role: kept.role },
      ...(kept.tenant !== undefined && { tenant: kept.tenant }),
      ...(kept.allTenants === true && { allTenants: true as const }),
      ...(kept.tasks !== undefined && { tasks: kept.tasks }),
      ...(kept.execution !== undefined && { execution: kept.execution }),
      ...(kept.expiresAt !== undefined && { expiresAt: kept.expiresAt }),
    };
  }

  list(): readonly TokenFacts[] {
    return [...this.#tokens.values()]
      .map((kept) => factsOf(this.#withUse(kept)))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async create(wanted: NewToken): Promise<{ token: string; facts: TokenFacts }> {
    const { name, certificateNames } = wanted;
    const token = certificateNames === undefined ? newToken() : '';
    const createdAt = Math.round(this.#clock.now());
    const kept: Kept = { ...wanted, createdAt, ...(token !== '' && { sha256: hashOf(token) }) };
    await this.#change((tokens) => {
      if (tokens.has(name)) {
        throw new RequestError('already_exists', `name: there is a token ${quote(name)}`, {
          reason: 'TOKEN_EXISTS',
          metadata: { token: name },
        });
      }
      const taken = certificateNames?.find((each) => this.#byCertificate.has(each));
      if (taken !== undefined) {
        const other = this.#byCertificate.get(taken)?.name ?? '';
        throw new RequestError(
          'already_exists',
          `certificate_names: ${quote(taken)} stands for ${quote(other)} already`,
          { reason: 'TOKEN_EXISTS', metadata: { token: other } },
        );
      }
      if (tokens.size >= mostTokens) {
        throw new RequestError('resource_exhausted', `this node has ${mostTokens} tokens; revoke one first`, {
          reason: 'TOO_MANY_TOKENS',
          quota: 'tokens',
        });
      }
      tokens.set(name, kept);
    });
    return { token, facts: factsOf(kept) };
  }

  async revoke(name: string): Promise<TokenFacts> {
    let found = false;
    try {
      return await this.#change((tokens) => {
        const kept = existing(tokens, name);
        found = tokens.delete(name);
        return factsOf(this.#withUse(kept));
      });
    } catch (error) {
      // On a disk that is full it is of no use from now on at least; the caller hears that it would be after a restart.
      if (found) this.#keep(new Map([...this.#tokens].filter(([other]) => other !== name)));
      throw error;
    }
  }

  async revokeCertificate(name: string, fingerprint: string): Promise<TokenFacts> {
    return this.#change((tokens) => {
      const kept = existing(tokens, name);
      if (kept.certificateNames === undefined) {
        throw new RequestError(
          'failed_precondition',
          `${quote(name)} is a token, which no certificate stands for; revoke it as a whole`,
          { reason: 'TOKEN_HAS_NO_CERTIFICATES', metadata: { token: name } },
        );
      }
      const revokedFingerprints = [...new Set([...(kept.revokedFingerprints ?? []), fingerprint])];
      if (revokedFingerprints.length > mostFingerprints) {
        throw new RequestError(
          'resource_exhausted',
          `${mostFingerprints} certificates of ${quote(name)} are revoked; revoke it as a whole, and create another`,
          { reason: 'TOO_MANY_TOKENS', quota: 'tokens' },
        );
      }
      const changed = { ...kept, revokedFingerprints };
      tokens.set(name, changed);
      return factsOf(this.#withUse(changed));
    });
  }

  /** Resolves when the last change is on the disk. */
  async close(): Promise<void> {
    await this.#writingUses;
    await this.#last;
  }

  #hashOf(token: string): string {
    let hash = this.#hashes.get(token);
    if (hash === undefined) {
      hash = hashOf(token);
      this.#hashes.set(token, hash);
    }
    return hash;
  }

  #use({ name }: Kept, now: number): void {
    this.#lastUses.set(name, now);
    this.#usesChanged = true;
    this.#writingUses ??= this.#writeUses();
  }

  /** One write at a time, behind which a revocation waits. One that fails is not worth another. */
  async #writeUses(): Promise<void> {
    while (this.#usesChanged) {
      this.#usesChanged = false;
      await this.#change(() => {}).catch(() => {});
    }
    this.#writingUses = undefined;
  }

  /** One after another; nothing has changed where it throws, or cannot be written. */
  #change<Result>(change: (tokens: Map<string, Kept>) => Result): Promise<Result> {
    const turn = this.#last.then(async () => {
      const tokens = new Map(this.#tokens);
      const result = change(tokens);
      try {
        await this.#write([...tokens.values()].map((kept) => this.#withUse(kept)));
      } catch (cause) {
        throw new StoreError(`cannot write ${this.#path}`, { cause });
      }
      this.#keep(tokens);
      return result;
    });
    this.#last = turn.then(
      () => {},
      () => {},
    );
    return turn;
  }

  #withUse(kept: Kept): Kept {
    const lastUsedAt = this.#lastUses.get(kept.name);
    return lastUsedAt === undefined ? kept : { ...kept, lastUsedAt };
  }

  #keep(tokens: ReadonlyMap<string, Kept>): void {
    this.#tokens = tokens;
    const byHash = new Map<string, Kept>();
    const byCertificate = new Map<string, Kept>();
    for (const kept of tokens.values()) {
      if (kept.sha256 !== undefined) byHash.set(kept.sha256, kept);
      for (const name of kept.certificateNames ?? []) byCertificate.set(name, kept);
    }
    this.#byHash = byHash;
    this.#byCertificate = byCertificate;
    // Another one of the name was never used.
    for (const name of this.#lastUses.keys()) if (!tokens.has(name)) this.#lastUses.delete(name);
  }

  async #write(tokens: readonly Kept[]): Promise<void> {
    await writeFile(`${this.#path}.new`, keptText(tokens), { mode: 0o600, flush: true });
    await rename(`${this.#path}.new`, this.#path);
    await syncFolder(dirname(this.#path));
  }
}

const administrator: Principal = { name: "the administrator's token", role: 'admin' };

async function adminToken(path: string): Promise<string> {
  const text = (await readFile(path, 'utf8').catch(emptyWhereMissing)).trim();
  if (tokenPattern.test(text)) {
    const { uid } = await lstat(path);
    if (uid !== (process.getuid?.() ?? uid)) throw new Error(`${path} is another user's`);
    await chmod(path, 0o600);
    return text;
  }
  if (text !== '') throw new Error(`${path} has no token of Spear; delete it, and the next start makes one`);
  const made = newToken();
  await writeFile(`${path}.new`, `${made}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  await syncFolder(dirname(path));
  return made;
}

function newToken(): string {
  return `spear_${randomBytes(32).toString('base64url')}`;
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Throws not_found. */
function existing(tokens: ReadonlyMap<string, Kept>, name: string): Kept {
  const kept = tokens.get(name);
  if (kept !== undefined) return kept;
  throw new RequestError('not_found', `no token ${quote(name)}`, {
    reason: 'TOKEN_NOT_FOUND',
    metadata: { token: name },
  });
}

function emptyWhereMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}
