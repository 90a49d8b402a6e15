/** The scope of a request, of who asks and of the tenant that it names. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '../../domain/access.ts';
import { invalidArgument } from '../../domain/errors.ts';
import { type Scope, scopeOf } from '../../domain/scope.ts';

/** Metadata over gRPC, a header over HTTP. */
export const tenantHeader = 'spear-tenant';

/** `values` are those of the header, each as it came. Throws permission_denied or invalid_argument. */
export function requestScope(principal: Principal, values: readonly (string | Buffer)[]): Scope {
  if (values.length > 1) throw invalidArgument(tenantHeader, 'is given twice; allowed is once');
  return scopeOf(principal, values[0]?.toString());
}

/** As `requestScope`; Node has joined what came twice, and no tenant has such a name. */
export function httpScope(principal: Principal, headers: IncomingHttpHeaders): Scope {
  const value = headers[tenantHeader];
  return requestScope(principal, value === undefined ? [] : [value].flat());
}
