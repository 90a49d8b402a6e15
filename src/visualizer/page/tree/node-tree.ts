/** The tree of a node, made of what the page knows of it. Pure. */
import type { ExecutionRow } from '../model/execution-row.ts';
import type { Instance, InstancePool } from '../model/instance.ts';
import type { NodeModel, Supervisor } from '../model/node.ts';
import { countText } from '../model/quantity.ts';
import { isEnded } from '../model/status.ts';
import type { SupervisedBatch } from '../model/supervised-batch.ts';
import type { Task } from '../model/task.ts';
import type { Actor } from './actor.ts';
import { batchBranch } from './batch-branch.ts';

export interface Known {
  readonly node: NodeModel;
  readonly tasks: readonly Task[];
  readonly rows: Iterable<ExecutionRow>;
  readonly instances: readonly Instance[];
  readonly pools: readonly InstancePool[];
  /** Supervised ones that have not ended. */
  readonly batches?: readonly SupervisedBatch[];
  /** Of all tenants: names say whose they are, and links name tasks by their ids. */
  readonly allTenants: boolean;
}

/** A branch shows so many; the rest is one line that leads to the list. */
const maxChildren = 100;
const none = { state: '', facts: [], queueLength: 0, restarts: 0, children: [] } as const;

export function nodeTree(known: Known): Actor {
  const { node } = known;
  const branches: Readonly<Record<string, (known: Known) => readonly Actor[]>> = {
    executions: executionBranch,
    instances: instanceBranch,
    tasks: taskBranch,
  };
  return {
    ...none,
    key: 'node',
    kind: 'node',
    name: node.id,
    state: node.state,
    facts: [`version ${node.version}`, `${countText(node.running)} of ${countText(node.slots)} slots in use`],
    queueLength: node.supervisors.reduce((sum, { queueLength }) => sum + queueLength, 0),
    children: [
      ...node.supervisors.map((each) => supervisor(each, branches[each.name]?.(known) ?? [])),
      ...supervisedBatches(known),
    ],
  };
}

function supervisor(each: Supervisor, children: readonly Actor[]): Actor {
  return {
    key: `supervisor/${each.name}`,
    kind: 'supervisor',
    name: each.name,
    state: each.state,
    facts: [`${countText(each.children)} ${each.children === 1 ? 'child' : 'children'}`],
    queueLength: each.queueLength,
    restarts: each.restarts,
    ...(each.name === 'executions' && { link: { view: 'list', statuses: ['running', 'pending'] } as const }),
    children,
  };
}

function supervisedBatches({ batches = [], rows }: Known): readonly Actor[] {
  if (batches.length === 0) return [];
  const byId = new Map([...rows].map((row) => [row.id, row]));
  const branch = batchBranch(batches, (id) => byId.get(id));
  return branch === undefined ? [] : [branch];
}

function executionBranch({ rows, allTenants }: Known): readonly Actor[] {
  const byTask = new Map<string, ExecutionRow[]>();
  for (const row of rows) {
    if (isEnded(row.status)) continue;
    const own = row.taskName || row.taskId;
    const name = allTenants ? `${row.tenant}/${own}` : own;
    const found = byTask.get(name);
    if (found) found.push(row);
    else byTask.set(name, [row]);
  }
  return [...byTask].sort(byName).map(([name, found]) => {
    // Those that run first, then the others as they queue.
    found.sort(
      (a, b) => Number(a.status === 'pending') - Number(b.status === 'pending') || (a.id < b.id ? -1 : 1),
    );
    const running = found.filter(({ status }) => status === 'running').length;
    const pending = found.length - running;
    const task = allTenants ? (found[0]?.taskId ?? '') : name;
    const link = { view: 'list', task, statuses: ['running', 'pending'] } as const;
    return {
      ...none,
      key: `executions/${name}`,
      kind: 'task executions',
      name,
      facts: [`${countText(running)} running`, `${countText(pending)} pending`],
      queueLength: found.filter(({ state }) => state === 'pending.queued').length,
      restarts: found.reduce((sum, { recoveries }) => sum + recoveries, 0),
      link,
      children: limited(found, execution, `executions/${name}`, link),
    } satisfies Actor;
  });
}

