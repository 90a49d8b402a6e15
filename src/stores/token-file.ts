/**
 * The tokens of a node, in two files of its data folder that only its user can read: `admin-token` is one token, made
 * at the first start; `tokens.json` has the hashes of those that were made since. A token has 256 random bits, so that
 * one round of SHA-256 keeps it: nobody tries them all.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, lstat, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isRole, type Principal } from '../domain/access.ts';
import type { Clock } from '../domain/clock.ts';
import { quote, RequestError } from '../domain/errors.ts';
import { LruMap } from '../domain/lru-map.ts';
import { isTenant } from '../domain/scope.ts';
import { holderOf, type NewToken, type TokenFacts, type Tokens } from '../domain/tokens.ts';
import { syncFolder } from './artifacts.ts';
import { StoreError } from './store.ts';

export const adminTokenFile = 'admin-token';
export const tokensFile = 'tokens.json';

/** A token says what it is, so that who finds one in a file knows, and scanners of repositories can. */
const tokenPattern = /^spear_[A-Za-z0-9_-]{43}$/;
const mostTokens = 10_000;
/** Tokens whose hash is remembered: it costs more than the rest of a look-up. */
const mostRemembered = 1024;
/** How exactly the last use is kept, in milliseconds. */
const useMs = 60_000;

type Kept = TokenFacts & { readonly sha256: string };

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
  /** By hash, milliseconds since the epoch. */
  readonly #lastUses = new Map<string, number>();
  #last: Promise<void> = Promise.resolve();
  #usesChanged = false;
  #writingUses: Promise<void> | undefined;

  constructor(path: string, clock: Pick<Clock, 'now'>, admin: string, tokens: readonly Kept[]) {
    this.#path = path;
    this.#clock = clock;
    this.#admin = admin;
    this.#keep(new Map(tokens.map((token) => [token.name, token])));
    for (const { sha256, lastUsedAt } of tokens) {
      if (lastUsedAt !== undefined) this.#lastUses.set(sha256, lastUsedAt);
    }
  }

  find(token: string): Principal | undefined {
    const hash = this.#hashOf(token);
    if (timingSafeEqual(Buffer.from(hash, 'hex'), Buffer.from(this.#admin, 'hex'))) return administrator;
    const kept = this.#byHash.get(hash);
    if (kept === undefined) return undefined;
    const now = Math.round(this.#clock.now());
    if (kept.expiresAt !== undefined && kept.expiresAt <= now) return undefined;
    if (now - (this.#lastUses.get(hash) ?? 0) >= useMs) this.#use(kept, now);
    return {
      ...{ name: holderOf(kept.name), role: kept.role },
      ...(kept.tenant !== undefined && { tenant: kept.tenant }),
      ...(kept.tasks !== undefined && { tasks: kept.tasks }),
      ...(kept.expiresAt !== undefined && { expiresAt: kept.expiresAt }),
    };
  }

  list(): readonly TokenFacts[] {
    return [...this.#tokens.values()]
      .map((kept) => factsOf(this.#withUse(kept)))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async create({
    name,
    role,
    tenant,
    tasks,
    expiresAt,
  }: NewToken): Promise<{ token: string; facts: TokenFacts }> {
    const token = newToken();
    const createdAt = Math.round(this.#clock.now());
    const kept: Kept = {
      ...{ name, role, createdAt, sha256: hashOf(token) },
      ...(tenant !== undefined && { tenant }),
      ...(tasks !== undefined && { tasks }),
      ...(expiresAt !== undefined && { expiresAt }),
    };
    await this.#change((tokens) => {
      if (tokens.has(name)) {
        throw new RequestError('already_exists', `name: there is a token ${quote(name)}`, {
          reason: 'TOKEN_EXISTS',
          metadata: { token: name },
        });
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
        const kept = tokens.get(name);
        if (kept === undefined) {
          throw new RequestError('not_found', `no token ${quote(name)}`, {
            reason: 'TOKEN_NOT_FOUND',
            metadata: { token: name },
          });
        }
        found = tokens.delete(name);
        return factsOf(this.#withUse(kept));
      });
    } catch (error) {
      // On a disk that is full it is of no use from now on at least; the caller hears that it would be after a restart.
      if (found) this.#keep(new Map([...this.#tokens].filter(([other]) => other !== name)));
      throw error;
    }
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

  #use({ sha256 }: Kept, now: number): void {
    this.#lastUses.set(sha256, now);
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
    const lastUsedAt = this.#lastUses.get(kept.sha256);
    return lastUsedAt === undefined ? kept : { ...kept, lastUsedAt };
  }

  #keep(tokens: ReadonlyMap<string, Kept>): void {
    this.#tokens = tokens;
    this.#byHash = new Map([...tokens.values()].map((kept) => [kept.sha256, kept]));
  }

  async #write(tokens: readonly Kept[]): Promise<void> {
    const text = `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`;
    await writeFile(`${this.#path}.new`, text, { mode: 0o600, flush: true });
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

function factsOf({ sha256: _sha256, ...facts }: Kept): TokenFacts {
  return facts;
}

/** Throws where the text is not what this file writes. */
function keptFrom(text: string): Kept[] {
  const value: unknown = JSON.parse(text);
  const { version, tokens } = (value ?? {}) as { readonly version?: unknown; readonly tokens?: unknown };
  if (version !== 1 || !Array.isArray(tokens)) throw new Error(`${tokensFile} is not one of this version`);
  return tokens.map((each: unknown) => {
    const { name, role, sha256, tenant, tasks, ...times } = (each ?? {}) as Record<string, unknown>;
    const { createdAt, expiresAt, lastUsedAt } = times;
    const instants = [createdAt, expiresAt ?? 0, lastUsedAt ?? 0];
    if (
      typeof name !== 'string' ||
      typeof role !== 'string' ||
      !isRole(role) ||
      !isTenantOrNone(tenant) ||
      !areGlobsOrNone(tasks) ||
      typeof sha256 !== 'string' ||
      !/^[0-9a-f]{64}$/.test(sha256) ||
      !instants.every((at) => typeof at === 'number' && Number.isSafeInteger(at))
    ) {
      throw new Error(`${tokensFile} has a token that is none of this version`);
    }
    return each as Kept;
  });
}

/** One that cannot be read must not become one for more than it was made for. */
function isTenantOrNone(tenant: unknown): boolean {
  return tenant === undefined || (typeof tenant === 'string' && isTenant(tenant));
}

function areGlobsOrNone(tasks: unknown): boolean {
  if (tasks === undefined) return true;
  return Array.isArray(tasks) && tasks.length > 0 && tasks.every((glob) => typeof glob === 'string');
}

function emptyWhereMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}
