/**
 * How the page signs in: `/api/session` exchanges a code for a token, and `/api/tickets` a token for a ticket, which
 * is good for one file. What a browser asks for by itself has no header of ours, and a token in an address would stay
 * in histories and logs.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { timestampDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { invalidArgument, quote, RequestError } from '../domain/errors.ts';
import { pathRoles } from '../domain/method-roles.ts';
import { atHomeIn, tenantToMakeIn } from '../domain/scope.ts';
import type { PageAccess } from './access/page-access.ts';
import { type ChainOptions, type Room, roomOf } from './chain.ts';
import { refuseMethod, sendJson } from './http-answer.ts';
import { bodyParts } from './http-body.ts';
import { checkBrowser } from './http-browser.ts';
import { assertStill, callerWith } from './http-caller.ts';
import { checkContent } from './http-lines.ts';

export interface SessionOptions extends ChainOptions {
  readonly pageAccess: PageAccess;
}

/** A code and a path are far shorter. */
const mostBytes = 4096;

/** `{"code"}` → `{"token", "expiresAt"}`. */
export async function openSession(
  options: SessionOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST') return refuseMethod(response, 'POST');
  checkBrowser(request);
  const { secret, expiresAt } = options.pageAccess.openSession(
    await onlyField('code', options.strangers ?? options, request),
  );
  sendJson(response, 200, { token: secret, expiresAt: timeText(expiresAt) });
}

/** `{"name", "role", "tenant"}`: who asks, so that a page offers what its reader may do. */
export async function sendCaller(
  options: SessionOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET') return refuseMethod(response, 'GET');
  checkBrowser(request);
  const { principal, scope } = await callerWith(pathRoles.caller, 'who asks', options, request, response);
  sendJson(response, 200, { name: principal.name, role: principal.role, tenant: tenantToMakeIn(scope) });
}

/** `/api/history/ID` or `/api/snapshots/ID`. */
export const downloadPath = /^\/api\/(history|snapshots)\/([^/?#]+)$/;
const metricsPath = '/metrics';

/** `{"path"}` → `{"path", "expiresAt"}`, where the path has the ticket. */
export async function createTicket(
  options: SessionOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST') return refuseMethod(response, 'POST');
  checkBrowser(request);
  const call = await callerWith(pathRoles.tickets, 'a ticket', options, request, response);
  const path = await onlyField('path', roomOf(call.principal, options), request);
  assertStill(call);
  const { principal, scope } = call;
  if (!downloadPath.test(path) && path !== metricsPath) {
    throw invalidArgument(
      'path',
      `is ${quote(path)}; allowed are /api/history/ID, /api/snapshots/ID and /metrics`,
    );
  }
  const { secret, expiresAt } = options.pageAccess.createTicket(atHomeIn(principal, scope), path);
  sendJson(response, 200, { path: `${path}?ticket=${secret}`, expiresAt: timeText(expiresAt) });
}

/** As times are written in the JSON of messages. */
function timeText(at: number): string {
  return timestampDate(timestampFromMs(at)).toISOString();
}

/** The text of the one field that the body has. */
async function onlyField(
  name: string,
  { arrivals }: Pick<Room, 'arrivals'>,
  request: IncomingMessage,
): Promise<string> {
  checkContent(request, 'application/json');
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const { data } of bodyParts(request, arrivals, false)) {
    bytes += data.byteLength;
    if (bytes > mostBytes) {
      throw new RequestError('resource_exhausted', `the request is larger than ${mostBytes} bytes`, {
        reason: 'REQUEST_TOO_LARGE',
        quota: 'max-request-bytes',
      });
    }
    parts.push(data);
  }
  const body = parsed(Buffer.concat(parts).toString());
  const unknown = Object.keys(body).find((key) => key !== name);
  if (unknown !== undefined) throw invalidArgument(quote(unknown), `is not known; allowed is ${name}`);
  const value = body[name];
  // Without the value: it may be a secret that came in another form.
  if (typeof value !== 'string') throw invalidArgument(name, 'is missing or no text; allowed is a text');
  return value;
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // What is wrong with it would name parts of it.
  }
  throw invalidArgument('body', 'is no JSON object');
}
