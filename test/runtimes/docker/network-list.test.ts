/** Containers with a network list: what they reach by their proxy, and that there is no other way out. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ErrorCode } from '../../../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind } from '../../../src/server/gen/spearlet/task_pb.js';
import { collect } from '../../server/collect.ts';
import { refusal } from '../../server/refusal.ts';
import { dockerSocket, makeTestImage, testImage } from '../../support/docker-image.ts';
import { describeWhere, dockerEngine, root } from '../../support/needs.ts';
import { type LocalServer, startServer } from '../../support/server.ts';

const definition = (program: string, network: string[], more: object = {}) => ({
  name: 'net',
  runtime: RuntimeKind.DOCKER,
  artifact: { source: { case: 'image', value: testImage } } as const,
  args: ['sh', '-c', program],
  network,
  ...more,
});

let served: Server;
let port: number;
let server: LocalServer;

async function run(program: string, network: string[], more: object = {}) {
  await server.tasks.registerTask({ definition: definition(program, network, more) });
  const { result } = await server.functions.invokeFunction({ task: 'net' });
  const events = await collect(server.functions.watchExecution({ executionId: result?.executionId ?? '' }));
  return {
    error: ErrorCode[result?.errorCode ?? 0],
    message: result?.errorMessage,
    output: Buffer.from(result?.output ?? []).toString(),
    refusals: events.flatMap(({ event }) =>
      event.case === 'refusal' ? [`${event.value.host}:${event.value.port} ${event.value.rule}`] : [],
    ),
  };
}

describeWhere([await dockerEngine(), root()], 'a container with a network list', () => {
  beforeAll(async () => {
    await makeTestImage();
    served = createServer((request, response) => {
      if (request.url === '/away') response.statusCode = 302;
      response.setHeader('location', `http://169.254.169.254:${port}/latest`).end(`answered ${request.url}`);
    });
    await new Promise<void>((resolve) => served.listen(0, '127.0.0.1', resolve));
    ({ port } = served.address() as AddressInfo);
    server = await startServer({ dockerHost: `unix://${dockerSocket}`, allowHostAccess: true });
  });
  afterAll(async () => {
    served.close();
    await server.stop();
  });

  it('reaches what its list has, by the proxy that its environment names', async () => {
    const { output, refusals } = await run(
      [
        'echo $HTTP_PROXY $HTTPS_PROXY $http_proxy $https_proxy',
        `wget -q -O - http://127.0.0.1:${port}/by-http; echo`,
        `(printf 'CONNECT 127.0.0.1:${port} HTTP/1.1\\r\\n\\r\\nGET /by-tunnel HTTP/1.0\\r\\n\\r\\n'; sleep 1) | nc 127.0.0.1 3128 | tail -n 1; echo`,
        'ls /sys/class/net',
      ].join('\n'),
      [`127.0.0.1:${port}`],
    );
    const proxy = 'http://127.0.0.1:3128';
    expect(output.split('\n')).toEqual([
      [proxy, proxy, proxy, proxy].join(' '),
      'answered /by-http',
      'answered /by-tunnel',
      'lo',
      '',
    ]);
    expect(refusals).toEqual([]);
  });

  it('is refused everything else, and each refusal is told', async () => {
    const own = server.grpcAddress.split(':').at(-1);
    const machine = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
    const places = [
      '127.0.0.1',
      '[::ffff:127.0.0.1]',
      '2130706433',
      ...(machine === undefined ? [] : [machine]),
    ];
    const attempts = places.map((place) => `http://${place}:${own}/`);
    const { output, refusals } = await run(
      [
        ...[...attempts, `http://127.0.0.1:${port}/`, 'http://else.example/'].map(
          (url) => `wget -q -O - ${url} 2>&1 | cut -d' ' -f1-5`,
        ),
        // Past the proxy there is nothing.
        `unset http_proxy HTTP_PROXY; wget -q -O - http://127.0.0.1:${port}/ 2>&1 | cut -d' ' -f1-5`,
        'nslookup else.example 8.8.8.8 >/dev/null 2>&1 || echo no name server',
      ].join('\n'),
      ['public'],
    );
    const denied = 'wget: server returned error: HTTP/1.1';
    expect(output.split('\n')).toEqual([
      ...places.map(() => denied),
      denied,
      expect.stringMatching(/^wget: server returned error: HTTP\/1.1/),
      "wget: can't connect to remote",
      'no name server',
      '',
    ]);
    expect(refusals.filter((each) => each.endsWith(' node'))).toHaveLength(places.length);
    expect(refusals).toContain(`127.0.0.1:${port} loopback`);
  });

  it('meets its list again at each redirect that it follows', async () => {
    const { refusals, output } = await run(
      `wget -q -O - http://127.0.0.1:${port}/away 2>&1 | cut -d' ' -f1-5`,
      [`127.0.0.1:${port}`],
    );
    expect(output).toBe('wget: server returned error: HTTP/1.1\n');
    expect(refusals).toEqual([`169.254.169.254:${port} metadata`]);
  });

  it('has told refusals of before its input, where it was started ahead', async () => {
    const program = `wget -q -O /dev/null http://10.0.0.1/ 2>/dev/null; read -r line; echo "$line"`;
    await server.tasks.registerTask({
      definition: definition(program, ['public'], { name: 'ahead', warm: { startAhead: true, min: 1 } }),
    });
    const ready = async () => {
      const { instances } = await server.instances.listInstances({});
      return instances.filter(({ taskName, state }) => taskName === 'ahead' && state === 2).length;
    };
    await expect.poll(ready).toBe(1);
    const { result } = await server.functions.invokeFunction({ task: 'ahead', input: Buffer.from('x\n') });
    expect(Buffer.from(result?.output ?? []).toString()).toBe('x\n');
    const events = await collect(server.functions.watchExecution({ executionId: result?.executionId ?? '' }));
    expect(events.map(({ event }) => event.case)).toContain('refusal');
    await server.tasks.deleteTask({ task: 'ahead' });
  });

  it('that has ended before it could have one runs to its end', async () => {
    expect(await run('true', ['public'])).toMatchObject({ error: 'UNSPECIFIED' });
    expect(await run('exit 3', ['public'])).toMatchObject({ error: 'FUNCTION_EXIT' });
  });

  it('is in no network of the engine beside', async () => {
    const refused = await refusal(
      server.tasks.registerTask({
        definition: definition('true', ['public'], { container: { network: 'bridge' } }),
      }),
    );
    expect(Object.keys(refused.fields)).toEqual(['definition.network']);
  });
});
