/** Webhooks as requests name them, and deliveries as callers see them. */
import { create } from '@bufbuild/protobuf';
import { type Timestamp, timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type Delivery,
  type DeliveryState,
  type EndStatus,
  type EndWebhook,
  mostWebhooks,
  originOf,
} from '../../domain/webhook.ts';
import { EndStatus as WireEnd, type EndWebhook as WireWebhook } from '../gen/spearlet/function_pb.js';
import {
  type WebhookDelivery,
  WebhookDeliverySchema,
  DeliveryState as WireState,
} from '../gen/spearlet/webhook_pb.js';
import { webhookMessage } from './definition-message.ts';
import { most } from './fields.ts';

/** Throws invalid_argument, naming the field. */
export function webhooksFromWire(field: string, messages: readonly WireWebhook[]): readonly EndWebhook[] {
  most(field, messages.length, mostWebhooks);
  return messages.map((message, index) => webhookMessage.read(message, `${field}[${index}]`) as EndWebhook);
}

const ends: Record<EndStatus, WireEnd> = {
  completed: WireEnd.COMPLETED,
  failed: WireEnd.FAILED,
  cancelled: WireEnd.CANCELLED,
  timedOut: WireEnd.TIMED_OUT,
};

const states: Record<DeliveryState, WireState> = {
  pending: WireState.PENDING,
  delivered: WireState.DELIVERED,
  dead: WireState.DEAD,
};

export const deliveryStates: ReadonlyMap<WireState, DeliveryState> = new Map(
  Object.entries(states).map(([state, wire]) => [wire, state as DeliveryState]),
);

/** `withUrl` says whether all of the URL is in it, or its origin alone. */
export function deliveryToWire(delivery: Delivery, withUrl: boolean): WebhookDelivery {
  const { id, tenant, record, url, secret, state, attempts } = delivery;
  const at = <Name extends string>(name: Name, ms: number | undefined) =>
    (ms === undefined ? {} : { [name]: timestampFromMs(ms) }) as { [Key in Name]?: Timestamp };
  return create(WebhookDeliverySchema, {
    ...{ deliveryId: id, executionId: record.executionId, tenant, taskName: record.taskName },
    ...{ url: withUrl ? url : originOf(url), secret, attempts },
    // Only what has ended is told.
    endStatus: ends[record.status as EndStatus],
    state: states[state],
    lastStatus: delivery.lastStatus ?? 0,
    lastError: delivery.lastError ?? '',
    ...at('createdAt', record.completedAt),
    ...at('lastAttemptAt', delivery.lastAt),
    ...at('nextAttemptAt', delivery.nextAt),
    ...at('deliveredAt', delivery.deliveredAt),
  });
}
