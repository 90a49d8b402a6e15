import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { describeMachines } from '../../src/machines/describe.ts';
import { type LocalServer, startServer } from '../support/server.ts';
import { errorLine, run } from './spear.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.stop());

const machine = (...args: string[]) => run(['machine', 'show', ...args], { address: server.grpcAddress });

test('a chart is shown with its states, what callers may send in them, and their events', async () => {
  const { code, stdout, stderr } = await machine('execution');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.toString().split('\n');
  expect(lines[0]).toMatch(/^execution, version \d+$/);
  const held = lines.find((line) => line.startsWith('pending.held'));
  expect(held?.split(/ {2,}/)).toEqual(['pending.held', 'cancel, resume', expect.stringContaining('resume')]);
  expect(lines.find((line) => line.startsWith('completed'))?.split(/ {2,}/)).toEqual([
    'completed',
    '-',
    'final',
  ]);
});

test('a chart is a Mermaid diagram, and a configuration that XState takes', async () => {
  const [execution] = describeMachines();
  const { stdout } = await machine('execution', '--mermaid');
  expect(stdout.toString()).toBe(execution?.mermaid);
  const definition = await machine('node', '--definition');
  expect(createMachine(JSON.parse(definition.stdout.toString()) as never).id).toBe('node');
});

test('without a name all are shown', async () => {
  const { stdout } = await machine();
  for (const name of ['execution', 'instance', 'node'])
    expect(stdout.toString()).toContain(`${name}, version `);
  const json = await machine('--json');
  const { machines } = JSON.parse(json.stdout.toString()) as { machines: { name: string }[] };
  expect(machines.map(({ name }) => name)).toEqual(['execution', 'instance', 'node', 'schedule']);
});

test('a chart that is none is a usage error that names those there are', async () => {
  const unknown = await machine('task');
  expect(unknown.code).toBe(64);
  expect(errorLine(unknown)).toContain('execution, instance, node');
});
