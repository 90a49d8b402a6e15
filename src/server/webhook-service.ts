/** WebhookService: who was told of which end, and telling it again. */
import { create } from '@bufbuild/protobuf';
import { maySeeVariables } from '../domain/access.ts';
import { invalidArgument, RequestError } from '../domain/errors.ts';
import { assertOneTenant, type Scope, sees, tenantToMakeIn } from '../domain/scope.ts';
import type { Deliveries, Delivery, DeliveryState } from '../domain/webhook.ts';
import type { SeenExecution } from './access/seen-executions.ts';
import type { UnaryHandler } from './call.ts';
import {
  type GetDeliveryRequest,
  type GetDeliveryResponse,
  GetDeliveryResponseSchema,
  type ListDeliveriesRequest,
  type ListDeliveriesResponse,
  ListDeliveriesResponseSchema,
  type RedriveDeliveriesRequest,
  type RedriveDeliveriesResponse,
  RedriveDeliveriesResponseSchema,
} from './gen/spearlet/webhook_pb.js';
import type { PageTokens } from './page-tokens.ts';
import { most, pageSize, text } from './wire/fields.ts';
import { deliveryStates, deliveryToWire } from './wire/webhook.ts';

export interface WebhookServiceOptions {
  readonly deliveries: Deliveries;
  readonly seen: SeenExecution;
  readonly pageTokens: PageTokens;
}

export interface WebhookService {
  readonly listDeliveries: UnaryHandler<ListDeliveriesRequest, ListDeliveriesResponse>;
  readonly getDelivery: UnaryHandler<GetDeliveryRequest, GetDeliveryResponse>;
  readonly redriveDeliveries: UnaryHandler<RedriveDeliveriesRequest, RedriveDeliveriesResponse>;
}

/** Rows that are read at once, and for one answer, which has fewer then and says where to go on. */
const rowsAtOnce = 500;
const mostLookedAt = 10_000;
const mostIds = 1000;

interface Wanted {
  readonly states: readonly DeliveryState[];
  readonly task: string;
  readonly executionId?: string;
  readonly limit: number;
}

export function createWebhookService({
  deliveries,
  seen,
  pageTokens,
}: WebhookServiceOptions): WebhookService {
  const visible = (scope: Scope, { record }: Delivery): boolean => sees(scope, record);

  /** Those that are wanted and in scope; `next` is where to go on where there may be more. */
  const found = async (scope: Scope, wanted: Wanted, first: string) => {
    const page: Delivery[] = [];
    let after = first;
    for (let lookedAt = 0; lookedAt < mostLookedAt; lookedAt += rowsAtOnce) {
      const { executionId } = wanted;
      const rows = await deliveries.list({
        ...{ tenant: tenantToMakeIn(scope), after, limit: rowsAtOnce },
        ...(executionId !== undefined && { executionId }),
      });
      for (const each of rows) {
        after = each.id;
        const { states, task } = wanted;
        const isWanted =
          (states.length === 0 || states.includes(each.state)) &&
          (task === '' || each.record.taskName === task);
        if (isWanted && visible(scope, each)) page.push(each);
        if (page.length === wanted.limit) return { page, next: after };
      }
      if (rows.length < rowsAtOnce) return { page, next: undefined };
    }
    return { page, next: after };
  };

  const one = async (scope: Scope, field: string, id: string): Promise<Delivery> => {
    const wanted = text(field, id, 128);
    const delivery = await deliveries.get(tenantToMakeIn(scope), wanted);
    if (delivery === undefined || !visible(scope, delivery)) {
      throw new RequestError('not_found', `${field}: there is no delivery ${wanted}`, {
        reason: 'DELIVERY_NOT_FOUND',
        metadata: { delivery: wanted },
      });
    }
    return delivery;
  };

  return {
    async listDeliveries(request, { scope, principal }) {
      assertOneTenant(scope, 'a list of deliveries');
      const after = pageTokens.open('deliveries', request.pageToken);
      const executionId = request.executionId === '' ? undefined : await seen(scope, request.executionId);
      const wanted = {
        states: statesFrom(request.states),
        task: text('task', request.task, 256),
        limit: pageSize(request.pageSize),
        ...(executionId !== undefined && { executionId }),
      };
      const { page, next } = await found(scope, wanted, after);
      return create(ListDeliveriesResponseSchema, {
        deliveries: page.map((each) => deliveryToWire(each, maySeeVariables(principal))),
        nextPageToken: next === undefined ? '' : pageTokens.seal('deliveries', next),
      });
    },

    async getDelivery(request, { scope, principal }) {
      assertOneTenant(scope, 'a delivery');
      const delivery = await one(scope, 'delivery_id', request.deliveryId);
      return create(GetDeliveryResponseSchema, {
        delivery: deliveryToWire(delivery, maySeeVariables(principal)),
      });
    },

    async redriveDeliveries(request, { scope }) {
      assertOneTenant(scope, 'a redrive of deliveries');
      const { deliveryIds, allDead, dryRun } = request;
      const task = text('task', request.task, 256);
      if (allDead === deliveryIds.length > 0) {
        throw invalidArgument(
          'delivery_ids',
          'stand beside all_dead, or are none; allowed is one or the other',
        );
      }
      if (task !== '' && !allDead) throw invalidArgument('task', 'is for all_dead; allowed here is none');
      most('delivery_ids', deliveryIds.length, mostIds);
      let redriven = 0;
      const again = async (page: readonly Delivery[]): Promise<void> => {
        redriven += page.length;
        if (!dryRun) await deliveries.redrive(page);
      };
      await again(await Promise.all(deliveryIds.map((id, at) => one(scope, `delivery_ids[${at}]`, id))));
      const wanted = { states: ['dead'], task, limit: rowsAtOnce } as const;
      for (let next: string | undefined = allDead ? '' : undefined; next !== undefined; ) {
        const part = await found(scope, wanted, next);
        await again(part.page);
        next = part.next;
      }
      return create(RedriveDeliveriesResponseSchema, { redriven });
    },
  };
}

function statesFrom(states: ListDeliveriesRequest['states']): DeliveryState[] {
  return states.map((state, index) => {
    const known = deliveryStates.get(state);
    if (known !== undefined) return known;
    throw invalidArgument(
      `states[${index}]`,
      `${String(state)} is not a state; allowed are PENDING (1), DELIVERED (2), DEAD (3)`,
    );
  });
}
