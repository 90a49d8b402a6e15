/** Breakpoints that are set on one node of a cluster hold what runs on any of them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { start } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import type { ChildServer } from '../support/server.ts';
import { clusterOn } from './nodes.ts';

describeWhere([postgres()], 'breakpoints of a cluster', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  const stateOf = async (node: ChildServer, executionId: string) =>
    (await node.functions.getExecutionStatus({ executionId })).result?.state;

  test('hold on every node, let through once wherever it goes on, and are gone on all', async () => {
    const cluster = await clusterOn(server);
    const one = await cluster.add({ slots: '1' });
    const two = await cluster.add({ slots: '1' });
    // A key: what goes on is given to any of the nodes anew.
    await one.register('ticker', 'ticker/ticker.wasm', { concurrency: [{ key: 'task', limit: 2 }] });
    const { breakpoint } = await one.nodes.setBreakpoint({
      breakpoint: { task: 'ticker', before: 'running.attempting' },
    });
    const breakpointId = breakpoint?.breakpointId ?? '';
    const third = await cluster.add({ slots: '1' });
    for (const node of [two, third]) {
      expect((await node.nodes.listBreakpoints({})).breakpoints).toMatchObject([{ breakpointId }]);
    }
    const ids: string[] = [];
    for (let call = 0; call < 6; call++) ids.push(await start(two, { task: 'ticker', args: ['1'] }));
    for (const id of ids) await expect.poll(() => stateOf(one, id)).toBe('pending.held');
    for (const executionId of ids) await third.functions.resumeExecution({ executionId });
    for (const executionId of ids) {
      const { result } = await one.functions.waitExecution({ executionId });
      expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 1 });
    }
    await third.nodes.deleteBreakpoint({ breakpointId });
    for (const node of [one, two]) expect((await node.nodes.listBreakpoints({})).breakpoints).toEqual([]);
    const { result } = await one.functions.invokeFunction({ task: 'ticker', args: ['1'] });
    expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED });
  });

  test('for one hold, or for one execution, end on all nodes with that', async () => {
    const cluster = await clusterOn(server);
    const one = await cluster.add({ slots: '1' });
    const two = await cluster.add({ slots: '1' });
    await one.register('ticker', 'ticker/ticker.wasm');
    await one.nodes.setBreakpoint({
      breakpoint: { task: 'ticker', before: 'running.attempting', once: true },
    });
    const executionId = await start(two, { task: 'ticker', args: ['1'] });
    await expect.poll(() => stateOf(one, executionId)).toBe('pending.held');
    const listed = async (node: ChildServer) => (await node.nodes.listBreakpoints({})).breakpoints.length;
    for (const node of [one, two]) await expect.poll(() => listed(node)).toBe(0);
    await one.nodes.setBreakpoint({ breakpoint: { executionId, before: 'running.backingOff' } });
    expect(await listed(two)).toBe(1);
    await two.functions.resumeExecution({ executionId });
    await one.functions.waitExecution({ executionId });
    for (const node of [one, two]) await expect.poll(() => listed(node)).toBe(0);
  });
});
