import { expect, test } from 'vitest';
import { firstCommands } from '../../../src/visualizer/page/list/first-commands.ts';

const reader = { task: undefined, origin: 'http://node.example:8080', hostname: 'node.example' };

test('commands for a node at the default address name none', () => {
  const { register, invoke } = firstCommands({ grpcAddress: '127.0.0.1:50051', hostAccess: true }, reader);
  expect(register).toBe('spear task register hello --runtime process --artifact /bin/echo -- hello');
  expect(invoke).toBe('spear invoke hello');
});

test('a node that gives no access to the host is not asked for a process', () => {
  const { register } = firstCommands({ grpcAddress: '127.0.0.1:50051', hostAccess: false }, reader);
  expect(register).not.toContain('process');
});

test.each([
  ['127.0.0.1:6000', '127.0.0.1:6000'],
  ['0.0.0.0:6000', 'node.example:6000'],
  ['[::]:6000', 'node.example:6000'],
])('a node that listens on %s is reached at %s', (grpcAddress, address) => {
  const told = firstCommands({ grpcAddress, hostAccess: true }, { ...reader, task: 'wc' });
  expect(told.invoke).toBe(`spear invoke wc --address ${address}`);
  expect(told.register).toContain(`hello --address ${address} --runtime`);
});
