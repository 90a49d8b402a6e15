/**
 * What one who asks is told must not depend on what is out of their scope. Two real nodes are asked the same, all
 * methods and routes: one where others have done much, and one where nobody else has done anything.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import { methodRoles, pathRoles } from '../../src/domain/method-roles.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { BatchService } from '../../src/server/gen/spearlet/batch_pb.js';
import { ClusterService } from '../../src/server/gen/spearlet/cluster_pb.js';
import { ExecutionMode, FunctionService, Priority } from '../../src/server/gen/spearlet/function_pb.js';
import { InstanceService } from '../../src/server/gen/spearlet/instance_pb.js';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import { QuotaService } from '../../src/server/gen/spearlet/quota_pb.js';
import { RerunService } from '../../src/server/gen/spearlet/rerun_pb.js';
import { RevisionService } from '../../src/server/gen/spearlet/revision_pb.js';
import { ScheduleService } from '../../src/server/gen/spearlet/schedule_pb.js';
import { SnapshotService } from '../../src/server/gen/spearlet/snapshot_pb.js';
import { RuntimeKind, TaskService } from '../../src/server/gen/spearlet/task_pb.js';
import { WebhookService } from '../../src/server/gen/spearlet/webhook_pb.js';
import { adminTokenFile } from '../../src/stores/token-file.ts';
import { example, type LocalServer, startServer } from '../support/server.ts';
import { Onlooker } from './onlooker.ts';
import { messages } from './snapshots.ts';

const [functions, tasks, nodes] = [FunctionService.method, TaskService.method, NodeService.method];
const schedules = ScheduleService.method;
const cluster = ClusterService.method;
const [snapshots, access] = [SnapshotService.method, AccessService.method];
const revisions = RevisionService.method;
const deliveries = WebhookService.method;
const batches = BatchService.method;
const async = { executionMode: ExecutionMode.ASYNC } as const;
const later = { ...async, startAfter: { seconds: 3600n } } as const;
const yearly = { case: 'cron', value: '@yearly' } as const;
const input = Buffer.from('one two\n');

/** Whose ids and names the one who asks tries, and what happens meanwhile. */
interface Others {
  readonly executions: readonly string[];
  readonly tasks: readonly string[];
  readonly breakpoints: readonly string[];
  readonly batches: readonly string[];
  /** In the middle of it all. */
  act(): Promise<void>;
}

async function tokenFor(
  server: LocalServer,
  name: string,
  tenant: string,
  globs: string[] = [],
): Promise<string> {
  const token = { token: readFileSync(join(server.dataDir, adminTokenFile), 'utf8').trim() };
  const connection = connect(server.grpcAddress, { ...token, tenant });
  onTestFinished(() => connection.close());
  const role = Role.OPERATE;
  return (await connection.service(AccessService).createToken({ name, role, tasks: globs })).secret;
}

async function started(): Promise<LocalServer> {
  const server = await startServer({ slots: '8', anonymousRole: 'none', allowHostAccess: 'true' });
  onTestFinished(() => server.stop());
  return server;
}

