/** Several addresses: what one node cannot answer, another one does. */
import { expect, onTestFinished, test } from 'vitest';
import { type Connection, connect as connectChannel } from '../../src/client/channel.ts';
import { connect, SpearError } from '../../src/client/main.ts';
import { connectToAny } from '../../src/client/several.ts';
import { FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { collect } from '../server/collect.ts';
import { refusal } from '../server/refusal.ts';
import { type LocalServer, startServer } from '../support/server.ts';
import { deadAddress } from './dead-address.ts';

async function node(): Promise<LocalServer> {
  const server = await startServer();
  onTestFinished(() => server.stop());
  await server.register('ticker', 'ticker/ticker.wasm');
  return server;
}

test('a call goes to the node that is there, whichever is named first', async () => {
  const [dead, alive] = [await deadAddress(), await node()];
  for (const address of [[dead, alive.grpcAddress], `${alive.grpcAddress}, ${dead}`]) {
    using spear = connect({ address });
    expect((await spear.invoke('ticker', { args: ['2'] })).text()).toBe('tick 1\ntick 2\n');
    const { id } = await spear.start('ticker', { args: ['1'] });
    expect(await spear.execution(id).result()).toMatchObject({ status: 'COMPLETED' });
    expect(await collect(spear.execution(id).events())).not.toHaveLength(0);
  }
});

test('where none is there the error names all of them', async () => {
  const addresses = [await deadAddress(), await deadAddress()];
  using spear = connect({ address: addresses, retryMs: 0 });
  const failure = await spear.tasks
    .list()
    .next()
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(SpearError);
  expect((failure as SpearError).message).toContain(`cannot reach the server at ${addresses.join(', ')}`);
});

test('a node that stops takes nothing, and the next one does', async () => {
  const [one, two] = [await node(), await node()];
  const connections: Connection[] = [one, two].map(({ grpcAddress }) => connectChannel(grpcAddress));
  const any = connectToAny(connections);
  onTestFinished(() => any.close());
  const functions = any.service(FunctionService);
  expect(await functions.invokeFunction({ task: 'ticker', args: ['1'] })).toMatchObject({ success: true });
  one.node.supervisor.stopAccepting();
  const { executionId } = await functions.invokeFunction({ task: 'ticker', args: ['1'] });
  expect(await two.functions.getExecutionStatus({ executionId })).toMatchObject({
    result: { isCompleted: true },
  });
  // What a node refuses for its own reasons is not asked of another.
  expect(await refusal(functions.invokeFunction({ task: 'nobody' }))).toMatchObject({
    code: 'NOT_FOUND',
  });
  await one.stop();
  expect(await collect(functions.streamFunction({ task: 'ticker', args: ['1'] }))).not.toHaveLength(0);
});
