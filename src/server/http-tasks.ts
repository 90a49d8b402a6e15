/**
 * `POST /tasks/NAME` runs a task as any HTTP client can: the body is the input, whatever its type, and the answer is
 * what the function has written. `POST /tasks/NAME/EXPORT` calls a typed function: the body has its parameters as a
 * JSON object, and the answer is its value. What else there is to say is in headers; see docs/http.md.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { invalidArgument, quote } from '../domain/errors.ts';
import { pathRoles } from '../domain/method-roles.ts';
import { priorities } from '../domain/scheduling/priority.ts';
import type { CallContext } from './call.ts';
import { type ChainOptions, requestTooLarge, roomOf, tooManyValues, withinBudget } from './chain.ts';
import type { FunctionService as FunctionHandlers } from './function-service.ts';
import {
  ExecutionMode,
  type InvokeFunctionRequest,
  InvokeFunctionRequestSchema,
  type InvokeFunctionResponse,
  Priority,
} from './gen/spearlet/function_pb.js';
import { decodePathPart, refuseMethod } from './http-answer.ts';
import { bodyParts } from './http-body.ts';
import { checkBrowser } from './http-browser.ts';
import { assertStill, callerWith } from './http-caller.ts';
import { checkCodings, checkContent } from './http-lines.ts';
import { sendOutcome } from './http-outcome.ts';
import { headerText, idempotencyKey, type Preferences, preferencesOf } from './http-preferences.ts';
import { messageFromJson } from './wire/json-request.ts';
import { hasMoreValues } from './wire/shape.ts';

export interface TasksOptions extends ChainOptions {
  readonly functions: Pick<FunctionHandlers, 'invokeFunction' | 'watchExecution'>;
}

export const tasksPath = '/tasks/';
const queryNames = ['arg'];
/** Its bounds are those of this method. */
const method = 'InvokeFunction';

/** `path` is what follows `/tasks/`. */
export async function runTask(
  options: TasksOptions,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
): Promise<void> {
  // A function's page is none of ours, whatever it says that it is.
  response.setHeader('content-security-policy', 'sandbox');
  if (request.method !== 'POST') return refuseMethod(response, 'POST');
  checkBrowser(request);
  const call = await callerWith(pathRoles.tasks, 'the run of a task', options, request, response);
  const { task, functionName } = taskIn(path);
  const preferences = preferencesOf(request.headers.prefer);
  const wanted = create(InvokeFunctionRequestSchema, {
    ...{ task, functionName, args: argumentsIn(query) },
    ...turnIn(request),
    bypassCache: asksForNew(request),
    invocationId: idempotencyKey(request.headers['idempotency-key']),
    executionMode: preferences.respondAsync ? ExecutionMode.ASYNC : ExecutionMode.SYNC,
    ...(preferences.waitSeconds !== undefined && waitBudget(preferences)),
  });
  const body = await wholeBody(options, request, call);
  assertStill(call);
  const counted = { bytes: body.byteLength, method, principal: call.principal };
  const answer = await withinBudget(counted, options, async () => {
    if (functionName === '') {
      wanted.input = body;
      wanted.contentType = request.headers['content-type'] ?? '';
    } else {
      wanted.parameters = parametersFrom(options, request, body);
    }
    return invoke(options, wanted, call, preferences);
  });
  await sendOutcome(options.functions, response, call, {
    answer,
    preferences,
    accept: request.headers.accept,
  });
}

function invoke(
  { functions }: TasksOptions,
  wanted: InvokeFunctionRequest,
  call: CallContext,
  { waitSeconds }: Preferences,
): Promise<InvokeFunctionResponse> {
  // A wait of no time is what ASYNC is for.
  if (waitSeconds === 0) wanted.executionMode = ExecutionMode.ASYNC;
  return functions.invokeFunction(wanted, call);
}