/** Tasks of the given names, each with what an execution can be, and whatever else leaves a trace. */
async function busyOthers(server: LocalServer, tenant: string, names: readonly string[]): Promise<Others> {
  const token = await tokenFor(server, `of-${tenant}`, tenant);
  const connection = connect(server.grpcAddress, { token });
  onTestFinished(() => connection.close());
  const [call, register] = [connection.service(FunctionService), connection.service(TaskService)];
  const breakpoints: string[] = [];
  const executions: string[] = [];
  const made: string[] = [];
  const content = await example('wordcount/wordcount.wasm');
  const loop = await example('misbehaving/loop.wasm');
  for (const name of names) {
    const source = { case: 'content', value: name.includes('loop') ? loop : content } as const;
    const definition = { name, runtime: RuntimeKind.WASM, artifact: { source }, labels: { team: 'x' } };
    const { task } = await register.registerTask({ definition });
    made.push(task?.taskId ?? '', name);
    const breakpoint = { task: name, before: 'running.attempting' };
    const set = await connection.service(NodeService).setBreakpoint({ breakpoint });
    breakpoints.push(set.breakpoint?.breakpointId ?? '');
    const held = await call.invokeFunction({ task: name, ...async });
    await connection.service(NodeService).deleteBreakpoint({ breakpointId: breakpoints.at(-1) ?? '' });
    await connection
      .service(NodeService)
      .setBreakpoint({ breakpoint: { task: name, before: 'running.backingOff' } });
    const waiting = await call.invokeFunction({
      task: name,
      ...later,
      invocationId: `key of ${tenant}${name === names[0] ? '' : ` ${name}`}`,
    });
    const ended = await call.invokeFunction({
      task: name,
      input,
      onEnd: [{ url: 'https://nowhere.invalid/hook' }],
      executionMode: name.includes('loop') ? ExecutionMode.ASYNC : ExecutionMode.SYNC,
    });
    const schedule = { name: `${name}-often`, invocation: { task: name }, when: yearly };
    await connection.service(ScheduleService).createSchedule({ definition: schedule });
    executions.push(held.executionId, waiting.executionId, ended.executionId);
  }
  const { batch } = await connection.service(BatchService).invokeBatch({
    members: names
      .slice(0, 1)
      .map((task) => ({ name: 'first', invocation: { task, startAfter: later.startAfter } })),
  });
  return {
    ...{ executions, tasks: made, breakpoints, batches: [batch?.batchId ?? ''] },
    async act() {
      const [name = ''] = names;
      const done = await call.invokeFunction({ task: name, input });
      await call.deleteExecution({ executionId: done.executionId });
      await call.cancelExecution({ executionId: executions[1] ?? '' });
      await register.registerTask({
        definition: {
          name: `${names[0]}-2`,
          runtime: RuntimeKind.WASM,
          artifact: { source: { case: 'content', value: content } },
        },
      });
      await call.invokeFunction({ task: `${names[0]}-2`, input });
    },
  };
}

/** Resolves when a status has counted all that is listed: where counting takes long, it tells what it was a while ago. */
async function counted({ connection }: Onlooker): Promise<void> {
  const listed = async () => {
    const { executions } = await connection.service(FunctionService).listExecutions({ pageSize: 1000 });
    const { tasks } = await connection.service(TaskService).listTasks({ pageSize: 1000 });
    return [executions.length, tasks.length];
  };
  const inStatus = async () => {
    const { node } = await connection.service(NodeService).getNode({});
    const sum = (node?.counts ?? []).reduce((all, { count }) => all + Number(count), 0);
    return [sum, Number(node?.supervisors.find(({ name }) => name === 'tasks')?.children)];
  };
  const expected = await listed();
  await expect.poll(inStatus).toEqual(expected);
}

