/** Finds the principal behind what a request shows. */
import type { Principal } from '../../domain/access.ts';
import { unauthenticated } from '../../domain/access.ts';
import type { ShownCertificate } from '../../domain/certificate.ts';
import type { RequestError } from '../../domain/errors.ts';
import type { Tokens } from '../../domain/tokens.ts';
import type { FailedAttempts } from './failed-attempts.ts';

/** What a request shows of who makes it. */
export interface Shown {
  /** The header of that name, where it came. */
  readonly authorization: string | undefined;
  /** The address of the caller; empty where the connection has none. */
  readonly address: string;
  /** That of the connection, where the caller has one. */
  readonly certificate?: ShownCertificate | undefined;
}

/** What names the caller of one listener. */
export interface Authenticator {
  /**
   * At once where the node has seen before what is shown. Throws, or rejects with, a RequestError where it is not
   * good: unauthenticated, permission_denied for what says too little, and resource_exhausted for an address that has
   * shown too much of that kind.
   */
  authenticate(shown: Shown): Principal | Promise<Principal>;
}

/** Of a listener whose callers are all the same, whatever they show. */
export function alwaysAs(principal: Principal): Authenticator {
  return { authenticate: () => principal };
}

/** Tokens that others have issued, and sign. */
export interface SignedTokens {
  /** The principal of a token that was verified before and is still good. */
  known(token: string): Principal | undefined;
  /** Rejects with a RequestError: unauthenticated, permission_denied, or unavailable where no key is known. */
  verify(token: string): Promise<Principal>;
}

export interface CallerAuthenticatorOptions {
  readonly tokens: Pick<Tokens, 'find' | 'findByCertificate'>;
  /** Absent where the node takes none. */
  readonly signed?: SignedTokens;
  /** The principal of callers that show nothing. */
  readonly anonymous: Principal;
  readonly failures: FailedAttempts;
}

/** A JWT has a few claims and a signature; HTTP takes 16 KiB of headers. */
const bearer = /^Bearer +([!-~]{1,8192})$/i;
/** RFC 7515, 7.1: three parts, of which the last is empty where nobody has signed. */
const signedForm = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** Of a listener that everybody can reach: by a token, by a certificate, and `anonymous` without either. */
export class CallerAuthenticator implements Authenticator {
  readonly #options: CallerAuthenticatorOptions;

  constructor(options: CallerAuthenticatorOptions) {
    this.#options = options;
  }

  authenticate(shown: Shown): Principal | Promise<Principal> {
    if (shown.authorization !== undefined) return this.#byToken(shown.authorization, shown.address);
    const { certificate, address } = shown;
    if (certificate === undefined) return this.#options.anonymous;
    const found = this.#options.tokens.findByCertificate(certificate);
    if (typeof found !== 'string') return found;
    throw this.#options.failures.failed(address, unauthenticated(found));
  }

  #byToken(authorization: string, address: string): Principal | Promise<Principal> {
    const { tokens, signed, failures } = this.#options;
    const [, token] = bearer.exec(authorization) ?? [];
    if (token === undefined) {
      throw failures.failed(address, unauthenticated('the authorization is not one that this node knows'));
    }
    const principal = signed?.known(token) ?? tokens.find(token);
    if (principal !== undefined) return principal;
    if (signed === undefined || !signedForm.test(token)) {
      throw failures.failed(address, unauthenticated('the token is unknown, revoked or expired'));
    }
    // A signature takes a hundred times as long as a look-up.
    failures.assertMayTry(address);
    return signed.verify(token).catch((error: RequestError) => {
      throw error.kind === 'unavailable' ? error : failures.failed(address, error);
    });
  }
}
