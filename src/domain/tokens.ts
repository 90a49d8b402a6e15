/** Tokens that callers show. */
import type { Principal, Role } from './access.ts';

/** What is known of a token; never the token itself. */
export interface TokenFacts {
  readonly name: string;
  readonly role: Role;
  /** Absent means the default one. */
  readonly tenant?: string;
  /** Globs; absent means all tasks. */
  readonly tasks?: readonly string[];
  /** Wall clock, milliseconds since the epoch, as are all instants here. */
  readonly createdAt: number;
  /** Absent for one that does not expire. */
  readonly expiresAt?: number;
  /** To a minute; absent where it was never used. */
  readonly lastUsedAt?: number;
}

/** How the holder of a token stands in logs and errors. */
export function holderOf(tokenName: string): string {
  return `token ${tokenName}`;
}

export interface NewToken {
  readonly name: string;
  readonly role: Role;
  readonly tenant?: string;
  readonly tasks?: readonly string[];
  readonly expiresAt?: number;
}

export interface Tokens {
  /** Undefined for a token that is unknown, revoked or expired. */
  find(token: string): Principal | undefined;
  /** By name. */
  list(): readonly TokenFacts[];
  /**
   * Resolves with the token, which is not kept, once its hash is durable. Rejects with already_exists for a name that
   * is taken, and with resource_exhausted where there are too many.
   */
  create(token: NewToken): Promise<{ readonly token: string; readonly facts: TokenFacts }>;
  /** Resolves when it is of no use any more, also after a crash. Rejects with not_found. */
  revoke(name: string): Promise<TokenFacts>;
}
