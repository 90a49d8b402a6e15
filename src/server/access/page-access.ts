/**
 * How a browser comes to a principal without a cookie, which would go to every port of its host: a code that is good
 * once is exchanged for the token of a session, and a ticket stands for the token where the browser itself asks for a
 * file. All of them end with the node.
 */
import { type Principal, unauthenticated } from '../../domain/access.ts';
import type { Clock } from '../../domain/clock.ts';
import { RequestError } from '../../domain/errors.ts';
import { type IssuedSecret, ShortLivedSecrets } from './short-lived-secrets.ts';

const minuteMs = 60_000;
const sessionMs = 12 * 60 * minuteMs;

interface Ticket {
  readonly principal: Principal;
  readonly path: string;
}

export class PageAccess {
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly #codes: ShortLivedSecrets<Principal>;
  readonly #sessions: ShortLivedSecrets<Principal>;
  readonly #tickets: ShortLivedSecrets<Ticket>;

  constructor(clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#clock = clock;
    this.#codes = new ShortLivedSecrets(clock, { lifetimeMs: minuteMs, most: 100, prefix: '' });
    const sessions = { lifetimeMs: sessionMs, most: 1000, prefix: 'spear_page_' };
    this.#sessions = new ShortLivedSecrets(clock, sessions);
    this.#tickets = new ShortLivedSecrets(clock, {
      ...{ lifetimeMs: 30_000, most: 1000, prefix: '' },
      perOwner: { most: 100, ownerOf: ({ principal }) => principal.name },
    });
  }

  createCode(maker: Principal): IssuedSecret {
    return this.#codes.issue(maker, maker.expiresAt);
  }

  /** A session as whoever made the code. Throws unauthenticated for a code that is not good, or not any more. */
  openSession(code: string): IssuedSecret {
    const maker = this.#codes.take(code);
    if (maker === undefined) {
      throw new RequestError(
        'unauthenticated',
        'the code is unknown, was used or is older than a minute; spear page prints a link with another',
        { reason: 'UNAUTHENTICATED' },
      );
    }
    const over = Math.round(this.#clock.now()) + sessionMs;
    const expiresAt = Math.min(over, maker.expiresAt ?? over);
    return this.#sessions.issue({ ...maker, session: true, expiresAt }, expiresAt);
  }

  /** The principal of a session's token. */
  find(token: string): Principal | undefined {
    return this.#sessions.find(token);
  }

  createTicket(principal: Principal, path: string): IssuedSecret {
    return this.#tickets.issue({ principal, path }, principal.expiresAt);
  }

  /** Whose it is. Throws unauthenticated for a ticket that is not good, not any more, or not for this path. */
  takeTicket(ticket: string, path: string): Principal {
    const taken = this.#tickets.take(ticket);
    if (taken?.path !== path) {
      throw unauthenticated('the ticket is unknown, was used, is older than 30 s or is for another path');
    }
    return taken.principal;
  }

  /** Ends all that came from a principal, by its name. */
  endOf(name: string): void {
    this.#end((principal) => principal.name === name);
  }

  /** Ends all that came from those whose tokens a key has signed, by the name that principals have for it. */
  endOfSigner(signer: string): void {
    this.#end((principal) => principal.signer === signer);
  }

  #end(isSo: (principal: Principal) => boolean): void {
    this.#codes.end(isSo);
    this.#sessions.end(isSo);
    this.#tickets.end(({ principal }) => isSo(principal));
  }
}
