/** Webhooks of ends, as their receivers and callers see them. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { EndStatus, ExecutionMode, FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { RerunService } from '../../src/server/gen/spearlet/rerun_pb.js';
import { DeliveryState, WebhookService } from '../../src/server/gen/spearlet/webhook_pb.js';
import { type LocalServer, spawnServer, startServer, temporaryDataDir } from '../support/server.ts';
import { type Receiver, signingSecret, startReceiver } from '../support/webhook-receiver.ts';
import { collect } from './collect.ts';
import { refusal } from './refusal.ts';

let server: LocalServer;
let secrets: string;
let receiver: Receiver;

beforeAll(async () => {
  secrets = await secretsFolder();
  server = await startServer({ allowPrivateWebhookHosts: true, secretsDir: secrets });
  await server.register('count', 'wordcount/wordcount.wasm');
  await server.register('trap', 'misbehaving/trap.wasm');
  await server.register('loop', 'misbehaving/loop.wasm');
});

afterAll(async () => {
  await server.stop();
  await rm(secrets, { recursive: true });
});

beforeEach(async () => {
  receiver = await startReceiver();
});

afterEach(() => receiver.close());

async function secretsFolder(): Promise<string> {
  const folder = await temporaryDataDir();
  await mkdir(join(folder, 'default'));
  await writeFile(join(folder, 'default', 'webhook'), `${signingSecret}\n`);
  await writeFile(join(folder, 'default', 'password'), 'hunter2');
  return folder;
}

type Request = Parameters<LocalServer['functions']['invokeFunction']>[0];

const invoke = (request: object, to: Pick<LocalServer, 'functions'> = server) =>
  to.functions.invokeFunction(request as Request);
const webhooks = (of: Pick<LocalServer, 'connection'> = server) => of.connection.service(WebhookService);
const deliveriesOf = async (executionId: string, of = server) =>
  (await webhooks(of).listDeliveries({ executionId })).deliveries;
const told = (count: number) => expect.poll(() => receiver.received.length).toBe(count);

describe('the end of an execution', () => {
  it('is told by a signed CloudEvent with its result', async () => {
    const { executionId, result } = await invoke({
      task: 'count',
      input: Buffer.from('one two'),
      metadata: { order: '7' },
      onEnd: [{ url: receiver.url }],
    });
    expect(result?.webhooks).toBe(1);
    await told(1);
    expect(receiver.faults).toEqual([]);
    const [{ id, event, contentType }] = receiver.received as [Receiver['received'][0]];
    expect(contentType).toMatch(/^application\/cloudevents\+json/);
    expect(event).toMatchObject({
      specversion: '1.0',
      id,
      source: expect.stringMatching(/^urn:spear:node_/),
      type: 'spear.execution.completed',
      subject: executionId,
      datacontenttype: 'application/json',
      data: { executionId, status: 'EXECUTION_STATUS_COMPLETED', metadata: { order: '7' }, exitCode: 0 },
    });
    expect(Buffer.from(String(event.data.output), 'base64').toString()).toMatch(/2/);
    await expect.poll(async () => (await deliveriesOf(executionId))[0]?.state).toBe(DeliveryState.DELIVERED);
    expect(await deliveriesOf(executionId)).toMatchObject([
      {
        deliveryId: id,
        executionId,
        attempts: 1,
        lastStatus: 204,
        endStatus: EndStatus.COMPLETED,
        url: receiver.url,
      },
    ]);
  });

  it('is told to whom it concerns: the task first, then the request, by status', async () => {
    const onEnd = (path: string, ...statuses: EndStatus[]) => ({ url: `${receiver.url}/${path}`, statuses });
    await server.register('told', 'misbehaving/trap.wasm', {
      onEnd: [onEnd('task-failed', EndStatus.FAILED), onEnd('task-completed', EndStatus.COMPLETED)],
    } as Parameters<LocalServer['register']>[2]);
    await invoke({ task: 'told', onEnd: [onEnd('request', EndStatus.FAILED, EndStatus.CANCELLED)] });
    await told(2);
    expect(receiver.received.map(({ path }) => path).sort()).toEqual(['/hook/request', '/hook/task-failed']);
    expect(receiver.received[0]?.event).toMatchObject({
      type: 'spear.execution.failed',
      data: { errorCode: 'ERROR_CODE_TRAP' },
    });
  });

  it.each([
    [
      'cancelled',
      'spear.execution.cancelled',
      async (id: string) => server.functions.cancelExecution({ executionId: id }),
    ],
    ['timed out', 'spear.execution.timed_out', async () => undefined],
  ])('is told of one that is %s', async (how, type, end) => {
    const timeouts = how === 'timed out' ? { total: { seconds: 0n, nanos: 200_000_000 } } : {};
    const { executionId } = await invoke({
      ...{ task: 'loop', executionMode: ExecutionMode.ASYNC, timeouts },
      onEnd: [{ url: receiver.url }],
    });
    await end(executionId);
    await told(1);
    expect(receiver.received[0]?.event.type).toBe(type);
  });

  it('is told of one that is run again: to whom its request named, and to whom its task names now', async () => {
    const register = (path: string) =>
      server.register('again', 'wordcount/wordcount.wasm', {
        onEnd: [{ url: `${receiver.url}/${path}` }],
      } as Parameters<LocalServer['register']>[2]);
    await register('task-then');
    const { executionId } = await invoke({ task: 'again', onEnd: [{ url: `${receiver.url}/request` }] });
    await told(2);
    await register('task-now');
    const rerun = { executionIds: [executionId], revision: 'newest' };
    const again = await collect(server.connection.service(RerunService).rerunExecutions(rerun));
    expect(again.at(-1)).toMatchObject({ started: 1n, completed: 1n });
    await told(4);
    const paths = receiver.received.slice(2).map(({ path }) => path);
    expect(paths.sort()).toEqual(['/hook/request', '/hook/task-now']);
    expect(receiver.received[2]?.event.subject).not.toBe(executionId);
  });

  it('is told of a cached result as of any other', async () => {
    await server.register('kept', 'wordcount/wordcount.wasm', {
      cache: { ttl: { seconds: 60n, nanos: 0 } },
    } as Parameters<LocalServer['register']>[2]);
    await invoke({ task: 'kept', onEnd: [{ url: receiver.url }] });
    const { executionId } = await invoke({ task: 'kept', onEnd: [{ url: receiver.url }] });
    await told(2);
    expect(receiver.received.map(({ event }) => event.subject)).toContain(executionId);
  });

  it('is told although its execution was deleted meanwhile', async () => {
    receiver.answer = (response) => void response.writeHead(500).end();
    const { executionId } = await invoke({ task: 'count', onEnd: [{ url: receiver.url }] });
    await told(1);
    const [delivery] = await deliveriesOf(executionId);
    await server.functions.deleteExecution({ executionId });
    receiver.answer = undefined;
    await expect
      .poll(() => webhooks().getDelivery({ deliveryId: delivery?.deliveryId ?? '' }))
      .toMatchObject({ delivery: { attempts: 1 } });
    await webhooks().redriveDeliveries({ deliveryIds: [delivery?.deliveryId ?? ''] });
    await expect
      .poll(
        async () =>
          (await webhooks().getDelivery({ deliveryId: delivery?.deliveryId ?? '' })).delivery?.attempts,
      )
      .toBe(1);
  });
});

describe('a receiver', () => {
  it('that fails is tried again, with the same id, and a redrive is at once', async () => {
    receiver.answer = (response) => void response.writeHead(500).end('x'.repeat(100));
    const { executionId } = await invoke({ task: 'count', onEnd: [{ url: receiver.url }] });
    await told(1);
    await expect
      .poll(() => deliveriesOf(executionId))
      .toMatchObject([
        {
          state: DeliveryState.PENDING,
          attempts: 1,
          lastStatus: 500,
          lastError: 'it answered with HTTP 500',
        },
      ]);
    receiver.answer = undefined;
    await expect.poll(() => receiver.received.length).toBe(2);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
    await expect
      .poll(() => deliveriesOf(executionId))
      .toMatchObject([{ state: DeliveryState.DELIVERED, attempts: 2 }]);
  });

  it.each([
    ['redirects', 307, { location: 'http://127.0.0.1:1/' }, 'it redirects (HTTP 307), which is not followed'],
    ['answers without an end', 500, {}, 'it answered with HTTP 500'],
  ])('that %s has failed, and nothing else happens', async (_how, code, headers, error) => {
    receiver.answer = (response) => {
      response.writeHead(code, headers);
      if (code === 500) {
        const timer = setInterval(() => void response.write('x'.repeat(4096)), 1);
        response.once('close', () => clearInterval(timer));
      } else response.end();
    };
    const { executionId } = await invoke({ task: 'count', onEnd: [{ url: receiver.url }] });
    await expect.poll(() => deliveriesOf(executionId)).toMatchObject([{ lastError: error }]);
  });

  it('that is gone is told no more, and is listed as dead until it is redriven', async () => {
    receiver.answer = (response) => void response.writeHead(410).end();
    const { executionId } = await invoke({ task: 'trap', onEnd: [{ url: receiver.url }] });
    await expect.poll(() => deliveriesOf(executionId)).toMatchObject([{ state: DeliveryState.DEAD }]);
    const dead = await webhooks().listDeliveries({ states: [DeliveryState.DEAD], task: 'trap' });
    expect(dead.deliveries.map((each) => each.executionId)).toEqual([executionId]);
    receiver.answer = undefined;
    expect(await webhooks().redriveDeliveries({ allDead: true, task: 'trap', dryRun: true })).toMatchObject({
      redriven: 1,
    });
    expect(await webhooks().redriveDeliveries({ allDead: true, task: 'trap' })).toMatchObject({
      redriven: 1,
    });
    await expect.poll(() => deliveriesOf(executionId)).toMatchObject([{ state: DeliveryState.DELIVERED }]);
  });

  it('that asks for peace has it', async () => {
    receiver.answer = (response) => void response.writeHead(429, { 'retry-after': '3600' }).end();
    const { executionId } = await invoke({ task: 'count', onEnd: [{ url: receiver.url }] });
    await expect.poll(async () => (await deliveriesOf(executionId))[0]?.attempts).toBe(1);
    const [delivery] = await deliveriesOf(executionId);
    const waits =
      Number(delivery?.nextAttemptAt?.seconds ?? 0n) - Number(delivery?.lastAttemptAt?.seconds ?? 0n);
    expect(waits).toBeGreaterThanOrEqual(3599);
  });

  it('that hangs holds up no other, and has a few at a time', async () => {
    receiver.answer = () => {};
    const quick = await startReceiver();
    onTestFinished(() => quick.close());
    for (let count = 0; count < 40; count++) await invoke({ task: 'count', onEnd: [{ url: receiver.url }] });
    await invoke({ task: 'count', onEnd: [{ url: quick.url.replace('127.0.0.1', 'localhost') }] });
    await expect.poll(() => quick.received.length).toBe(1);
    expect(receiver.most).toBeLessThanOrEqual(8);
  });
});

describe('a webhook is refused', () => {
  it.each([
    ['at what is no URL', 'nowhere', 'is not a URL'],
    ['with a password', 'https://a:b@example.com/', 'has a user or password'],
    ['over another scheme', 'ftp://example.com/', 'has the scheme ftp'],
    ['where clouds have credentials', 'http://169.254.169.254/', 'not of the public internet'],
  ])('%s', async (_what, url, words) => {
    const refused = await refusal(invoke({ task: 'count', onEnd: [{ url }] }));
    expect(refused).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/^on_end\[0\]\.url: /),
    });
    expect(refused.message).toMatch(new RegExp(`${words}|is not a URL`));
  });

  it('on a private address, also behind a name, and over http, where the node does not allow it', async () => {
    const strict = await startServer({ secretsDir: secrets });
    onTestFinished(() => strict.stop());
    await strict.register('count', 'wordcount/wordcount.wasm');
    for (const url of [receiver.url, 'https://127.0.0.1/', 'https://[::1]/', 'https://10.0.0.1/']) {
      expect(await refusal(invoke({ task: 'count', onEnd: [{ url }] }, strict))).toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
    const { executionId } = await invoke({ task: 'count', onEnd: [{ url: 'https://localhost:1/' }] }, strict);
    await expect
      .poll(() => deliveriesOf(executionId, strict))
      .toMatchObject([
        { attempts: 1, lastError: expect.stringContaining('localhost is not a host of the public internet') },
      ]);
  });

  it('by more than eight', async () => {
    const onEnd = Array.from({ length: 9 }, () => ({ url: receiver.url }));
    expect(await refusal(invoke({ task: 'count', onEnd }))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

it.each([
  ['is not there', 'missing', 'there is no secret missing'],
  ['is something else', 'password', 'the secret password signs no webhooks'],
])('a secret that %s signs nothing, and nothing is sent', async (_how, secret, words) => {
  const { executionId } = await invoke({ task: 'count', onEnd: [{ url: receiver.url, secret }] });
  await expect.poll(async () => (await deliveriesOf(executionId))[0]?.lastError).toContain(words);
  expect(receiver.received).toEqual([]);
  expect(receiver.faults).toEqual([]);
});

it('what was committed and not told when the node was killed is told by the next one, with the same id', async () => {
  const dataDir = await temporaryDataDir();
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const flags = { allowPrivateWebhookHosts: 'true', secretsDir: secrets };
  const first = await spawnServer(dataDir, flags);
  receiver.answer = () => {};
  await first.register('count', 'wordcount/wordcount.wasm');
  const ends: string[] = [];
  for (let count = 0; count < 5; count++) {
    ends.push((await invoke({ task: 'count', onEnd: [{ url: receiver.url }] }, first)).executionId);
  }
  await expect.poll(() => receiver.received.length).toBe(5);
  const ids = receiver.received.map(({ id }) => id).sort();
  await first.end('SIGKILL');
  receiver.answer = undefined;
  receiver.received.length = 0;
  const second = await spawnServer(dataDir, flags);
  await expect.poll(() => receiver.received.length).toBe(5);
  expect(receiver.received.map(({ id }) => id).sort()).toEqual(ids);
  expect(receiver.received.map(({ event }) => event.subject).sort()).toEqual([...ends].sort());
  expect(second.connection.service(FunctionService)).toBeDefined();
  await second.end('SIGTERM');
});

it('what a node no longer allows is not told, although it was allowed when it was named', async () => {
  const dataDir = await temporaryDataDir();
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const first = await spawnServer(dataDir, { allowPrivateWebhookHosts: 'true', secretsDir: secrets });
  receiver.answer = () => {};
  await first.register('count', 'wordcount/wordcount.wasm');
  const { executionId } = await invoke({ task: 'count', onEnd: [{ url: receiver.url }] }, first);
  await told(1);
  await first.end('SIGKILL');
  receiver.received.length = 0;
  const second = await spawnServer(dataDir, { secretsDir: secrets });
  const lastError = async () =>
    (await webhooks(second).listDeliveries({ executionId })).deliveries[0]?.lastError;
  await expect.poll(lastError).toContain('allowed is https');
  expect(receiver.received).toEqual([]);
  await second.end('SIGTERM');
});
