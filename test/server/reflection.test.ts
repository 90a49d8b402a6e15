import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import {
  Health,
  HealthCheckResponse_ServingStatus as Serving,
} from '../../src/server/gen/health/v1/health_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';

const buf = fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url));
const execute = promisify(execFile);

let server: LocalServer;

beforeAll(async () => {
  server = await startServer();
  await server.register('count', 'wordcount/wordcount.wasm');
  await server.register('ticker', 'ticker/ticker.wasm');
});

afterAll(() => server.stop());

/** A gRPC client that is not ours and knows no schema but what the server tells it. */
async function curl(path: string, ...options: string[]): Promise<string> {
  const url = `http://${server.grpcAddress}${path}`;
  const flags = ['curl', '--http2-prior-knowledge', '--protocol', 'grpc', ...options, url];
  const { stdout } = await execute(buf, flags, { cwd: '/', timeout: 50_000 });
  return stdout;
}

describe.each(['grpc-v1', 'grpc-v1alpha'])('buf curl over reflection %s', (protocol) => {
  const reflect = ['--reflect-protocol', protocol];

  test('lists the services', async () => {
    const services = (await curl('', ...reflect, '--list-services')).split('\n');
    expect(services).toContain('spearlet.FunctionService');
    expect(services).toContain('spearlet.TaskService');
  });

  test('lists the methods', async () => {
    const methods = await curl('', ...reflect, '--list-methods');
    for (const method of [
      'FunctionService/InvokeFunction',
      'FunctionService/StreamFunction',
      'FunctionService/GetExecutionStatus',
      'FunctionService/WaitExecution',
      'FunctionService/WatchExecution',
      'FunctionService/CancelExecution',
      'FunctionService/ListExecutions',
      'TaskService/RegisterTask',
      'TaskService/GetTask',
      'TaskService/ListTasks',
      'TaskService/DeleteTask',
    ]) {
      expect(methods).toContain(`spearlet.${method}`);
    }
  });

  test('invokes a function', async () => {
    const request = { task: 'count', input: Buffer.from('one two\n').toString('base64') };
    const answer = await curl(
      '/spearlet.FunctionService/InvokeFunction',
      ...reflect,
      '--data',
      JSON.stringify(request),
    );
    expect(JSON.parse(answer)).toMatchObject({
      success: true,
      result: { status: 'EXECUTION_STATUS_COMPLETED', output: Buffer.from('1 2 8\n').toString('base64') },
    });
  });
});

test('buf curl follows a stream to its result', async () => {
  const request = JSON.stringify({ task: 'ticker', args: ['2', '10'] });
  const answer = await curl('/spearlet.FunctionService/StreamFunction', '--data', request);
  const events = answer
    .trim()
    .split(/(?<=^})\n/m)
    .map((text) => JSON.parse(text) as Record<string, unknown>);
  expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => String(index + 1)));
  expect(events.at(-1)).toMatchObject({ isFinal: true, result: { state: 'completed' } });
});

test('buf curl is told what is wrong, with the details of google.rpc', async () => {
  const call = curl('/spearlet.TaskService/GetTask', '--data', '{"task":"nobody"}');
  await expect(call).rejects.toMatchObject({
    stderr: expect.stringMatching(/not_found[\s\S]*google\.rpc\.ErrorInfo/),
  });
});

describe('the health service', () => {
  test('says SERVING for the server and each service, and knows no other', async () => {
    const connection = connect(server.grpcAddress);
    const health = connection.service(Health);
    for (const service of ['', 'spearlet.FunctionService', 'spearlet.TaskService']) {
      expect((await health.check({ service })).status).toBe(Serving.SERVING);
    }
    expect((await refusal(health.check({ service: 'nobody' }))).code).toBe('NOT_FOUND');
    for await (const { status } of health.watch({ service: '' })) {
      expect(status).toBe(Serving.SERVING);
      break;
    }
    connection.close();
  });
});
