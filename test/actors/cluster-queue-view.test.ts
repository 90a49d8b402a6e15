/** The queue of a cluster is put together from what its nodes say; one that says nothing is named. */
import { expect, test } from 'vitest';
import { ClusterQueueView } from '../../src/actors/executions/cluster/cluster-queue-view.ts';
import { LinkBroken, type Links } from '../../src/domain/links.ts';
import type { NodeQueue, QueueLine, QueueView } from '../../src/domain/queue-view.ts';
import { wholeNode } from '../../src/domain/scope.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';

function line(tenant: string, counts: Partial<QueueLine>): QueueLine {
  return {
    ...{ tenant, priority: 'normal', fairnessKey: '', running: 0, waiting: 0, held: 0 },
    ...{ shareUsed: 0, shareDue: 0, classes: [], otherClasses: 0, ...counts },
  };
}

function view(slots: number, lines: readonly QueueLine[], block = ''): QueueView {
  const sum = (count: 'running' | 'waiting' | 'held') => lines.reduce((all, each) => all + each[count], 0);
  return {
    ...{ slots, running: sum('running'), waiting: sum('waiting'), held: sum('held'), block, lines },
    ...{ otherLines: 0, otherWaiting: 0, time: 1000 },
  };
}

function clusterOf(own: NodeQueue, others: Readonly<Record<string, () => Promise<NodeQueue>>>) {
  const clock = new FakeClock();
  const facts = { nodeId: '', address: 'there:1', labels: {}, capacity: {}, load: {}, alive: true };
  const peers = ['n1', ...Object.keys(others)].map((name, incarnation) => ({ ...facts, name, incarnation }));
  const links = { name: 'n1', queue: ({ name }) => others[name]?.() } as Pick<
    Links,
    'name' | 'queue'
  > as Links;
  const views = new ClusterQueueView({
    ...{ clock, links, here: () => own },
    membership: { incarnation: 0, peers: () => peers },
  });
  return { clock, views };
}

test('lines of all nodes are joined, and what nobody owns waits in them', async () => {
  const { views } = clusterOf(
    { here: view(2, [line('a', { running: 2, shareUsed: 1, shareDue: 1 })]) },
    {
      n2: async () => ({
        here: view(
          6,
          [line('a', { running: 1, shareUsed: 0.5 }), line('b', { running: 5, shareUsed: 0.5 })],
          'it stops',
        ),
        unowned: view(8, [line('a', { waiting: 7, held: 2, running: 3, shareDue: 0.25 })]),
      }),
    },
  );
  const queue = await views.view(wholeNode);
  expect(queue).toMatchObject({ slots: 8, running: 8, waiting: 7, held: 2, block: '', silentNodes: [] });
  expect(queue.lines).toMatchObject([
    { tenant: 'a', running: 3, waiting: 7, held: 2, shareUsed: 0.625, shareDue: 0.25 },
    { tenant: 'b', running: 5, waiting: 0, shareUsed: 0.375 },
  ]);
  expect((await views.view(wholeNode, 1)).lines).toHaveLength(1);
});

test('nodes that do not answer are named, and nobody waits for them for long', async () => {
  const { views, clock } = clusterOf(
    { here: view(2, []) },
    { n2: () => new Promise(() => {}), n3: () => Promise.reject(new LinkBroken('it is gone')) },
  );
  const asked = views.view(wholeNode);
  await settle();
  await clock.advance(1500);
  expect(await asked).toMatchObject({ slots: 2, silentNodes: ['n2', 'n3'] });
});
