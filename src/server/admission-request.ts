/** Makes of an invocation on the wire what the supervisor admits: every field is checked here. */
import { invalidArgument, quote } from '../domain/errors.ts';
import type { ExecutionMode } from '../domain/execution.ts';
import type { AdmissionRequest } from '../domain/executions.ts';
import { assertMayGive } from '../domain/host-reach.ts';
import { executionLabels } from '../domain/labels.ts';
import { rerunPrefix } from '../domain/rerun.ts';
import type { Chosen } from '../domain/revisions/port.ts';
import { firingPrefix } from '../domain/schedule/schedule.ts';
import type { Tasks } from '../domain/tasks.ts';
import { effectiveTimeouts } from '../domain/timeouts.ts';
import type { TraceSampling } from '../domain/trace.ts';
import { assertMayTell, type WebhookRule } from '../domain/webhook.ts';
import type { CallContext } from './call.ts';
import type { InvokeFunctionRequest } from './gen/spearlet/function_pb.js';
import { payloadDigest } from './payload.ts';
import { dependenciesFromWire, type MemberNamed, outputParameters } from './wire/dependency.ts';
import { delay, metadata, reference, text } from './wire/fields.ts';
import { invocationFromWire, timeoutsFromWire } from './wire/invocation.ts';
import { labelsFromWire } from './wire/labels.ts';
import { turnFrom } from './wire/turn.ts';
import { webhooksFromWire } from './wire/webhook.ts';

export interface AdmissionRequestOptions {
  readonly tasks: Tasks;
  readonly traces: TraceSampling;
  /** Where webhooks may be. */
  readonly webhooks: WebhookRule;
  /** Milliseconds; the total timeout of a task that names none. */
  readonly defaultTotalMs: number;
}

/** Rejects with a RequestError: invalid_argument, not_found, permission_denied. */
export async function admissionRequest(
  options: AdmissionRequestOptions,
  request: InvokeFunctionRequest,
  mode: ExecutionMode,
  call: Pick<CallContext, 'principal' | 'scope' | 'trace'>,
): Promise<AdmissionRequest> {
  const invocationId = callersId(request.invocationId);
  const chosen = await options.tasks.choose(call.scope, reference('task', request.task), invocationId);
  return requestOfTask(options, chosen, request, mode, call);
}

/** The same where the task is known; `memberNamed` finds other members of its batch. Throws what that rejects with. */
export function requestOfTask(
  { tasks, traces, webhooks, defaultTotalMs }: AdmissionRequestOptions,
  { task, alias }: Chosen,
  request: InvokeFunctionRequest,
  mode: ExecutionMode,
  { principal, scope, trace: context }: Pick<CallContext, 'principal' | 'scope' | 'trace'>,
  memberNamed?: MemberNamed,
): AdmissionRequest {
  const invocation = invocationFromWire(request);
  assertMayGive(principal, task.definition, invocation.environment);
  const dependsOn = dependenciesFromWire('depends_on', request.dependsOn, memberNamed);
  const later = dependsOn === undefined ? [] : outputParameters('depends_on', dependsOn, invocation);
  const functionName = tasks.checkCall(task, invocation.functionName, invocation.parameters, later);
  const invocationId = callersId(request.invocationId);
  const trace = traces.traceFor(context);
  const labels = executionLabels(task.definition.labels, labelsFromWire(request.labels));
  const checked = functionName === invocation.functionName ? invocation : { ...invocation, functionName };
  // What is computed of the output of another, or after it, is no result of the call alone.
  const cache = dependsOn === undefined ? task.definition.cache : undefined;
  const digest =
    invocationId === '' && cache === undefined ? '' : payloadDigest(task.taskId, checked, dependsOn);
  const onEnd = webhooksFromWire('on_end', request.onEnd);
  assertMayTell('on_end', onEnd, webhooks);
  return {
    task,
    mode,
    invocation: checked,
    invocationId,
    payloadDigest: invocationId === '' ? '' : digest,
    metadata: metadata('metadata', request.metadata),
    timeouts: effectiveTimeouts(
      task.definition.timeouts,
      timeoutsFromWire('timeouts', request.timeouts),
      defaultTotalMs,
    ),
    startAfterMs: delay('start_after', request.startAfter) ?? 0,
    cancelOnDisconnect: request.cancelOnDisconnect,
    by: principal.name,
    scope,
    ...(request.refuseIfLate && { refuseIfLate: true as const }),
    ...(alias !== undefined && { alias }),
    ...(labels !== undefined && { labels }),
    ...(trace !== undefined && { trace }),
    ...(dependsOn !== undefined && { dependsOn }),
    ...(onEnd.length > 0 && { onEnd }),
    ...(cache !== undefined && { cache: { key: digest, bypass: request.bypassCache } }),
    ...turnFrom(request, task.definition),
  };
}

/** Invocation ids that begin so are the node's to give. */
const nodesOwn = [
  [firingPrefix, 'firings of schedules'],
  [rerunPrefix, 'what is run again'],
] as const;

/** Throws invalid_argument for an id that only the node gives. */
function callersId(value: string): string {
  const own = nodesOwn.find(([prefix]) => value.startsWith(prefix));
  if (own === undefined) return text('invocation_id', value, 256);
  const [prefix, whose] = own;
  throw invalidArgument(
    'invocation_id',
    `begins with ${quote(prefix)}, which is for ${whose}; allowed is any other id`,
  );
}
