/** What a contributor sets up with is what CI and the lock file say. */
import { expect, test } from 'vitest';
import { readDocument } from '../docs/readme.ts';

test('the dev container installs every Debian package that CI needs', async () => {
  const needed = /^needed='([^']+)'/m.exec(await readDocument('.ci/run'))?.[1] ?? '';
  const packages = [...needed.matchAll(/(\S+?):\S+/g)].map(([, name]) => name);
  expect(packages.length).toBeGreaterThan(5);
  const installed = (await readDocument('.devcontainer/Dockerfile')).split(/\s+/);
  expect(installed).toEqual(expect.arrayContaining(packages));
});

test('.nvmrc names the Node that npm ci brings', async () => {
  const { optionalDependencies } = JSON.parse(await readDocument('package.json')) as {
    optionalDependencies: Record<string, string>;
  };
  const majors = Object.values(optionalDependencies).map((version) => version.split('.')[0]);
  expect(new Set(majors)).toEqual(new Set([(await readDocument('.nvmrc')).trim()]));
});
