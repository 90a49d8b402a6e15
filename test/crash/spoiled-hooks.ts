/** What is against the rules of webhooks. */
import { ErrorCode } from '../../src/server/gen/spearlet/function_pb.js';
import { DeliveryState } from '../../src/server/gen/spearlet/webhook_pb.js';
import { calm, type Forged, lost } from './forged.ts';
import { failedWith, setResult } from './spoiling.ts';

export const spoiledHooks: readonly (readonly [
  rule: string,
  what: string,
  spoil: (history: Forged) => void,
])[] = [
  ['webhooks at least once', 'an end was never told', ({ tellings }) => void tellings.splice(0)],
  ['webhooks at least once', 'an end was only refused', ({ tellings }) => void tellings.pop()],
  [
    'webhooks at least once',
    'a webhook for another end was told',
    (h) => setResult(h, lost, failedWith(ErrorCode.FUNCTION_EXIT)),
  ],
  [
    'webhook-id',
    'another try has another id',
    ({ tellings }) => Object.assign(tellings[1] ?? {}, { id: 'msg_1_9' }),
  ],
  [
    'webhook-id',
    'two executions have one id',
    ({ tellings }) => Object.assign(tellings[1] ?? {}, { executionId: calm }),
  ],
  [
    'webhooks of nothing else',
    'an end was told that never was',
    ({ tellings }) => Object.assign(tellings[0] ?? {}, { status: 'failed' }),
  ],
  [
    'webhooks of nothing else',
    'one that asked for no such end was told',
    ({ tellings }) => tellings.push({ ...tellings[0], id: 'msg_1_1', path: '/hook/bad' } as never),
  ],
  [
    'webhooks of nothing else',
    'what is not there was told',
    ({ tellings }) => tellings.push({ ...tellings[0], id: 'msg_2_0', executionId: 'exec_gone' } as never),
  ],
  ['webhooks signed', 'a signature was wrong', ({ unsigned }) => unsigned.push('no signature matches')],
  [
    'webhooks listed',
    'what was told still waits',
    ({ deliveries }) => Object.assign(deliveries[0] ?? {}, { state: DeliveryState.PENDING }),
  ],
  ['webhooks listed', 'a delivery is missing', ({ deliveries }) => void deliveries.pop()],
  [
    'webhooks listed',
    'a delivery is there twice',
    ({ deliveries }) => deliveries.push(structuredClone(deliveries[0] as never)),
  ],
];
