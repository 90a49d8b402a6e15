import { create } from '@bufbuild/protobuf';
import { type Batches, hasEnded } from '../domain/batch/batch.ts';
import { mostMembers } from '../domain/batch/graph.ts';
import type { Clock } from '../domain/clock.ts';
import { invalidArgument } from '../domain/errors.ts';
import type { AdmissionRequestOptions } from './admission-request.ts';
import { type BatchOptions, batchRequest } from './batch-request.ts';
import type { CallContext, ClientStreamHandler, StreamHandler, UnaryHandler } from './call.ts';
import {
  type BatchMember,
  type CancelBatchRequest,
  type CancelBatchResponse,
  CancelBatchResponseSchema,
  type GetBatchRequest,
  type GetBatchResponse,
  GetBatchResponseSchema,
  type GroupBatchMembersRequest,
  type GroupBatchMembersResponse,
  type InvokeBatchFromStreamRequest,
  type InvokeBatchFromStreamResponse,
  InvokeBatchFromStreamResponseSchema,
  type InvokeBatchRequest,
  type InvokeBatchResponse,
  InvokeBatchResponseSchema,
  type ListBatchesRequest,
  type ListBatchesResponse,
  ListBatchesResponseSchema,
  type ListBatchMembersRequest,
  type ListBatchMembersResponse,
  ListBatchMembersResponseSchema,
  type WaitBatchRequest,
  type WaitBatchResponse,
  WaitBatchResponseSchema,
  type WatchBatchRequest,
  type WatchBatchResponse,
  WatchBatchResponseSchema,
} from './gen/spearlet/batch_pb.js';
import type { PageTokens } from './page-tokens.ts';
import { batchToWire, memberToWire } from './wire/batch.ts';
import { groupQuery, groupsToWire, memberQuery } from './wire/batch-members.ts';
import { batchReference, pageSize, positiveDuration, text } from './wire/fields.ts';

export interface BatchServiceOptions extends AdmissionRequestOptions {
  readonly batches: Batches;
  readonly pageTokens: PageTokens;
  readonly clock: Clock;
  /** Milliseconds; the longest total timeout that a task may name. */
  readonly mostTotalMs: number;
}

export interface BatchService {
  readonly invokeBatch: UnaryHandler<InvokeBatchRequest, InvokeBatchResponse>;
  readonly invokeBatchFromStream: ClientStreamHandler<
    InvokeBatchFromStreamRequest,
    InvokeBatchFromStreamResponse
  >;
  readonly getBatch: UnaryHandler<GetBatchRequest, GetBatchResponse>;
  readonly listBatches: UnaryHandler<ListBatchesRequest, ListBatchesResponse>;
  readonly listBatchMembers: UnaryHandler<ListBatchMembersRequest, ListBatchMembersResponse>;
  readonly groupBatchMembers: UnaryHandler<GroupBatchMembersRequest, GroupBatchMembersResponse>;
  readonly waitBatch: UnaryHandler<WaitBatchRequest, WaitBatchResponse>;
  readonly watchBatch: StreamHandler<WatchBatchRequest, WatchBatchResponse>;
  readonly cancelBatch: UnaryHandler<CancelBatchRequest, CancelBatchResponse>;
}

const pageOfEndings = 500;
const pageOfIds = 1000;

