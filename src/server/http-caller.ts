import type { IncomingMessage, ServerResponse } from 'node:http';
import { assertRole, type Role } from '../domain/access.ts';
import type { Authenticator } from './access/authenticator.ts';
import { httpScope } from './access/request-scope.ts';
import type { CallContext } from './call.ts';
import { contextOf } from './http-answer.ts';

/**
 * What a handler knows of a caller over HTTP, once it is known that it may. Throws unauthenticated or
 * permission_denied; `what` is what it asks for.
 */
export function callerWith(
  role: Role,
  what: string,
  { authenticator }: { readonly authenticator: Authenticator },
  request: IncomingMessage,
  response: ServerResponse,
): CallContext {
  const principal = authenticator.authenticate(request.headers.authorization);
  assertRole(principal, role, what);
  return contextOf(request, response, { principal, scope: httpScope(principal, request.headers) });
}
