/** A container with a network list whose node is killed, and started again. */
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { pipeline } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { ExecutionMode, ExecutionStatus } from '../../../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind } from '../../../src/server/gen/spearlet/task_pb.js';
import { collect } from '../../server/collect.ts';
import { outputOf } from '../../server/grammar.ts';
import { dockerSocket, makeTestImage, testImage } from '../../support/docker-image.ts';
import { describeWhere, dockerEngine, root } from '../../support/needs.ts';
import { type ChildServer, spawnServer, temporaryDataDir } from '../../support/server.ts';
import { found, leave, nextRun } from './left.ts';
import { containersOf, taskOf, testImageId } from './tasks.ts';

/** Asks what to do until it is told to end; what it is told else is a port to try. */
const program = (port: number) => `
echo begun
while :; do
  if told=$(wget -q -O - http://127.0.0.1:${port}/ 2>/dev/null); then
    [ "$told" != end ] || break
    wget -q -O /dev/null "http://127.0.0.1:$told/" 2>/dev/null && echo "reached $told"
  fi
  sleep 0.05
done
echo ended`;

const portOf = (server: ChildServer) => server.httpAddress.split(':').at(-1) ?? '';

describeWhere([await dockerEngine(), root()], 'a container with a network list', () => {
  it('has its proxy again when its node was killed and is there again', async () => {
    await makeTestImage();
    let told = 'end';
    let asked = 0;
    const teller = createServer((_request, response) => {
      asked += 1;
      response.end(told);
    });
    await new Promise<void>((resolve) => teller.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void teller.close());
    const dataDir = await temporaryDataDir();
    const flags = { allowHostAccess: true, dockerHost: `unix://${dockerSocket}` };
    let server = await spawnServer(dataDir, flags);
    onTestFinished(async () => {
      await server.end('SIGTERM');
      await rm(dataDir, { recursive: true, force: true });
    });
    told = portOf(server);
    await server.tasks.registerTask({
      definition: {
        name: 'asks',
        runtime: RuntimeKind.DOCKER,
        artifact: { source: { case: 'image', value: testImage } },
        args: ['sh', '-c', program((teller.address() as AddressInfo).port)],
        // The node's own ports are refused all the same.
        network: ['127.0.0.1'],
      },
    });
    const { executionId } = await server.functions.invokeFunction({
      task: 'asks',
      executionMode: ExecutionMode.ASYNC,
    });
    for await (const { event } of server.functions.watchExecution({ executionId })) {
      if (event.case === 'refusal') break;
    }
    const before = await server.functions.getExecutionStatus({ executionId });
    await server.end('SIGKILL');

    const askedBefore = asked;
    server = await spawnServer(dataDir, flags);
    told = portOf(server);
    await expect.poll(() => asked).toBeGreaterThan(askedBefore + 1);
    told = 'end';
    const { result } = await server.functions.waitExecution({ executionId });
    expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED });
    expect(result?.instanceId).toBe(before.result?.instanceId);

    const events = await collect(server.functions.watchExecution({ executionId }));
    expect(outputOf(events).toString()).toBe('begun\nended\n');
    const followed = events.findIndex(
      ({ event }) => event.case === 'transition' && event.value.eventType === 'reattached',
    );
    expect(followed).toBeGreaterThan(0);
    const later = events
      .slice(followed)
      .flatMap(({ event }) => (event.case === 'refusal' ? [event.value] : []));
    expect(later.map(({ host, port, rule }) => [host, String(port), rule])).toContainEqual([
      '127.0.0.1',
      portOf(server),
      'node',
    ]);

    const nodeId = readFileSync(`${dataDir}/node-id`, 'utf8').trim();
    await expect.poll(() => containersOf(nodeId)).toEqual([]);
    expect(processesInOtherNetworks()).toEqual([]);
  });

  it('is lost, and removed, where the next run of its node can give it no proxy', async () => {
    const task = {
      ...taskOf(await testImageId(), ['sh', '-c', 'echo begun; sleep 600']),
      network: ['public'],
    };
    const left = await leave(task);
    // An engine that may be on another machine.
    const relay = createTcpServer((client) => {
      pipeline(client, connect(dockerSocket), client, () => {});
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void relay.close());
    const { port } = relay.address() as AddressInfo;
    const runtime = await nextRun(left, { host: `tcp://127.0.0.1:${port}` });
    onTestFinished(() => runtime.close());
    await expect(found(runtime, left)).rejects.toMatchObject({
      code: 'INSTANCE_LOST',
      message: 'the container could not be followed again: this node can give it no proxy any more',
    });
    expect(await containersOf(left.nodeId)).toEqual([]);
  });
});

/** Of this program: helpers that enter a container's network namespace have ended. */
function processesInOtherNetworks(): string[] {
  return readdirSync('/proc')
    .filter((name) => Number(name) > 0)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
        return command.includes('/proc/self/ns/net') && command.includes('createServer') ? [command] : [];
      } catch {
        return [];
      }
    });
}