/** Everything that can be asked, of one's own and of what others have. */
async function ask(server: LocalServer, token: string, others: Others, key: string): Promise<Onlooker> {
  const one = new Onlooker(server, token);
  const call = one.connection.service(FunctionService);
  const events = await one.events();
  const sessions = await one.inspect();
  await one.ask(nodes.getNode, {});
  const content = await example('wordcount/wordcount.wasm');
  const definition = (name: string) => ({
    ...{ name, runtime: RuntimeKind.WASM, labels: { team: 'x' } },
    artifact: { source: { case: 'content' as const, value: content } },
  });
  await one.ask(functions.invokeFunction, { task: 'b-count' });
  await one.ask(tasks.registerTask, { definition: definition('b-count'), ifAbsent: true });
  await one.ask(tasks.registerTaskWithProgress, { definition: definition('b-other') });
  await others.act();
  await one.ask(functions.invokeFunction, { task: 'b-count', input, invocationId: key });
  await one.ask(functions.invokeFunction, { task: 'b-count', input, invocationId: key });
  await one.ask(functions.invokeFunction, { task: 'b-count', invocationId: key });
  await one.ask(functions.streamFunction, { task: 'b-other', input });
  const waiting = (await call.invokeFunction({ task: 'b-count', ...later })).executionId;
  const ended = (await call.invokeFunction({ task: 'b-other', input })).executionId;
  const breakpoint = { task: 'b-count', before: 'running.attempting', once: true };
  await one.ask(nodes.setBreakpoint, { breakpoint });
  const held = (await call.invokeFunction({ task: 'b-count', ...async })).executionId;
  await expect
    .poll(async () => (await call.getExecutionStatus({ executionId: held })).result?.state)
    .toBe('pending.held');
  for (const executionId of [ended, held, waiting, ...others.executions, 'exec_none']) {
    await one.ask(functions.getExecutionStatus, { executionId, includeOutput: true });
    if (executionId !== held && executionId !== waiting) {
      await one.ask(functions.waitExecution, { executionId, waitBudget: { seconds: 1n } });
      await one.ask(functions.watchExecution, { executionId });
    }
    await one.ask(nodes.explainExecution, { executionId });
    await one.ask(nodes.getInvocation, { executionId, includeEnvironment: true });
    await one.ask(nodes.setBreakpoint, { breakpoint: { executionId, before: 'running.attempting' } });
    await one.ask(functions.suspendExecution, { executionId });
    // It would run, and end when it ends.
    if (executionId !== held) await one.ask(functions.resumeExecution, { executionId });
    await one.ask(functions.cancelExecution, { executionId });
    await one.get('status', `/status/${executionId}`);
    await one.get('history', `/api/history/${executionId}`);
    await one.get('snapshots', `/api/snapshots/${executionId}`);
    await one.get('caller', '/api/caller');
    await one.get('tasks', '/tasks/nothing-here', {});
    await one.get('metrics', '/metrics');
    await one.get('tickets', '/api/tickets', { path: `/api/history/${executionId}` });
  }
  for (const executionId of others.executions) {
    await one.ask(snapshots.snapshotExecution, { executionId, detach: true });
    await one.ask(RerunService.method.rerunExecutions, { executionIds: [executionId], rerunId: 'one' });
    await one.ask(functions.deleteExecution, { executionId });
    const followed = await one.events(`?execution=${executionId}`);
    const { data } = await followed.until(({ name }) => name === 'fault');
    one.note(`events of ${executionId}`, data);
    followed.close();
  }
  for (const task of [
    'b-count',
    'b-coun',
    ...others.tasks,
    ...others.tasks.map((name) => name.slice(0, -1)),
    'none',
  ]) {
    await one.ask(tasks.getTask, { task });
    await one.ask(tasks.resetTask, { task });
    const updateMask = { paths: ['priority'] };
    await one.ask(tasks.updateTask, { task, definition: { priority: Priority.HIGH }, updateMask });
    await one.ask(functions.invokeFunction, { task, input, invocationId: `of ${task}` });
    for (const at of ['@1', '@live', '@2']) {
      await one.ask(functions.invokeFunction, {
        task: `${task}${at}`,
        input,
        invocationId: `of ${task}${at}`,
      });
      await one.ask(tasks.getTask, { task: `${task}${at}` });
    }
    const filter = { task };
    await one.ask(RerunService.method.rerunExecutions, { filter, rerunId: 'some', dryRun: true });
    await one.ask(revisions.listRevisions, { task });
    await one.ask(revisions.compareRevisions, { task });
    await one.ask(revisions.setAlias, { task, alias: 'old', shares: [{ revision: 1, percent: 100 }] });
    await one.ask(revisions.rollbackAlias, { task });
    await one.ask(revisions.rollbackAlias, { task, revision: 1 });
    await one.ask(revisions.deleteRevision, { task, revision: 1 });
    for (const alias of ['live', 'old']) await one.ask(revisions.deleteAlias, { task, alias });
    await one.ask(functions.listExecutions, { task });
    await one.ask(InstanceService.method.listInstances, { task });
    await one.ask(nodes.setBreakpoint, { breakpoint: { task, before: 'running.backingOff' } });
  }
  await askOfSchedules(one, others);
  await one.ask(InstanceService.method.listInstances, {});
  await one.ask(deliveries.listDeliveries, {});
  for (const executionId of others.executions) {
    const deliveryId = `msg_${executionId.slice('exec_'.length)}_0`;
    await one.ask(deliveries.listDeliveries, { executionId });
    await one.ask(deliveries.getDelivery, { deliveryId });
    await one.ask(deliveries.redriveDeliveries, { deliveryIds: [deliveryId] });
  }
  await one.ask(deliveries.redriveDeliveries, { allDead: true });
  await one.ask(nodes.listBreakpoints, {});
  for (const breakpointId of others.breakpoints) await one.ask(nodes.deleteBreakpoint, { breakpointId });
  await one.ask(tasks.listTasks, {});
  await one.ask(tasks.listTasks, { labels: { team: 'x' }, pageSize: 1 });
  await one.ask(functions.listExecutions, {});
  await one.ask(functions.listExecutions, { labels: { team: 'x' }, pageSize: 2 });
  await one.ask(functions.listExecutions, { statuses: [1, 2] });
  await one.ask(functions.listExecutions, { allTenants: true });
  for (const batchId of others.batches) {
    await one.ask(batches.getBatch, { batchId });
    await one.ask(batches.listBatchMembers, { batchId });
    await one.ask(batches.groupBatchMembers, { batchId });
    await one.ask(batches.waitBatch, { batchId });
    await one.ask(batches.watchBatch, { batchId });
    await one.ask(batches.cancelBatch, { batchId });
    await one.ask(functions.listExecutions, { batchId });
  }
  const [foreign = ''] = others.executions;
  const follows = { task: 'b-count', input, dependsOn: [{ executionId: foreign }] };
  await one.ask(functions.invokeFunction, follows);
  await one.ask(batches.invokeBatch, { members: [{ invocation: follows }] });
  await one.ask(batches.invokeBatchFromStream, async function* () {
    yield { options: {}, members: [{ invocation: { task: others.tasks[0] ?? '' } }] };
  } as never);
  await one.ask(batches.listBatches, {});
  await counted(one);
  await one.ask(nodes.getNode, { allTenants: true });
  await one.ask(nodes.getQueue, {});
  await one.ask(nodes.getQueue, { allTenants: true });
  // Steps that are over depend on when it is asked: test/observers/activity.test.ts has what is in them.
  await one.ask(nodes.getActivity, { fromStep: 1n << 50n });
  await one.ask(nodes.getActivity, { fromStep: 1n << 50n, allTenants: true });
  await one.ask(nodes.watchNode, { allTenants: true }, 1);
  await one.ask(nodes.watchNode, {}, 1);
  await one.ask(nodes.describeMachines, {});
  await one.ask(nodes.setLogging, {});
  await one.ask(cluster.listNodes, {});
  await one.ask(cluster.watchCluster, {}, 1);
  for (const method of [cluster.cordonNode, cluster.uncordonNode, cluster.drainNode])
    await one.ask(method, {});
  await one.get('api', '/api/NodeService/GetNode', {});
  const document = await one.snapshot(ended);
  await one.ask(functions.deleteExecution, { executionId: ended });
  await one.ask(snapshots.restoreExecution, (() => messages({}, document)) as never);
  for (const task of ['b-other', ...others.tasks.filter((name) => !name.startsWith('b-'))])
    await one.ask(tasks.deleteTask, { task, cancelExecutions: true });
  for (const method of [...Object.values(access), ...Object.values(QuotaService.method)])
    await one.ask(method, {});
  await counted(one);
  await one.ask(nodes.getNode, {});
  const last = (await call.invokeFunction({ task: 'b-count', input })).executionId;
  const tells = ({ data }: { readonly data: unknown }) => JSON.stringify(data).includes(last);
  await events.until(tells);
  await expect.poll(() => sessions.has(last)).toBe(true);
  one.heard(events.text);
  return one;
}

