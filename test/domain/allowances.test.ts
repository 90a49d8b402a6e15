import { expect, test } from 'vitest';
import { loosened, looseningsOf } from '../../src/domain/loosened.ts';
import { wantsOf } from '../../src/domain/snapshot/allowances.ts';
import type { ContainerSettings, TaskDefinition } from '../../src/domain/task.ts';
import { taskWith } from '../support/samples.ts';

const container: ContainerSettings = {
  command: [],
  pull: 'missing',
  network: 'bridge',
  writableRoot: false,
  capabilities: [],
  tmpfsSize: 0,
  allowNewPrivileges: false,
};

function docker(settings: Partial<ContainerSettings>, more: Partial<TaskDefinition> = {}): TaskDefinition {
  return taskWith({ runtime: 'docker', container: { ...container, ...settings }, ...more }).definition;
}

test.for<[string, TaskDefinition, string[]]>([
  ['nothing beyond a closed sandbox', taskWith().definition, []],
  ['the network of a guest', taskWith({ allowNetwork: true }).definition, ['network']],
  ['the network of a container', docker({}, { allowNetwork: true }), ['network']],
  ['a folder', taskWith({ preopens: { '/network': '/srv' } }).definition, ['preopens']],
  ['a process', taskWith({ runtime: 'process' }).definition, ['process']],
  ['a user that is called as another class', docker({}, { user: 'network' }), ['privileges']],
  ['a writable root', docker({ writableRoot: true }), ['privileges']],
  ['a capability', docker({ capabilities: ['NET_ADMIN'] }), ['privileges']],
  ['new privileges', docker({ allowNewPrivileges: true }), ['privileges']],
])('a restore has to be allowed what its task wants: %s', ([, definition, allowances]) => {
  expect([...wantsOf(definition).keys()]).toEqual(allowances);
});

test('each allowance comes with the words of what wants it, as the record has them', () => {
  const definition = docker(
    { writableRoot: true, capabilities: ['NET_ADMIN'] },
    { allowNetwork: true, preopens: { '/data': '/srv' }, user: '7' },
  );
  expect(Object.fromEntries(wantsOf(definition))).toEqual({
    network: ['network: bridge'],
    preopens: ['host folder /srv as /data'],
    privileges: ['user: 7', 'writable root file system', 'capability: NET_ADMIN'],
  });
  expect(loosened(definition)).toEqual(looseningsOf(definition).map(({ text }) => text));
});
