/** What is told of an execution that has completed, as it should be: its first try was refused. */
import { create } from '@bufbuild/protobuf';
import {
  DeliveryState,
  type WebhookDelivery,
  WebhookDeliverySchema,
} from '../../src/server/gen/spearlet/webhook_pb.js';
import type { Telling, Webhook } from './history.ts';

export const forgedTells: readonly Webhook[] = [
  { path: '/hook/any' },
  { path: '/hook/bad', statuses: ['failed'] },
];

export interface ForgedHooks {
  readonly tellings: { -readonly [Key in keyof Telling]: Telling[Key] }[];
  readonly deliveries: WebhookDelivery[];
  readonly unsigned: string[];
}

export function forgedHooks(executionId: string): ForgedHooks {
  const telling = { id: 'msg_1_0', executionId, path: '/hook/any', status: 'completed' };
  return {
    tellings: [
      { ...telling, accepted: false },
      { ...telling, accepted: true },
    ],
    deliveries: [
      create(WebhookDeliverySchema, {
        ...{ deliveryId: 'msg_1_0', executionId, url: 'http://127.0.0.1:1/hook/any', attempts: 2 },
        state: DeliveryState.DELIVERED,
      }),
    ],
    unsigned: [],
  };
}