/** One's own schedule, those of others by their names, and one of none. */
async function askOfSchedules(one: Onlooker, others: Others): Promise<void> {
  const definition = (name: string, task: string) => ({ name, invocation: { task }, when: yearly });
  await one.ask(schedules.createSchedule, { definition: definition('b-mine', 'b-count') });
  for (const task of others.tasks.filter((name) => !name.startsWith('b-'))) {
    await one.ask(schedules.createSchedule, { definition: definition('b-not-mine', task) });
  }
  const [from, to] = [{ seconds: 1n }, { seconds: 2n }];
  const named = others.tasks.filter((name) => !name.startsWith('task_')).map((name) => `${name}-often`);
  for (const name of ['b-mine', ...named, 'none']) {
    await one.ask(schedules.getSchedule, { name });
    await one.ask(schedules.pauseSchedule, { name });
    await one.ask(schedules.resumeSchedule, { name });
    await one.ask(schedules.updateSchedule, { definition: definition(name, 'b-count') });
    await one.ask(schedules.backfillSchedule, { name, from, to });
    await one.ask(schedules.listUpcomingFirings, { name });
    await one.ask(schedules.listFirings, { name });
    if (name !== 'b-mine') await one.ask(schedules.triggerSchedule, { name });
    await one.ask(functions.listExecutions, { schedule: name });
  }
  await one.ask(schedules.listSchedules, {});
  for (const name of [...named, 'b-mine']) await one.ask(schedules.deleteSchedule, { name });
}

