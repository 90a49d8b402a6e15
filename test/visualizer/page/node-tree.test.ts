import { describe, expect, it } from 'vitest';
import { rowOf } from '../../../src/visualizer/page/model/execution-row.ts';
import type { NodeModel } from '../../../src/visualizer/page/model/node.ts';
import { type Actor, linesOf } from '../../../src/visualizer/page/tree/actor.ts';
import { nodeTree } from '../../../src/visualizer/page/tree/node-tree.ts';
import { ended, execution, running } from './made-executions.ts';

const node: NodeModel = {
  id: 'node_1',
  version: '1',
  state: 'serving',
  startedAt: 0,
  slots: 4,
  running: 1,
  pending: 2,
  queueLimit: 100,
  counts: { pending: 2, running: 1, completed: 0, failed: 0, timedOut: 0, cancelled: 0 },
  supervisors: ['executions', 'instances', 'tasks'].map((name) => ({
    name,
    state: 'serving',
    children: 3,
    queueLength: name === 'executions' ? 2 : 0,
    restarts: 0,
  })),
  position: '1',
  storeFault: '',
  grpcAddress: '127.0.0.1:50051',
  hostAccess: true,
  traceUrl: '',
  time: 0,
};
const one = (seed: number) => ({ ...execution(seed * 1000, seed), taskName: 'resize', taskId: 'task_1' });

function tree(count: number): Actor {
  const rows = [
    rowOf(running(one(1), 10)),
    rowOf(ended(running(one(2), 10), 20, 2)),
    ...Array.from({ length: count }, (_, index) => rowOf(one(index + 3))),
  ];
  return nodeTree({ node, tasks: [], rows, instances: [], pools: [], allTenants: false });
}

describe('the tree of a node', () => {
  it('has the supervisors, and what has not ended under the one of executions', () => {
    const [executions] = tree(2).children;
    expect(executions).toMatchObject({ name: 'executions', queueLength: 2 });
    const [task] = executions?.children ?? [];
    expect(task).toMatchObject({ name: 'resize', facts: ['1 running', '2 pending'], queueLength: 2 });
    expect(task?.children.map(({ state }) => state)).toEqual([
      'running.attempting',
      'pending.queued',
      'pending.queued',
    ]);
  });

  it('says of all tenants whose a task is, and leads to the one of that tenant', () => {
    const rows = [rowOf(one(1)), rowOf({ ...one(2), tenant: 'shop', taskId: 'task_2' })];
    const [executions] = nodeTree({
      node,
      tasks: [],
      rows,
      instances: [],
      pools: [],
      allTenants: true,
    }).children;
    expect(executions?.children).toMatchObject([
      { name: 'default/resize', link: { task: 'task_1' } },
      { name: 'shop/resize', link: { task: 'task_2' } },
    ]);
  });

  it('stays readable with thousands: the rest is a line that leads to the list', () => {
    const task = tree(5000).children[0]?.children[0];
    expect(task?.children).toHaveLength(101);
    expect(task?.children.at(-1)).toMatchObject({
      kind: 'more',
      name: '4,901 more',
      link: { task: 'resize' },
    });
  });

  it('leads from every execution to that execution', () => {
    const leaf = tree(0).children[0]?.children[0]?.children[0];
    expect(leaf?.link).toEqual({ execution: leaf?.name });
  });

  it('is drawn as far as it is unfolded, each line with its place among its siblings', () => {
    const lines = linesOf(tree(1), (_, level) => level < 2);
    expect(lines.map(({ actor, level, place, siblings }) => [actor.name, level, place, siblings])).toEqual([
      ['node_1', 1, 1, 1],
      ['executions', 2, 1, 3],
      ['instances', 2, 2, 3],
      ['tasks', 2, 3, 3],
    ]);
  });

  it('has supervised batches with their members in order, each with its restarts and its execution of now', () => {
    const row = rowOf(running(one(1), 10));
    const member = { status: 'running', restart: 'permanent', taskName: 'echo' } as const;
    const batches = [
      {
        ...{ id: 'batch_1', phase: 'restarting', strategy: 'one for all', restarts: 4 },
        ...{ recentRestarts: 2, intensity: 3, within: '60s', endMessage: '' },
        members: [
          { ...member, name: 'db', executionId: row.id, restarts: 4 },
          { ...member, name: '#1', executionId: 'exec_2', restarts: 0, status: undefined },
        ],
      },
    ];
    const root = nodeTree({
      node,
      tasks: [],
      rows: [row],
      instances: [],
      pools: [],
      batches,
      allTenants: false,
    });
    expect(root.children.at(-1)).toMatchObject({
      ...{ name: 'batches', kind: 'supervisor', facts: ['1 supervised'], restarts: 4 },
      children: [
        {
          ...{ name: 'batch_1', kind: 'supervised batch', state: 'restarting', restarts: 4 },
          facts: ['one for all', '2 of 3 restarts within 60s'],
          children: [
            {
              ...{ name: 'db', state: 'running.attempting', restarts: 4, link: { execution: row.id } },
              facts: ['permanent', row.id],
            },
            { name: '#1', state: '', restarts: 0 },
          ],
        },
      ],
    });
  });
});
