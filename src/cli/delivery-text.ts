/** What was told to whom, in words. */
import { type Timestamp, timestampDate, timestampMs } from '@bufbuild/protobuf/wkt';
import { DeliveryState, type WebhookDelivery } from '../server/gen/spearlet/webhook_pb.js';
import { durationText } from './duration.ts';
import { printable } from './printable.ts';

export function stateText({ state }: WebhookDelivery): string {
  return (DeliveryState[state] ?? '').toLowerCase();
}

/** `delivered to https://… at the first try`, in one line. */
export function deliveryText(delivery: WebhookDelivery, now = Date.now()): string {
  const { url, attempts, nextAttemptAt, lastError } = delivery;
  const tries = `${attempts} ${attempts === 1 ? 'try' : 'tries'}`;
  const error = lastError === '' ? '' : `: ${printable(lastError, 200)}`;
  const to = `${stateText(delivery)}, ${printable(url, 200)}`;
  if (delivery.state !== DeliveryState.PENDING || nextAttemptAt === undefined)
    return `${to}, ${tries}${error}`;
  const left = timestampMs(nextAttemptAt) - now;
  const next = left > 0 ? `next in ${durationText(left)}` : 'about to be tried';
  return `${to}, ${attempts === 0 ? next : `${tries}, ${next}`}${error}`;
}

export function timeText(at: Timestamp | undefined): string {
  return at === undefined ? '-' : timestampDate(at).toISOString();
}
