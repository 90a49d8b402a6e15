/** What a node of a cluster says of itself to the one that gives away what waits. */
import { expect, test } from 'vitest';
import { HandOver, type HandOverHost } from '../../src/actors/executions/cluster/hand-over.ts';
import { Slots } from '../../src/actors/queue/slots.ts';
import type { OwnUse } from '../../src/domain/scheduling/places.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** A node with free slots, and what it has said of them. */
function freeNode() {
  const said: OwnUse[] = [];
  const queue = {
    me: 1,
    granted: async () => [],
    leave: async (_: unknown, own: OwnUse) => void said.push(own),
  };
  const host: Partial<Record<keyof HandOverHost, unknown>> = {
    time: new FakeClock(),
    queue,
    slots: new Slots(4),
    judged: async () => {},
    failed(error: unknown) {
      throw error;
    },
  };
  return { handOver: new HandOver(host as unknown as HandOverHost), said };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test('a node that still takes up what an earlier run has left does not say what is free, and so is given nothing', async () => {
  const { handOver, said } = freeNode();
  handOver.heard({ kind: 'waiting', count: 3 });
  handOver.heard({ kind: 'queued' });
  await turn();
  expect(said).toEqual([]);
  handOver.open();
  handOver.heard({ kind: 'waiting', count: 3 });
  await turn();
  expect(said).toMatchObject([{ slots: 0 }]);
  handOver.close();
});
