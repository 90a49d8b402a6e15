import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { assertRole, type Role, unauthenticated } from '../domain/access.ts';
import type { ShownCertificate } from '../domain/certificate.ts';
import type { RequestError } from '../domain/errors.ts';
import type { Shown } from './access/authenticator.ts';
import { httpScope } from './access/request-scope.ts';
import type { CallContext } from './call.ts';
import type { ChainOptions } from './chain.ts';
import { EndedCall } from './ended-call.ts';
import { callerOf, contextOf, sendError } from './http-answer.ts';
import { certificateOf } from './tls/peer-certificates.ts';

/**
 * What a handler knows of a caller over HTTP, once it is known that it may; the call counts until its answer is over.
 * Rejects with unauthenticated or permission_denied, and resource_exhausted for one too many; `what` is what it asks
 * for, and `end` tells one whose token is no longer good.
 */
export async function callerWith(
  role: Role,
  what: string,
  { authenticator, calls, access }: Pick<ChainOptions, 'access' | 'authenticator' | 'calls'>,
  request: IncomingMessage,
  response: ServerResponse,
  end: (why: RequestError) => void = (why) => sendError(response, why),
): Promise<CallContext> {
  const principal = await authenticator.authenticate(shownBy(request));
  access?.madeBy(request, principal);
  assertRole(principal, role, what);
  const scope = httpScope(principal, request.headers, role);
  const ended = new EndedCall();
  const leave = calls.enter(principal, callerOf(request), (why) => {
    if (ended.ended) return;
    ended.end();
    end(why);
  });
  response.once('close', leave);
  return contextOf(response, { principal, scope }, ended);
}

/** Throws unauthenticated for a caller whose token was revoked, or expired, meanwhile. */
export function assertStill({ gone }: CallContext): void {
  if (gone) throw unauthenticated('the token is no longer good');
}

/** What a connection has shown in its handshake; null for nothing. */
const certificates = new WeakMap<TLSSocket, ShownCertificate | null>();

/** `authorization` stands for the header where that cannot be sent. */
export function shownBy(request: IncomingMessage, authorization = request.headers.authorization): Shown {
  const { socket } = request;
  return { authorization, address: callerOf(request), certificate: certificateAt(socket) };
}

function certificateAt(socket: IncomingMessage['socket']): ShownCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  let certificate = certificates.get(socket);
  if (certificate === undefined) {
    certificate = certificateOf(socket) ?? null;
    certificates.set(socket, certificate);
  }
  return certificate ?? undefined;
}