test.for([
  { who: 'another tenant', tenant: 'a', names: ['b-count', 'b-other', 'a-loop'], globs: [], key: 'key of a' },
  {
    who: 'tasks that a token does not see',
    tenant: 'b',
    names: ['a-count', 'ab-count', 'a-loop'],
    globs: ['b-*'],
    key: 'own',
  },
])('no answer depends on $who', { timeout: 120_000 }, async ({ tenant, names, globs, key }) => {
  const [busy, quiet] = [await started(), await started()];
  const others = await busyOthers(busy, tenant, names);
  const nobody: Others = { ...others, act: async () => {} };
  const told = await ask(busy, await tokenFor(busy, 'one', 'b', globs), others, key);
  const expected = await ask(quiet, await tokenFor(quiet, 'one', 'b', globs), nobody, key);
  expect(told.answers).toEqual(expected.answers);
  // The streams: they may differ in what they tell when, and never name what is not in scope.
  const tried = told.answers.map(({ asked }) => asked).join();
  expect(tried).toContain('exec_');
  expect(busy.bugs).toEqual([]);
  const streams = told.streams();
  for (const id of [...others.executions, ...others.tasks.filter((task) => task.startsWith('task_'))]) {
    expect(streams).not.toContain(id);
  }
  const methods = Object.keys(methodRoles);
  expect([...methods, ...Object.keys(pathRoles)].filter((each) => !told.asked.has(each))).toEqual([]);
});

test('every service of a node is among those that are asked', () => {
  const known = new Set(Object.keys(methodRoles).map((method) => method.split('/')[0]));
  const services = [
    FunctionService,
    TaskService,
    InstanceService,
    NodeService,
    RerunService,
    RevisionService,
    SnapshotService,
    AccessService,
    QuotaService,
    WebhookService,
    BatchService,
    ScheduleService,
    ClusterService,
  ];
  expect([...known].sort()).toEqual(services.map(({ name }) => name).sort());
});
