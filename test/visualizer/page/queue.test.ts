import { create, toJson } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { GetQueueResponseSchema } from '../../../src/server/gen/spearlet/node_pb.js';
import { formatAddress, parseAddress } from '../../../src/visualizer/page/model/address.ts';
import { queueOf } from '../../../src/visualizer/page/model/queue.ts';
import type { GetQueueResponseJson } from '../../../src/visualizer/page/wire.ts';

const at = Date.parse('2026-05-31T12:00:00Z');
const gate = {
  kind: 'concurrency',
  key: 'metadata.user',
  value: 'ann',
  limit: 1n,
  since: timestampFromMs(at),
};

/** As a node writes it. */
function written(
  response: Parameters<typeof create<typeof GetQueueResponseSchema>>[1],
): GetQueueResponseJson {
  const message = create(GetQueueResponseSchema, response);
  return toJson(GetQueueResponseSchema, message, { alwaysEmitImplicit: true }) as never;
}

describe('the queue on the page', () => {
  test('has numbers, instants and what holds each class', () => {
    const queue = queueOf(
      written({
        ...{ slots: 4, running: 4, waiting: 1_000_012n, held: 1_000_000n, otherLines: 3n, otherWaiting: 9n },
        lines: [
          {
            ...{ tenant: 'default', priority: 'normal', running: 4, waiting: 1_000_003n, held: 1_000_000n },
            ...{ shareUsed: 0.75, shareDue: 1, nextExecutionId: 'exec_1', otherClasses: 2n },
            classes: [
              {
                waiting: 1_000_000n,
                gate,
                heldBy: ['exec_0'],
                nextExecutionId: 'exec_1',
                nextSince: gate.since,
              },
              { waiting: 2n, gate, heldBy: ['exec_0'] },
              { waiting: 1n, summary: 'all 4 slots are taken', freedBy: 'one ends' },
            ],
          },
        ],
      }),
    );
    expect(queue).toMatchObject({ waiting: 1_000_012, held: 1_000_000, otherLines: 3, otherWaiting: 9 });
    const [line] = queue.lines;
    expect(line).toMatchObject({ waiting: 1_000_003, shareUsed: 0.75, shareDue: 1, otherClasses: 2 });
    expect(line?.classes).toMatchObject([
      {
        kind: 'concurrency',
        since: at,
        opensAt: undefined,
        next: 'exec_1',
        nextSince: at,
        heldBy: ['exec_0'],
      },
      { kind: 'concurrency', next: '' },
      { kind: undefined, since: undefined, summary: 'all 4 slots are taken', freedBy: 'one ends' },
    ]);
    expect(new Set(line?.classes.map(({ key }) => key)).size).toBe(3);
  });

  test('is a view of the address', () => {
    expect(parseAddress('?view=queue').view).toBe('queue');
    expect(formatAddress(parseAddress('?tenant=shop&view=queue'))).toBe('/?tenant=shop&view=queue');
    expect(parseAddress('?view=none').view).toBe('list');
  });
});