export function createBatchService(options: BatchServiceOptions): BatchService {
  const { batches, pageTokens, clock } = options;

  const admit = async (asked: BatchOptions, members: readonly BatchMember[], call: CallContext) => {
    const ids = (count: number): readonly string[] => batches.executionIds(count);
    const request = await batchRequest(options, asked, members, ids, call);
    const { batch, joined } = await batches.admit(request);
    const state = await batches.get(call.scope, batch.batchId);
    return { state, joined, executionIds: request.executionIds };
  };

  return {
    async invokeBatch(request, call) {
      const { state, joined, executionIds } = await admit(request, request.members, call);
      const { batchId } = state.batch;
      const found: string[] = [];
      while (joined && found.length < state.batch.members) {
        const query = { after: found.length - 1, limit: pageOfIds, statuses: [] };
        const page = await batches.members(call.scope, batchId, query);
        if (page.length === 0) break;
        found.push(...page.map((member) => member.executionId));
      }
      return create(InvokeBatchResponseSchema, {
        batch: batchToWire(state),
        joined,
        executionIds: joined ? found : [...executionIds],
      });
    },

    async invokeBatchFromStream(requests, call) {
      let asked: InvokeBatchRequest | undefined;
      const members: BatchMember[] = [];
      for await (const request of requests) {
        if (asked === undefined) {
          asked = request.options;
          if (asked === undefined) throw invalidArgument('options', 'is required in the first message');
          if (asked.members.length > 0) {
            throw invalidArgument('options.members', 'is not empty; allowed are members of each message');
          }
        } else if (request.options !== undefined) {
          throw invalidArgument('options', 'is of the first message alone');
        }
        members.push(...request.members);
        if (members.length > mostMembers) {
          throw invalidArgument('members', `are more than ${mostMembers}, which is the most`);
        }
      }
      if (asked === undefined) throw invalidArgument('options', 'is required in the first message');
      const { state, joined } = await admit(asked, members, call);
      return create(InvokeBatchFromStreamResponseSchema, { batch: batchToWire(state), joined });
    },

    async getBatch({ batchId }, { scope }) {
      const state = await batches.get(scope, batchReference('batch_id', batchId));
      return create(GetBatchResponseSchema, { batch: batchToWire(state) });
    },

    async listBatches(request, { scope }) {
      const limit = pageSize(request.pageSize);
      if (request.supervised) {
        const supervised = await batches.supervised(scope, limit);
        return create(ListBatchesResponseSchema, { batches: supervised.map(batchToWire) });
      }
      const beforeId = pageTokens.open('batches', request.pageToken);
      const { batches: page, next } = await batches.list(scope, beforeId, limit);
      return create(ListBatchesResponseSchema, {
        batches: page.map(batchToWire),
        nextPageToken: next === undefined ? '' : pageTokens.seal('batches', next),
      });
    },

    async listBatchMembers(request, { scope }) {
      const limit = pageSize(request.pageSize);
      const token = pageTokens.open('batchMembers', request.pageToken);
      const { batch } = await batches.get(scope, batchReference('batch_id', request.batchId));
      const after = token === '' ? -1 : Number(token);
      const found = await batches.members(scope, batch.batchId, memberQuery(request, after, limit + 1));
      const page = found.slice(0, limit);
      const last = page.at(-1)?.member;
      return create(ListBatchMembersResponseSchema, {
        members: page.map((member) => memberToWire(member, batch.supervision)),
        nextPageToken:
          found.length > limit && last !== undefined ? pageTokens.seal('batchMembers', String(last)) : '',
      });
    },

    async groupBatchMembers(request, { scope }) {
      const batchId = batchReference('batch_id', request.batchId);
      return groupsToWire(await batches.groups(scope, batchId, groupQuery(request)));
    },

    async waitBatch(request, call) {
      const budget = positiveDuration('wait_budget', request.waitBudget);
      const { batch } = await batches.get(call.scope, batchReference('batch_id', request.batchId));
      const leaving = new AbortController();
      call.onGone(() => leaving.abort());
      const timer = budget === undefined ? undefined : clock.setTimer(budget, () => leaving.abort());
      try {
        await batches.beyond(batch.batchId, batch.members, leaving.signal);
      } finally {
        timer?.cancel();
      }
      const state = await batches.get(call.scope, batch.batchId);
      return create(WaitBatchResponseSchema, { batch: batchToWire(state) });
    },

    async watchBatch(request, call, send) {
      const { batch } = await batches.get(call.scope, batchReference('batch_id', request.batchId));
      const { batchId } = batch;
      const leaving = new AbortController();
      call.onGone(() => leaving.abort());
      let next = Math.max(1, Number(request.fromSequence));
      const told = async (message: WatchBatchResponse): Promise<void> => {
        const busy = send(message);
        if (busy !== undefined) await busy;
      };
      while (!leaving.signal.aborted) {
        const page = await batches.endings(batchId, next, pageOfEndings);
        const { supervision } = page.length === 0 ? batch : (await batches.get(call.scope, batchId)).batch;
        for (const ending of page) {
          if (leaving.signal.aborted) return;
          const event = { case: 'member' as const, value: memberToWire(ending, supervision) };
          await told(create(WatchBatchResponseSchema, { event }));
          next = ending.sequence + 1;
        }
        if (page.length > 0) continue;
        const state = await batches.get(call.scope, batchId);
        if (hasEnded(state)) {
          const event = { case: 'batch' as const, value: batchToWire(state) };
          return await told(create(WatchBatchResponseSchema, { event }));
        }
        await batches.beyond(batchId, next, leaving.signal);
      }
    },

    async cancelBatch(request, { scope, principal }) {
      const reason = text('reason', request.reason, 1024);
      const batchId = batchReference('batch_id', request.batchId);
      const { changed, state } = await batches.cancel(scope, batchId, reason, principal.name);
      return create(CancelBatchResponseSchema, { changed, batch: batchToWire(state) });
    },
  };
}