function execution(row: ExecutionRow): Actor {
  return {
    ...none,
    key: `execution/${row.id}`,
    kind: 'execution',
    name: row.id,
    state: row.state,
    status: row.status,
    facts: [
      ...(row.functionName === '' ? [] : [row.functionName]),
      ...(row.attempt > 1 ? [`attempt ${row.attempt}`] : []),
      ...(row.instanceId === '' || row.status !== 'running' ? [] : [`in ${row.instanceId}`]),
    ],
    restarts: row.recoveries,
    link: { execution: row.id },
  };
}

function instanceBranch({ instances, pools, tasks, allTenants }: Known): readonly Actor[] {
  const byTask = new Map<string, Instance[]>();
  for (const pool of pools) byTask.set(pool.taskId, []);
  for (const each of instances) {
    const found = byTask.get(each.taskId);
    if (found) found.push(each);
    else byTask.set(each.taskId, [each]);
  }
  return [...byTask].map(([taskId, found]) => {
    const pool = pools.find((each) => each.taskId === taskId);
    const own = pool?.taskName || found[0]?.taskName || taskId || 'guest hosts';
    const tenant = allTenants ? tasks.find(({ id }) => id === taskId)?.tenant : undefined;
    const name = tenant === undefined ? own : `${tenant}/${own}`;
    return {
      ...none,
      key: `pool/${taskId}`,
      kind: 'pool',
      name,
      facts: poolFacts(pool, found),
      restarts: 0,
      ...(taskId !== '' && { link: { view: 'list', task: allTenants ? taskId : own } as const }),
      children: limited(found, instance, `pool/${taskId}`),
    } satisfies Actor;
  });
}

function poolFacts(pool: InstancePool | undefined, found: readonly Instance[]): readonly string[] {
  const states = ['starting', 'idle', 'busy', 'stopping', 'broken'] as const;
  const counts = states.map((state) => {
    const count = pool?.[state] ?? found.filter((each) => each.state === state).length;
    return count === 0 ? '' : `${countText(count)} ${state}`;
  });
  const warm = pool && [
    `${countText(pool.warmHits)} warm`,
    `${countText(pool.coldStarts)} cold starts`,
    pool.spoiled > 0 ? `${countText(pool.spoiled)} spoiled` : '',
  ];
  return [...counts, ...(warm ?? [])].filter((fact) => fact !== '');
}

function instance(each: Instance): Actor {
  const serves =
    each.executionId === '' ? '' : `${each.state === 'busy' ? 'serves' : 'served'} ${each.executionId}`;
  return {
    ...none,
    key: `instance/${each.id}`,
    kind: 'instance',
    name: each.id,
    state: each.state,
    facts: [
      each.runtime,
      `${countText(each.uses)} ${each.uses === 1 ? 'use' : 'uses'}`,
      serves,
      each.reason,
    ].filter((fact) => fact !== ''),
    ...(each.executionId !== '' && { link: { execution: each.executionId } }),
  };
}

function taskBranch({ tasks, allTenants }: Known): readonly Actor[] {
  return limited(
    tasks,
    (task) => ({
      ...none,
      key: `task/${task.id}`,
      kind: 'task' as const,
      name: allTenants ? `${task.tenant}/${task.name}` : task.name,
      measured: `${task.tenant}/${task.name}`,
      facts: [task.runtime, `revision ${task.revision}`, task.description].filter((fact) => fact !== ''),
      link: { view: 'list' as const, task: allTenants ? task.id : task.name },
    }),
    'tasks',
  );
}

function limited<Item>(
  items: readonly Item[],
  make: (item: Item) => Actor,
  key: string,
  link?: Actor['link'],
): readonly Actor[] {
  const children = items.slice(0, maxChildren).map(make);
  const rest = items.length - children.length;
  if (rest === 0) return children;
  return [
    ...children,
    { ...none, key: `${key}/more`, kind: 'more', name: `${countText(rest)} more`, ...(link && { link }) },
  ];
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
