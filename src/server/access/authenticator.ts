/** Finds the principal behind what a request shows. */
import type { Principal } from '../../domain/access.ts';
import { unauthenticated } from '../../domain/access.ts';
import type { Tokens } from '../../domain/tokens.ts';

/** What names the caller of one listener. Throws a RequestError, unauthenticated, where it shows what is not good. */
export interface Authenticator {
  /** `authorization` is the header of that name, where it came. */
  authenticate(authorization: string | undefined): Principal;
}

/** Of a listener whose callers are all the same, whatever they show. */
export function alwaysAs(principal: Principal): Authenticator {
  return { authenticate: () => principal };
}

const bearer = /^Bearer +([!-~]{1,512})$/i;

/** Of a listener that everybody can reach: by tokens, and `anonymous` without one. */
export class TokenAuthenticator implements Authenticator {
  readonly #tokens: Pick<Tokens, 'find'>;
  readonly #anonymous: Principal;

  constructor(tokens: Pick<Tokens, 'find'>, anonymous: Principal) {
    this.#tokens = tokens;
    this.#anonymous = anonymous;
  }

  authenticate(authorization: string | undefined): Principal {
    if (authorization === undefined) return this.#anonymous;
    const [, token] = bearer.exec(authorization) ?? [];
    if (token === undefined) throw unauthenticated('the authorization is not one that this node knows');
    const principal = this.#tokens.find(token);
    if (principal === undefined) throw unauthenticated('the token is unknown, revoked or expired');
    return principal;
  }
}
