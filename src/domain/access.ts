/** Who asks, and what each may do. */
import { quote, RequestError } from './errors.ts';

/**
 * What a caller may do, each with all before it. `observe`: get, list, watch and explain. `invoke`: begin, cancel,
 * suspend and resume executions. `develop`: register and delete tasks, delete executions, set breakpoints. `operate`:
 * take and restore snapshots, change limits of tasks. `admin`: tokens, the node, and what reaches its host.
 */
export const roles = ['observe', 'invoke', 'develop', 'operate', 'admin'] as const;
export type Role = (typeof roles)[number];

/** The one behind a request. */
export interface Principal {
  /** As it stands in logs and errors, such as `token ci` or `socket`. */
  readonly name: string;
  /** Undefined for one who may do nothing. */
  readonly role: Role | undefined;
  /** Where it is at home; absent means the default tenant. An administrator may name any other. */
  readonly tenant?: string;
  /** It may read what is of any tenant, and of all of them; it has the role observe. */
  readonly allTenants?: true;
  /** Globs of the tasks that it may see; absent means all. */
  readonly tasks?: readonly string[];
  /** The id of the one execution that it may see, and nothing else; absent for all. */
  readonly execution?: string;
  /** It showed nothing. */
  readonly anonymous?: true;
  /** Names the key that has signed its token, where that is an issuer's, who may take it back. */
  readonly signer?: string;
  /** It came by a session of the page. */
  readonly session?: true;
  /** When it is over, on the wall clock, in milliseconds since the epoch; absent where it is not bounded. */
  readonly expiresAt?: number;
}

/** Whether somebody may read what is of all tenants. */
export function mayReadAllTenants({ role, allTenants }: Principal): boolean {
  return role === 'admin' || allTenants === true;
}

export function isRole(text: string): text is Role {
  return (roles as readonly string[]).includes(text);
}

export function hasRole({ role }: Principal, needed: Role): boolean {
  return role !== undefined && roles.indexOf(role) >= roles.indexOf(needed);
}

/** Whether somebody sees the values of variables, which may be secrets: whoever may change a task. Names all may see. */
export function maySeeVariables(principal: Principal): boolean {
  return hasRole(principal, 'develop');
}

/**
 * Throws permission_denied where the principal has not the role that `what` needs, such as a method; unauthenticated
 * where it has none and showed no token.
 */
export function assertRole(principal: Principal, needed: Role, what: string): void {
  if (hasRole(principal, needed)) return;
  if (principal.role === undefined) throw unauthenticated('this node wants a token');
  throw new RequestError(
    'permission_denied',
    `${what} needs the role ${needed}; ${quote(principal.name)} has ${principal.role}`,
    { reason: 'ROLE_MISSING', metadata: { needed, role: principal.role } },
  );
}

/** `why` is what was wrong with what the caller showed. */
export function unauthenticated(why: string): RequestError {
  return new RequestError(
    'unauthenticated',
    `${why}; allowed is "authorization: Bearer TOKEN" (the command takes SPEAR_TOKEN and --token-file)`,
    { reason: 'UNAUTHENTICATED' },
  );
}