function waitBudget({ waitSeconds = 0 }: Preferences): Pick<InvokeFunctionRequest, 'waitBudget'> | undefined {
  return waitSeconds === 0 ? undefined : { waitBudget: durationFromMs(waitSeconds * 1000) };
}

/** NAME, or NAME/EXPORT; an export may have slashes of its own, as those of WIT have. */
function taskIn(path: string): { readonly task: string; readonly functionName: string } {
  const slash = path.indexOf('/');
  const name = decodePathPart(slash < 0 ? path : path.slice(0, slash));
  const functionName = slash < 0 ? '' : decodePathPart(path.slice(slash + 1));
  if (name === '')
    throw invalidArgument('path', 'names no task; allowed are /tasks/NAME and /tasks/NAME/EXPORT');
  if (slash >= 0 && functionName === '') {
    throw invalidArgument('path', 'names no export; allowed are /tasks/NAME and /tasks/NAME/EXPORT');
  }
  return { task: name, functionName };
}

function argumentsIn(query: URLSearchParams): string[] {
  for (const name of query.keys()) {
    if (!queryNames.includes(name)) {
      throw invalidArgument(quote(name), `is not known; allowed are ${queryNames.join(', ')}`);
    }
  }
  return query.getAll('arg');
}

/** `Cache-Control: no-cache` or `no-store`, as HTTP says that a cached answer is not wanted. */
function asksForNew({ headers }: IncomingMessage): boolean {
  const directives = (headers['cache-control'] ?? '').split(',').map((each) => each.trim().toLowerCase());
  return directives.includes('no-cache') || directives.includes('no-store');
}

/** When its turn comes, as gRPC's fields of these names. */
function turnIn({ headers }: IncomingMessage): {
  readonly priority?: Priority;
  readonly fairnessKey?: string;
} {
  const priority = headers['spear-priority'];
  const fairnessKey = headers['spear-fairness-key'];
  return {
    ...(priority !== undefined && { priority: priorityFrom(priority) }),
    ...(fairnessKey !== undefined && {
      fairnessKey: headerText('spear-fairness-key', [fairnessKey].flat().join(', ')),
    }),
  };
}

function priorityFrom(header: string | readonly string[]): Priority {
  const text = [header].flat().join(', ');
  const known = priorities.find((each) => each === text.toLowerCase());
  if (known === undefined) {
    throw invalidArgument('spear-priority', `is ${quote(text)}; allowed are ${priorities.join(', ')}`);
  }
  return Priority[known.toUpperCase() as keyof typeof Priority];
}

async function wholeBody(
  options: TasksOptions,
  request: IncomingMessage,
  call: CallContext,
): Promise<Buffer> {
  checkCodings(request);
  const most = options.maxRequestBytes;
  if (Number(request.headers['content-length'] ?? 0) > most) throw requestTooLarge(method, options);
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const { data } of bodyParts(request, roomOf(call.principal, options).arrivals, false)) {
    bytes += data.byteLength;
    if (bytes > most) throw requestTooLarge(method, options);
    parts.push(data);
  }
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

/** No body at all is no parameters. */
function parametersFrom(
  { maxRequestValues }: TasksOptions,
  request: IncomingMessage,
  body: Buffer,
): InvokeFunctionRequest['parameters'] {
  if (body.byteLength === 0) return {};
  checkContent(request, 'application/json');
  // Before anything is made of it: what has many values costs far more than its bytes.
  if (hasMoreValues(body, maxRequestValues)) throw tooManyValues(maxRequestValues);
  // The body has to be a value by itself, whatever stands around it below.
  assertObject(body);
  const around = Buffer.concat([Buffer.from('{"parameters":'), body, Buffer.from('}')]);
  return messageFromJson(InvokeFunctionRequestSchema, around, maxRequestValues).parameters;
}

function assertObject(body: Buffer): void {
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch (error) {
    throw invalidArgument('body', `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument(
      'body',
      'is no JSON object; allowed is {"PARAMETER": value, …} by the names of the export',
    );
  }
}
