/** Tokens that an issuer signs: JSON Web Tokens (RFC 7519). */
import { timestampDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { isRole, type Principal, unauthenticated } from '../../domain/access.ts';
import type { Clock } from '../../domain/clock.ts';
import { quote, RequestError } from '../../domain/errors.ts';
import { LruMap } from '../../domain/lru-map.ts';
import { isTenant, tenantWords } from '../../domain/scope.ts';
import type { SignedTokens } from './authenticator.ts';
import { type JwtKeys, publicKeyOf, type Signer } from './jwt-keys.ts';

export interface JwtRules {
  readonly issuer: string;
  readonly audience: string;
  /** Names of the claims. */
  readonly tenantClaim: string;
  readonly roleClaim: string;
  readonly tasksClaim: string;
  /** Whether the role may be `admin`. */
  readonly allowAdmin: boolean;
}

/** By how much the issuer's clock may differ from ours, in seconds. */
const skewSeconds = 30;
/** Tokens that are remembered until they expire. */
const mostKnown = 4096;
const mostGlobs = 100;
/** UTF-16 units. */
const mostSubject = 256;

/** Those that two keys are needed for: with one that both sides have, whoever can check a token could make one. */
const algorithms: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

export class JwtVerifier implements SignedTokens {
  readonly #rules: JwtRules;
  readonly #keys: JwtKeys;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #known = new LruMap<string, Principal>(mostKnown);
  /** Those that are being looked at: a caller begins many calls at once. */
  readonly #verifying = new Map<string, Promise<Principal>>();
  /** Those of tokens that were good, as principals name them: no more than the issuer has keys. */
  readonly #signers = new Map<string, Signer>();
  readonly #withdrawn: (signer: string) => void;

  /** `withdrawn` hears of a key of principals that its issuer has taken back. */
  constructor(
    rules: JwtRules,
    keys: JwtKeys,
    clock: Pick<Clock, 'now'>,
    withdrawn: (signer: string) => void,
  ) {
    this.#rules = rules;
    this.#keys = keys;
    this.#clock = clock;
    this.#withdrawn = withdrawn;
    // A key that the issuer has taken back stands for nothing any more.
    keys.changed(() => {
      this.#known.clear();
      void this.#lookForWithdrawn();
    });
  }

  known(token: string): Principal | undefined {
    const principal = this.#known.get(token);
    if (principal === undefined || this.#clock.now() < (principal.expiresAt ?? 0)) return principal;
    this.#known.delete(token);
    return undefined;
  }

  verify(token: string): Promise<Principal> {
    let verifying = this.#verifying.get(token);
    if (verifying === undefined) {
      verifying = this.#verify(token).finally(() => this.#verifying.delete(token));
      this.#verifying.set(token, verifying);
    }
    return verifying;
  }

  async #lookForWithdrawn(): Promise<void> {
    for (const [name, signer] of [...this.#signers]) {
      if ((await this.#keys.has(signer)) || !this.#signers.delete(name)) continue;
      this.#withdrawn(name);
    }
  }

  async #verify(token: string): Promise<Principal> {
    const { issuer, audience } = this.#rules;
    const options: JWTVerifyOptions = {
      ...{ issuer, audience, algorithms: [...algorithms], clockTolerance: skewSeconds },
      ...{
        requiredClaims: ['exp', 'sub'],
        currentDate: timestampDate(timestampFromMs(Math.round(this.#clock.now()))),
      },
    };
    let version: number | undefined;
    try {
      const { payload, protectedHeader, key } = await jwtVerify(
        token,
        async (header, jws) => {
          const found = await this.#keys.find(header, jws);
          ({ version } = this.#keys);
          return found;
        },
        options,
      );
      const { alg, kid } = protectedHeader;
      const publicKey = publicKeyOf(key);
      const signer = JSON.stringify([alg, kid, publicKey]);
      const principal = { ...principalOf(payload, this.#rules), signer };
      // The key may be one of those that were taken back meanwhile.
      if (version !== this.#keys.version) return await this.#verify(token);
      this.#signers.set(signer, { header: { alg, ...(kid !== undefined && { kid }) }, publicKey });
      this.#known.set(token, principal);
      return principal;
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

/** Throws permission_denied for claims that are missing, or say what nobody can have. */
function principalOf(payload: JWTPayload, rules: JwtRules): Principal {
  // Of `sub` no type is looked at before.
  const { sub, exp = 0 }: { readonly sub?: unknown; readonly exp?: number } = payload;
  if (!isSubject(sub)) throw badClaim('sub', `a text of 1 to ${mostSubject} characters`);
  const tenant = payload[rules.tenantClaim];
  if (typeof tenant !== 'string' || !isTenant(tenant)) {
    throw badClaim(rules.tenantClaim, `the name of a tenant: ${tenantWords}`);
  }
  const role = payload[rules.roleClaim];
  if (typeof role !== 'string' || !isRole(role)) {
    throw badClaim(rules.roleClaim, 'observe, invoke, develop, operate or admin');
  }
  if (role === 'admin' && !rules.allowAdmin) {
    throw badClaim(rules.roleClaim, 'another than admin, as this node runs without --jwt-allow-admin');
  }
  const tasks = payload[rules.tasksClaim];
  if (!isGlobs(tasks))
    throw badClaim(rules.tasksClaim, `a list of 1 to ${mostGlobs} patterns of task names, such as ["*"]`);
  return {
    name: `jwt ${tenant}/${printable(sub)}`,
    ...{ role, tenant, tasks },
    expiresAt: (exp + skewSeconds) * 1000,
  };
}

function isGlobs(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= mostGlobs &&
    value.every((each) => typeof each === 'string' && each !== '' && each.length <= 256)
  );
}

function isSubject(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= mostSubject && value.isWellFormed();
}

/**
 * It stands in logs and on pages: what an issuer lets people choose must not look like something else there, and no
 * two of them alike. What is no printable character of ASCII, a space and `%` are as in a URL.
 */
function printable(subject: string): string {
  return subject.replace(/[^!-$&-~]/gu, encodeURIComponent);
}

function badClaim(claim: string, allowed: string): RequestError {
  return new RequestError(
    'permission_denied',
    `the claim ${quote(claim)} of the token is missing or says what it may not; allowed is ${allowed}`,
    { reason: 'CLAIM_NOT_ALLOWED', metadata: { claim } },
  );
}

/** Without the values of the token: it would be of use to whoever reads a log. */
function refusalOf(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof errors.JWTExpired) return unauthenticated('the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'nbf' && error.reason === 'check_failed'
      ? unauthenticated('the token is not good yet')
      : unauthenticated(
          `the claim ${quote(error.claim)} of the token is missing or not what this node wants`,
        );
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return unauthenticated('the signature of the token is not that of its issuer');
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return unauthenticated(`the token is not signed by one of ${algorithms.join(', ')}`);
  }
  return unauthenticated('the token is none that this node can check');
}
