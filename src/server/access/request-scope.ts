/** The scope of a request, of who asks and of the tenant that it names. */
import type { IncomingHttpHeaders } from 'node:http';
import { mayReadAllTenants, type Principal, type Role } from '../../domain/access.ts';
import { invalidArgument, quote } from '../../domain/errors.ts';
import { allTenants, type Scope, scopeOf, wholeNode } from '../../domain/scope.ts';

/** Metadata over gRPC, a header over HTTP. */
export const tenantHeader = 'spear-tenant';

/**
 * `values` are those of the header, each as it came; `needed` is the role that the method wants. What only reads may be
 * of all tenants, for those who may read them. Throws permission_denied or invalid_argument.
 */
export function requestScope(
  principal: Principal,
  values: readonly (string | Buffer)[],
  needed: Role,
): Scope {
  if (values.length > 1) throw invalidArgument(tenantHeader, 'is given twice; allowed is once');
  const asked = values[0]?.toString();
  if (asked !== allTenants || !mayReadAllTenants(principal)) return scopeOf(principal, asked);
  if (needed === 'observe') return wholeNode;
  throw invalidArgument(
    tenantHeader,
    `is ${quote(allTenants)}; allowed for what changes something is one tenant`,
  );
}

/** As `requestScope`; Node has joined what came twice, and no tenant has such a name. */
export function httpScope(principal: Principal, headers: IncomingHttpHeaders, needed: Role): Scope {
  const value = headers[tenantHeader];
  return requestScope(principal, value === undefined ? [] : [value].flat(), needed);
}
