/**
 * A long queue of a whole node as people see it: executions that wait behind one value of a concurrency key, the time
 * that `GetQueue` takes, what the page shows of them, and what a call of another tenant waits beside them. Wants h2load
 * and Chromium.
 *
 *     node bench/queue-page.ts [WAITING]
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { connect } from '../src/client/channel.ts';
import {
  ExecutionMode,
  FunctionService,
  InvokeFunctionRequestSchema,
} from '../src/server/gen/spearlet/function_pb.js';
import { NodeService } from '../src/server/gen/spearlet/node_pb.js';
import { TaskService } from '../src/server/gen/spearlet/task_pb.js';
import { launchBrowser } from '../test/support/browser.ts';
import { invokePath, register } from './calls.ts';
import { load } from './h2load.ts';
import { until } from './page-probe.ts';
import { processorTime } from './processor-time.ts';
import { startSpear } from './server.ts';

const waiting = Number(process.argv[2] ?? 1_000_000);

const spear = await startSpear({ SPEAR_SLOTS: '4', SPEAR_QUEUE_LIMIT: '2000000' });
try {
  const connection = connect(spear.grpcAddress, spear.credentials);
  const functions = connection.service(FunctionService);
  await register(connection, 'ticker', 'ticker/ticker.wasm');
  await register(connection, 'noop', 'noop/noop.wasm');
  await connection.service(TaskService).updateTask({
    task: 'ticker',
    definition: { concurrency: [{ key: 'metadata.customer', limit: 1 }] },
    updateMask: { paths: ['concurrency'] },
  });
  const request = {
    ...{ task: 'ticker', args: ['3600', '1000'], executionMode: ExecutionMode.ASYNC },
    metadata: { customer: 'acme' },
  };
  const { executionId: holder } = await functions.invokeFunction(request);
  const message = toBinary(InvokeFunctionRequestSchema, create(InvokeFunctionRequestSchema, request));
  const before = processorTime(spear.pid).all;
  const begun = performance.now();
  await load({ address: spear.grpcAddress, path: invokePath, message, requests: waiting, inFlight: 256 });
  const seconds = (performance.now() - begun) / 1000;
  const us = (processorTime(spear.pid).all - before) / waiting;
  console.log(
    `accepted ${waiting} in ${seconds.toFixed(0)} s: ${(waiting / seconds).toFixed(0)} a second, ${us.toFixed(0)} µs of the node each`,
  );

  const nodes = connection.service(NodeService);
  const asked = performance.now();
  const queue = await nodes.getQueue({});
  const took = performance.now() - asked;
  const [line] = queue.lines;
  const [held] = line?.classes ?? [];
  console.log(`GetQueue in ${took.toFixed(1)} ms: ${queue.waiting} wait, ${queue.held} held`);
  console.log(
    `  ${held?.summary}; ${held?.freedBy} (held by the one that runs: ${held?.heldBy.includes(holder)})`,
  );

  const single = performance.now();
  await functions.invokeFunction({ task: 'noop', functionName: 'noop' });
  console.log(`a call that nothing holds, beside them: ${(performance.now() - single).toFixed(1)} ms`);

  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    const opened = performance.now();
    await page.goto(`http://${spear.httpAddress}/?view=queue`);
    const shown = `${waiting.toLocaleString('en')}`;
    await until(page, `document.body.innerText.replaceAll('\\u202f', ',').includes('acme')`);
    console.log(`the page shows what holds them after ${(performance.now() - opened).toFixed(0)} ms`);
    const text = String(await page.evaluate('document.querySelector("main").innerText'));
    console.log(
      text
        .split('\n')
        .filter((each) => each.includes('acme') || each.includes(shown))
        .slice(0, 6)
        .map((each) => `  ${each}`)
        .join('\n'),
    );
  } finally {
    await browser.close();
  }
  connection.close();
} finally {
  await spear.stop();
}
