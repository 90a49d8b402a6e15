import { describe, expect, test } from 'vitest';
import type { Task } from '../../src/server/gen/spearlet/task_pb.js';
import { server, withServer } from './local.ts';
import { cat, names } from './tasks.ts';

withServer({ slots: '2' });

describe('GetTask', () => {
  test('finds a task by its name and by its id', async () => {
    const task = await server.register('found', cat);
    expect((await server.tasks.getTask({ task: 'found' })).task).toEqual(task);
    expect((await server.tasks.getTask({ task: task.taskId })).task).toEqual(task);
  });

  test('lists the functions of a component with their signatures in WIT', async () => {
    await server.register('typed', 'typed/typed.wasm');
    const { task } = await server.tasks.getTask({ task: 'typed' });
    const calc = 'spear:examples/calc@0.1.0#';
    expect(signatures(task)).toMatchObject({
      ping: { parameters: [], result: 'string', callable: true, reason: '' },
      [`${calc}add`]: {
        parameters: [
          { name: 'a', type: 's32' },
          { name: 'b', type: 's32' },
        ],
        result: 's32',
      },
      [`${calc}divide`]: { result: 'result<s32, string>' },
      [`${calc}half`]: { parameters: [{ name: 'n', type: 'option<u32>' }], result: 'option<u32>' },
      [`${calc}translate`]: {
        parameters: [
          { name: 'p', type: expect.stringContaining('point') },
          { name: 'by', type: 'tuple<f64, f64>' },
        ],
        result: expect.stringContaining('point'),
      },
      [`${calc}transpose`]: { parameters: [{ name: 'matrix', type: 'list<list<u32>>' }] },
      [`${calc}nested`]: { result: 'option<option<u8>>' },
      [`${calc}ensure`]: { result: 'result' },
      [`${calc}count`]: { parameters: [], result: 'u32' },
      [`${calc}origin`]: { callable: true },
      'spear:examples/trouble@0.1.0#origin': { callable: true },
      'spear:examples/trouble@0.1.0#crash': { parameters: [], result: '' },
    });
    expect(Object.keys(signatures(task))).not.toContain('');
    for (const word of ['record point', 'variant shape', 'flags permissions', 'enum color', 'add: func(']) {
      expect(task?.wit).toContain(word);
    }
  });

  function signatures(task: Task | undefined) {
    return Object.fromEntries((task?.functions ?? []).map((signature) => [signature.name, signature]));
  }
});

describe('ListTasks', () => {
  test('gives all tasks by name, page by page, without their bytes', async () => {
    for (const name of ['page-c', 'page-a', 'page-e', 'page-b', 'page-d']) await server.register(name, cat);
    const all = await names();
    expect(all).toEqual([...all].sort());
    expect(all).toEqual(expect.arrayContaining(['page-a', 'page-b', 'page-c', 'page-d', 'page-e']));
    const paged: (string | undefined)[] = [];
    let pageToken = '';
    do {
      const page = await server.tasks.listTasks({ pageSize: 2, pageToken });
      expect(page.tasks.length).toBeLessThanOrEqual(2);
      for (const { definition } of page.tasks) {
        paged.push(definition?.name);
        expect(definition?.artifact?.source.case).toBeUndefined();
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(paged).toEqual(all);
  });
});
