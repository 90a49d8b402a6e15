/** What one tenant has had fetched into an engine is not there for another, unless that can fetch it, too. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { PullPolicy, RuntimeKind, TaskService } from '../../src/server/gen/spearlet/task_pb.js';
import { TestRegistry } from '../runtimes/docker/registry.ts';
import { docker } from '../runtimes/docker/tasks.ts';
import { dockerSocket, makeTestImage, testImage } from '../support/docker-image.ts';
import { describeWhere, dockerEngine } from '../support/needs.ts';
import { adminToken, type LocalServer, startServer, temporaryDataDir } from '../support/server.ts';
import { refusal } from './refusal.ts';

let registry: TestRegistry;
let dataDir: string;
let server: LocalServer;

const start = () =>
  startServer({
    dataDir,
    allowHostAccess: true,
    anonymousRole: 'none',
    dockerHost: `unix://${dockerSocket}`,
    imageRegistry: registry.reference('').slice(0, -1),
  });

/** Registers as a developer of a tenant. */
async function registrar(tenant: string) {
  const admin = connect(server.grpcAddress, { token: adminToken(dataDir), tenant });
  onTestFinished(() => admin.close());
  const name = `of-${tenant}-${Math.random()}`;
  const { secret } = await admin.service(AccessService).createToken({ name, role: Role.DEVELOP });
  const connection = connect(server.grpcAddress, { token: secret });
  onTestFinished(() => connection.close());
  return (image: string, pull = PullPolicy.MISSING) =>
    connection.service(TaskService).registerTask({
      definition: {
        name: 'image',
        runtime: RuntimeKind.DOCKER,
        artifact: { source: { case: 'image', value: image } },
        args: ['true'],
        container: { pull },
      },
    });
}

describeWhere([await dockerEngine()], 'an image of an engine that tenants share', () => {
  beforeAll(async () => {
    await makeTestImage();
    [registry, dataDir] = await Promise.all([TestRegistry.open(), temporaryDataDir()]);
    server = await start();
  });

  afterAll(async () => {
    await server.stop();
    await registry[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  });

  test('that one tenant has fetched is not there for another until that has fetched it, also after a restart', async () => {
    const { imageId } = await registry.publish('spear/owned', 'v1', `owned ${process.pid}`);
    onTestFinished(() => docker.getImage(`sha256:${imageId}`).remove({ force: true }));
    const [tag, id] = [`${registry.reference('spear/owned')}:v1`, `sha256:${imageId}`];
    await (await registrar('shop'))(tag);
    await (await registrar('shop'))(id);
    const nobodys = `sha256:${'0'.repeat(64)}`;
    const withoutIt = async () => {
      const other = await registrar('other');
      const [owned, absent] = [await refusal(other(id)), await refusal(other(nobodys))];
      expect(owned).toMatchObject({ reason: 'ARTIFACT_UNAVAILABLE' });
      expect(JSON.stringify(owned).replaceAll(imageId, '')).toBe(
        JSON.stringify(absent).replaceAll('0'.repeat(64), ''),
      );
      expect(await refusal(other(tag, PullPolicy.NEVER))).toMatchObject({ reason: 'ARTIFACT_UNAVAILABLE' });
    };
    await withoutIt();
    await server.node.drain();
    server.connection.close();
    server = await start();
    await withoutIt();
    const before = registry.asked.length;
    await (await registrar('other'))(tag);
    expect(registry.asked.slice(before)).toContainEqual(expect.stringMatching(/^spear\/owned\/manifests\//));
    await (await registrar('other'))(id);
    await (await registrar('shop'))(id);
  });

  test('that was in the engine before is there for everybody', async () => {
    const { Id } = await docker.getImage(testImage).inspect();
    for (const tenant of ['shop', 'other']) {
      await (await registrar(tenant))(Id);
      await (await registrar(tenant))(testImage, PullPolicy.NEVER);
    }
  });
});
