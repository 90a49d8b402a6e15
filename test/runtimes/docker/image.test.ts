import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ContainerSettings } from '../../../src/domain/task.ts';
import type { ArtifactProgress, TaskDraft } from '../../../src/domain/tasks.ts';
import type { InstanceRuntime } from '../../../src/runtimes/runtime.ts';
import { testImage } from '../../support/docker-image.ts';
import { run } from '../attempt.ts';
import { TestRegistry } from './registry.ts';
import { coldRuntime, docker, openRuntime, taskOf, testImageId } from './tasks.ts';
import { describeDocker, itDocker } from './where.ts';

let runtime: InstanceRuntime;
let registry: TestRegistry;
const fetched = new Set<string>();

beforeAll(async () => {
  await testImageId();
  [runtime, registry] = await Promise.all([openRuntime(), TestRegistry.open()]);
});

afterEach(async () => {
  for (const id of fetched)
    await docker
      .getImage(id)
      .remove({ force: true })
      .catch(() => undefined);
  fetched.clear();
});

afterAll(async () => {
  await runtime.close();
  await registry[Symbol.asyncDispose]();
});

function draftOf(image: string, pull: ContainerSettings['pull'], sha256 = ''): TaskDraft {
  const { artifact: _artifact, ...rest } = taskOf('', ['cat'], { container: { pull } });
  return { ...rest, source: { kind: 'image', image }, sha256 };
}

async function resolve(image: string, pull: ContainerSettings['pull'], sha256 = '') {
  const steps: ArtifactProgress[] = [];
  const fetching = {
    progress: (step: ArtifactProgress) => void steps.push(step),
    signal: new AbortController().signal,
  };
  const artifact = await runtime.resolve(draftOf(image, pull, sha256), fetching);
  if (artifact.kind !== 'docker') throw new Error(artifact.kind);
  return { imageId: artifact.imageId, artifact, steps };
}

async function offer(name: string, note: string) {
  const published = await registry.publish(name, 'v1', note);
  fetched.add(published.imageId);
  return { ...published, reference: registry.reference(name) };
}

describeDocker('an image that the engine does not have', () => {
  it('is fetched with progress where the policy is `missing`, and can be run', async () => {
    const { reference, imageId } = await offer('spear/one', 'one');
    const { artifact, steps } = await resolve(`${reference}:v1`, 'missing');
    expect(artifact).toEqual({ kind: 'docker', image: `${reference}:v1`, imageId });
    const layer = steps.filter(({ part, totalBytes }) => part !== '' && totalBytes > 0);
    expect(layer.length).toBeGreaterThan(0);
    for (const { doneBytes, totalBytes } of layer) expect(doneBytes).toBeLessThanOrEqual(totalBytes);
    expect(steps.map(({ status }) => status)).toContain('Pull complete');
    const { stdout } = await run(coldRuntime(runtime), taskOf(imageId, ['cat']), {
      input: Buffer.from('ran'),
    });
    expect(stdout.toString()).toBe('ran');
  });

  it('is fetched by digest', async () => {
    const { reference, imageId, digest } = await offer('spear/two', 'two');
    expect(await resolve(`${reference}@${digest}`, 'missing')).toMatchObject({ imageId });
  });

  it('is fetched with the tag `latest` where it names none, and without the others', async () => {
    await offer('spear/tags', 'tags');
    const latest = await registry.publish('spear/tags', 'latest', 'latest');
    fetched.add(latest.imageId);
    expect(await resolve(registry.reference('spear/tags'), 'missing')).toMatchObject({
      imageId: latest.imageId,
    });
    expect(registry.asked.filter((path) => path.startsWith('spear/tags/tags'))).toEqual([]);
  });

  it('is not asked for where the policy is `never`', async () => {
    const { reference } = await offer('spear/three', 'three');
    const before = registry.asked.length;
    await expect(resolve(`${reference}:v1`, 'never')).rejects.toMatchObject({
      kind: 'failed_precondition',
      violations: [
        { field: 'definition.artifact.image', description: expect.stringContaining('never fetches') },
      ],
    });
    expect(registry.asked.length).toBe(before);
  });

  it.each([
    [
      'that its registry does not know',
      () => `${registry.reference('spear/nothing')}:v1`,
      /its registry does not have it$/,
    ],
    [
      'that its registry keeps to itself',
      () => `${registry.reference('private/thing')}:v1`,
      /does not give it to this node/,
    ],
    [
      'of a registry that is not there',
      () => '127.0.0.1:1/spear/nothing:v1',
      /could not be reached, or did not give it; the node's log has more$/,
    ],
    ['whose name is in capitals', () => 'CAPITALS', /takes it for no reference/],
    ['that is an id', () => `sha256:${'0'.repeat(64)}`, /an id cannot be fetched/],
  ])('%s is refused with a reason that has no address in it but its own', async (_what, image, words) => {
    await expect(resolve(image(), 'missing')).rejects.toMatchObject({
      name: 'RequestError',
      kind: 'failed_precondition',
      reason: 'ARTIFACT_UNAVAILABLE',
      violations: [{ field: 'definition.artifact.image', description: expect.stringMatching(words) }],
    });
  });

  it('is fetched of its registry alone, whatever addresses its manifest names for a layer', async () => {
    const asked: string[] = [];
    const inside = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end('metadata');
    });
    await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = inside.address() as AddressInfo;
      await registry.publish('spear/lured', 'v1', 'lured', [`http://127.0.0.1:${port}/latest/meta-data`]);
      const reference = `${registry.reference('spear/lured')}:v1`;
      await expect(resolve(reference, 'missing')).rejects.toMatchObject({ reason: 'ARTIFACT_UNAVAILABLE' });
      expect(registry.asked).toContainEqual(expect.stringMatching(/^spear\/lured\/blobs\//));
      expect(asked).toEqual([]);
    } finally {
      inside.close();
    }
  });

  it('of a registry that is not there is said to be so in the log, in the engine’s words', async () => {
    const lines: unknown[] = [];
    const note = (details: object, message: string) => void lines.push({ ...details, message });
    const logging = await openRuntime({ logger: { info: note, warn: note } });
    try {
      const fetching = { progress: () => {}, signal: new AbortController().signal };
      const image = '127.0.0.1:1/spear/nothing:v1';
      await expect(logging.resolve(draftOf(image, 'missing'), fetching)).rejects.toThrow(
        /could not be reached/,
      );
      const err = expect.objectContaining({ message: expect.stringContaining('connection refused') });
      expect(lines).toContainEqual(expect.objectContaining({ image, err }));
    } finally {
      await logging.close();
    }
  });

  it.each(['', 'NOT A NAME', '../containers/json', 'a//b', 'name?all=1', 'é'])(
    'is none where %j is no name of an image',
    async (image) => {
      await expect(resolve(image, 'missing')).rejects.toMatchObject({
        kind: 'invalid_argument',
        violations: [{ field: 'definition.artifact.image' }],
      });
    },
  );

  it('is fetched no further when its caller gives up', async () => {
    const { reference, imageId } = await offer('spear/slow', 'slow');
    registry.stalls = true;
    try {
      const controller = new AbortController();
      const begun = Promise.withResolvers<void>();
      const progress = ({ totalBytes }: ArtifactProgress) => void (totalBytes > 0 && begun.resolve());
      const resolving = runtime.resolve(draftOf(`${reference}:v1`, 'missing'), {
        progress,
        signal: controller.signal,
      });
      await Promise.race([begun.promise, resolving]);
      controller.abort(new Error('gone'));
      await expect(resolving).rejects.toThrow('gone');
    } finally {
      registry.stalls = false;
    }
    await expect(docker.getImage(imageId).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });
});

