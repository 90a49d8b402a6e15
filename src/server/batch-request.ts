/** Makes of the members of a batch on the wire what is admitted: each is checked as an invocation of its own. */
import { createHash } from 'node:crypto';
import type { BatchRequest, MemberRequest } from '../domain/batch/batch.ts';
import { graphOf } from '../domain/batch/graph.ts';
import { errorWithin, invalidArgument, RequestError } from '../domain/errors.ts';
import { tenantToMakeIn } from '../domain/scope.ts';
import { type AdmissionRequestOptions, requestOfTask } from './admission-request.ts';
import type { CallContext } from './call.ts';
import type { BatchMember, InvokeBatchRequest } from './gen/spearlet/batch_pb.js';
import { ExecutionMode, type InvokeFunctionRequest } from './gen/spearlet/function_pb.js';
import { payloadDigest } from './payload.ts';
import { onMemberFailureFromWire } from './wire/batch.ts';
import { reference, text } from './wire/fields.ts';
import { restartFromWire, supervisionFromWire } from './wire/supervision.ts';

/** What is asked of a batch beside its members. */
export type BatchOptions = Pick<InvokeBatchRequest, 'invocationId' | 'onMemberFailure' | 'supervision'>;

/** Members that are looked at in one turn of the event loop. */
const atOnce = 250;

/** Rejects with a RequestError that names the member and the field. */
export async function batchRequest(
  options: AdmissionRequestOptions & { readonly mostTotalMs: number },
  asked: BatchOptions,
  members: readonly BatchMember[],
  executionIds: (count: number) => readonly string[],
  call: CallContext,
): Promise<BatchRequest> {
  const { invocationId, onMemberFailure } = asked;
  const policy = onMemberFailureFromWire(onMemberFailure);
  text('invocation_id', invocationId, 256);
  const graph = graphOf(
    members.map(({ name, invocation }, member) => {
      const names = (invocation?.dependsOn ?? []).map((each) => each.name);
      const follows = names.filter((each) => each !== '');
      return {
        ...{ name: text(`members[${member}].name`, name, 256), follows },
        others: names.length - follows.length,
      };
    }),
  );
  const supervision = supervisionFromWire(asked, members);
  // The node's default total timeout is not for what is meant to run on.
  const memberOptions =
    supervision === undefined ? options : { ...options, defaultTotalMs: options.mostTotalMs };
  const ids = executionIds(members.length);
  const idOf = new Map(members.map(({ name }, member) => [name, ids[member] ?? '']));
  const tenant = tenantToMakeIn(call.scope);
  const digest = createHash('sha256').update(policy);
  if (supervision !== undefined) digest.update(JSON.stringify(supervision));
  const made: MemberRequest[] = [];
  for (const [member, { name, invocation, restart: policyOfMember }] of members.entries()) {
    if (member % atOnce === atOnce - 1) await new Promise((resolve) => void setImmediate(resolve));
    const restart = restartFromWire(`members[${member}].restart`, policyOfMember);
    try {
      const wanted = checked(invocation);
      const key = invocationId === '' ? (ids[member] ?? '') : `${invocationId}/${member}`;
      const chosen = await options.tasks.choose(call.scope, reference('task', wanted.task), key);
      const request = requestOfTask(memberOptions, chosen, wanted, 'async', call, (other) => idOf.get(other));
      made.push({
        name,
        layer: graph.layers[member] ?? 0,
        follows: graph.follows[member] ?? [],
        request,
        ...(restart !== undefined && { restart }),
      });
      // Of another member its name counts: ids are new with each request.
      const follows = request.dependsOn?.map((each) =>
        each.name === undefined ? each : { ...each, executionId: '' },
      );
      if (invocationId !== '') {
        const payload = payloadDigest(request.task.taskId, request.invocation, follows);
        digest.update(JSON.stringify([name, payload, ...(restart === undefined ? [] : [restart])]));
      }
    } catch (error) {
      throw error instanceof RequestError ? errorWithin(`members[${member}].invocation`, error) : error;
    }
  }
  return {
    executionIds: ids,
    members: made,
    order: graph.order,
    layers: 1 + graph.layers.reduce((most, layer) => Math.max(most, layer), 0),
    tenant,
    invocationId,
    payloadDigest: invocationId === '' ? '' : digest.digest('hex'),
    onMemberFailure: policy,
    ...(supervision !== undefined && { supervision }),
    by: call.principal.name,
    scope: call.scope,
  };
}

/** What makes no sense of a member is refused, as it would be left out. */
function checked(invocation: InvokeFunctionRequest | undefined): InvokeFunctionRequest {
  if (invocation === undefined) throw invalidArgument('', 'is required');
  const { executionMode, invocationId, waitBudget, cancelOnDisconnect, refuseIfLate, dryRun } = invocation;
  if (executionMode !== ExecutionMode.UNSPECIFIED && executionMode !== ExecutionMode.ASYNC) {
    throw invalidArgument('execution_mode', 'is not for a member; allowed are ASYNC and no mode at all');
  }
  const given = [
    ['invocation_id', invocationId !== ''],
    ['wait_budget', waitBudget !== undefined],
    ['cancel_on_disconnect', cancelOnDisconnect],
    ['refuse_if_late', refuseIfLate],
    ['dry_run', dryRun],
  ] as const;
  const other = given.find(([, isGiven]) => isGiven)?.[0];
  if (other === undefined) return invocation;
  throw invalidArgument(
    other,
    other === 'invocation_id' ? 'is of the batch; a member has none' : 'is not for a member of a batch',
  );
}
