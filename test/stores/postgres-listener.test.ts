/** Hearing what other nodes say, whatever happens to the connection. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/actors/time/system-clock.ts';
import { type Driver, loadDriver } from '../../src/stores/postgres/engine/driver.ts';
import { Listener } from '../../src/stores/postgres/engine/listener.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { tcpProxy } from '../support/tcp-proxy.ts';
import { addressOf } from './postgres-store.ts';

describeWhere([postgres()], 'a listener', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  async function listening(driver: Driver, clock: typeof systemClock | FakeClock = systemClock) {
    const { url, name } = await server.database();
    const proxy = await tcpProxy(server.port);
    onTestFinished(() => proxy.close());
    const address = addressOf(url.replace(`:${server.port}/`, `:${proxy.port}/`));
    const heard: (string | undefined)[] = [];
    const listener = new Listener({
      ...{ address, driver, clock, channel: 'test' },
      heard: (payload) => heard.push(payload),
    });
    onTestFinished(() => listener.close());
    await listener.open();
    const say = (what: string) => server.query(`NOTIFY test, '${what}'`, name);
    return { heard, proxy, say, name };
  }

  test('hears again after its connection was cut, ended by the engine, or swallowed all', async () => {
    const { heard, proxy, say, name } = await listening(await loadDriver());
    expect(heard).toEqual([undefined]);
    await say('one');
    await expect.poll(() => heard).toEqual([undefined, 'one']);
    proxy.cut();
    await expect.poll(() => heard.length).toBe(3);
    await server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
    await expect.poll(() => heard.length).toBe(4);
    proxy.swallow(true);
    proxy.cut();
    proxy.swallow(false);
    await expect.poll(() => heard.length).toBe(5);
    await say('two');
    await expect.poll(() => heard).toEqual([undefined, 'one', undefined, undefined, undefined, 'two']);
  });

  test('makes a connection anew that is lost in the moment in which it answers that it is there', async () => {
    const clock = new FakeClock();
    const { client: make } = await loadDriver();
    const asked: (() => void)[] = [];
    const driver: Driver = {
      client(config) {
        const client = make(config);
        const query = client.query.bind(client) as (text: unknown) => Promise<unknown>;
        // As where the answer and the end of the connection come in one packet.
        client.query = ((text: unknown) => {
          const answer = query(text);
          if (text !== 'SELECT 1') return answer;
          return answer.finally(() => {
            client.emit('error', new Error('terminating connection'));
            for (const each of asked.splice(0)) each();
          });
        }) as typeof client.query;
        return client;
      },
    };
    const { heard, say } = await listening(driver, clock);
    const answered = new Promise<void>((resolve) => asked.push(resolve));
    await clock.advance(2000);
    await answered;
    await expect.poll(async () => clock.advance(250).then(() => heard.length)).toBe(2);
    await say('still');
    await expect.poll(() => heard).toEqual([undefined, undefined, 'still']);
  });
});
