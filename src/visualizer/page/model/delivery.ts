/** One telling of an end to one webhook: the model of `WebhookDelivery`. */
import type { ListDeliveriesResponseJson } from '../wire.ts';
import { enumWord, instantOf } from './scalar.ts';

type DeliveryState = 'pending' | 'delivered' | 'dead';

export interface Delivery {
  readonly id: string;
  readonly state: DeliveryState;
  /** For readers with less than the role develop its origin alone. */
  readonly url: string;
  readonly tries: number;
  readonly lastAt: number | undefined;
  /** Of one that is pending. */
  readonly nextAt: number | undefined;
  /** What its last try came to, in words; empty before. */
  readonly answer: string;
}

export function deliveryOf(json: ListDeliveriesResponseJson['deliveries'][number]): Delivery {
  return {
    id: json.deliveryId,
    state: enumWord(json.state, 'DELIVERY_STATE_').toLowerCase() as DeliveryState,
    url: json.url,
    tries: json.attempts,
    lastAt: instantOf(json.lastAttemptAt),
    nextAt: instantOf(json.nextAttemptAt),
    answer: answerOf(json.lastStatus, json.lastError),
  };
}

/** The node's words for a failed answer have its status in them. */
function answerOf(status: number, error: string): string {
  const http = status === 0 ? '' : `HTTP ${status}`;
  if (error === '') return http;
  return http === '' || error.includes(String(status)) ? error : `${http}: ${error}`;
}
