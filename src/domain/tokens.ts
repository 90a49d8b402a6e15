/** Tokens that callers show, and certificates that stand for them. */
import type { Principal, Role } from './access.ts';
import type { ShownCertificate } from './certificate.ts';

/** What is known of a token; never the token itself. */
export interface TokenFacts {
  readonly name: string;
  readonly role: Role;
  /** Absent means the default one. */
  readonly tenant?: string;
  /** It reads what is of all tenants; of the role observe, and without tasks and execution. */
  readonly allTenants?: true;
  /** Globs; absent means all tasks. */
  readonly tasks?: readonly string[];
  /** The id of the one execution that it sees; absent for all of its scope. */
  readonly execution?: string;
  /** Wall clock, milliseconds since the epoch, as are all instants here. */
  readonly createdAt: number;
  /** Absent for one that does not expire. */
  readonly expiresAt?: number;
  /** To a minute; absent where it was never used. */
  readonly lastUsedAt?: number;
  /** Names of certificates (`URI:…`, `DNS:…`) that it is known by, and then by no secret; absent for a token. */
  readonly certificateNames?: readonly string[];
  /** Certificates that it is not known by any more, by their SHA-256 as openssl writes it. */
  readonly revokedFingerprints?: readonly string[];
}

/** How the holder of a token stands in logs and errors. */
export function holderOf(tokenName: string): string {
  return `token ${tokenName}`;
}

export interface NewToken {
  readonly name: string;
  readonly role: Role;
  readonly tenant?: string;
  /** See TokenFacts. */
  readonly allTenants?: true;
  readonly tasks?: readonly string[];
  readonly execution?: string;
  readonly expiresAt?: number;
  /** See TokenFacts. */
  readonly certificateNames?: readonly string[];
}

export interface Tokens {
  /** 32 bytes that nobody but this node knows: the same after a restart, and others for another purpose. */
  keyFor(purpose: string): Uint8Array;
  /** Undefined for a token that is unknown, revoked or expired. */
  find(token: string): Principal | undefined;
  /** Or why it is not good, for people. */
  findByCertificate(certificate: ShownCertificate): Principal | string;
  /** By name. */
  list(): readonly TokenFacts[];
  /**
   * Resolves with the token, which is not kept, once its hash is durable; with an empty one where certificates stand
   * for it. Rejects with already_exists for a name that is taken, also one of certificates, and with
   * resource_exhausted where there are too many.
   */
  create(token: NewToken): Promise<{ readonly token: string; readonly facts: TokenFacts }>;
  /** Resolves when it is of no use any more, also after a crash. Rejects with not_found. */
  revoke(name: string): Promise<TokenFacts>;
  /** As `revoke`, for one certificate of those that it is known by. Rejects with failed_precondition for a token. */
  revokeCertificate(name: string, fingerprint: string): Promise<TokenFacts>;
}