describeDocker('an image that the engine has', () => {
  it('is not there for a tenant when only others have had it fetched, as where a snapshot names it', async () => {
    const imageId = await testImageId();
    const own = await openRuntime({
      fetched: { isFor: (tenant, id) => id !== imageId || tenant === 'shop', note: async () => {} },
    });
    try {
      const task = taskOf(imageId, ['cat']);
      await own.prepare(task, 'shop');
      await expect(own.prepare(task, 'other')).rejects.toMatchObject({ reason: 'ARTIFACT_UNAVAILABLE' });
    } finally {
      await own.close();
    }
  });

  it('is taken as it is where the policy is `missing`, also by its id', async () => {
    const imageId = await testImageId();
    const before = registry.asked.length;
    for (const image of [testImage, imageId, `sha256:${imageId}`]) {
      expect(await resolve(image, 'missing')).toMatchObject({ imageId, steps: [] });
    }
    expect(registry.asked.length).toBe(before);
  });

  it('is fetched again where the policy is `always`, and only then another one is found', async () => {
    const old = await offer('spear/moving', 'old');
    const image = `${old.reference}:v1`;
    await resolve(image, 'missing');
    const { imageId } = await offer('spear/moving', 'new');
    expect(await resolve(image, 'missing')).toMatchObject({ imageId: old.imageId });
    expect(await resolve(image, 'always')).toMatchObject({ imageId });
  });

  it('is refused where its id is not the expected one, and accepted where it is', async () => {
    const imageId = await testImageId();
    expect(await resolve(testImage, 'never', imageId)).toMatchObject({ imageId });
    await expect(resolve(testImage, 'never', 'a'.repeat(64))).rejects.toMatchObject({
      kind: 'invalid_argument',
      violations: [{ field: 'definition.artifact.sha256', description: expect.stringContaining(imageId) }],
    });
  });
});

itDocker('an image that was removed since its registration is said to be unavailable', async () => {
  const { reference, imageId } = await offer('spear/removed', 'removed');
  const { artifact } = await resolve(`${reference}:v1`, 'missing');
  const task = { ...taskOf(imageId, ['cat']), artifact };
  await runtime.prepare(task);
  await run(coldRuntime(runtime), task);
  await docker.getImage(imageId).remove({ force: true });
  const { outcome } = await run(coldRuntime(runtime), task);
  expect(outcome).toMatchObject({ kind: 'failed', code: 'ARTIFACT_UNAVAILABLE' });
  await expect(runtime.prepare(task)).rejects.toMatchObject({ reason: 'ARTIFACT_UNAVAILABLE' });
});
