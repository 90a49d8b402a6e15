import { describe, expect, test } from 'vitest';
import { rooms, specifiersOf, violationsOf } from '../../scripts/walls.ts';

const forbidden: readonly (readonly [file: string, specifier: string])[] = [
  ['src/domain/task.ts', 'xstate'],
  ['src/domain/task.ts', 'node:fs'],
  ['src/domain/task.ts', '../machines/execution.ts'],
  ['src/domain/schema/check.ts', '../../stores/store.ts'],
  ['src/machines/execution.ts', '../actors/executions/supervisor.ts'],
  ['src/machines/execution.ts', 'node:crypto'],
  ['src/machines/deep/er/execution.ts', '../../../runtimes/runtime.ts'],
  ['src/actors/executions/supervisor.ts', '../../stores/sqlite/store.ts'],
  ['src/actors/executions/supervisor.ts', '../../runtimes/wasm/runtime.ts'],
  ['src/actors/executions/supervisor.ts', '../../observers/sync.ts'],
  ['src/actors/executions/supervisor.ts', 'dockerode'],
  ['src/actors/executions/supervisor.ts', '../snapshots/snapshots.ts'],
  ['src/actors/ids.ts', './executions/supervisor.ts'],
  ['src/actors/ids.ts', 'xstate'],
  ['src/actors/time/node-time.ts', '../queue/slots.ts'],
  ['src/actors/queue/slots.ts', '../log/live-log.ts'],
  ['src/actors/log/committer.ts', '../executions/supervisor.ts'],
  ['src/actors/log/committer.ts', '../../stores/sqlite/store.ts'],
  ['src/actors/instances/serving.ts', '../executions/runs.ts'],
  ['src/actors/tasks/task-catalog.ts', '../executions/supervisor.ts'],
  ['src/actors/explain/explaining.ts', '../executions/new-execution.ts'],
  ['src/actors/webhooks/deliverer.ts', '../executions/new-execution.ts'],
  ['src/webhooks/sender.ts', '../server/status.ts'],
  ['src/actors/snapshots/restore.ts', '../../server/grpc-server.ts'],
  ['src/actors/snapshots/restore.ts', '../../stores/sqlite/store.ts'],
  ['src/actors/snapshots/restore.ts', '../executions/supervisor.ts'],
  ['src/actors/schedules/firings.ts', '../executions/supervisor.ts'],
  ['src/actors/schedules/firings.ts', '../../server/payload.ts'],
  ['src/observers/sync.ts', '../actors/executions/supervisor.ts'],
  ['src/observers/sync.ts', '../visualizer/http.ts'],
  ['src/observers/deep/sync.ts', '../../node/node.ts'],
  ['src/stores/sqlite/store.ts', '../../actors/log/live-log.ts'],
  ['src/stores/sqlite/store.ts', '../../runtimes/runtime.ts'],
  ['src/stores/store.ts', '../cli/main.ts'],
  ['src/stores/postgres/store.ts', '../../actors/log/live-log.ts'],
  ['src/runtimes/runtime.ts', '../stores/store.ts'],
  ['src/runtimes/containment/cells/cell.ts', '../../process/runtime.ts'],
  ['src/runtimes/containment/cells/cell.ts', '../../runtime.ts'],
  ['src/runtimes/network/gate.ts', '../wasm/runtime.ts'],
  ['src/runtimes/secrets/secret-store.ts', '../process/runtime.ts'],
  ['src/runtimes/process/runtime.ts', '../docker/runtime.ts'],
  ['src/runtimes/process/runtime.ts', '../../config.ts'],
  ['src/runtimes/docker/runtime.ts', '../wasm/runtime.ts'],
  ['src/runtimes/docker/runtime.ts', '@bytecodealliance/jco-transpile'],
  ['src/runtimes/wasm/runtime.ts', 'dockerode'],
  ['src/runtimes/wasm/guest-host/main.ts', '../../../server/grpc-server.ts'],
  ['src/server/grpc-server.ts', '../actors/executions/supervisor.ts'],
  ['src/server/wire/task.ts', '../../stores/store.ts'],
  ['src/server/wire/task.ts', '../../visualizer/http.ts'],
  ['src/server/http-api.ts', 'pino'],
  ['src/telemetry/logger.ts', '../server/status.ts'],
  ['src/visualizer/http.ts', '../server/http-api.ts'],
  ['src/visualizer/http.ts', './page/main.tsx'],
  ['src/visualizer/page/main.tsx', '../page-files.ts'],
  ['src/visualizer/page/list/row.tsx', 'node:fs'],
  ['src/visualizer/page/list/row.tsx', '../../../server/gen/spearlet/task_pb.js'],
  ['src/visualizer/page/wire.ts', '../../server/wire/task.ts'],
  ['src/visualizer/page/wire.ts', './main.tsx'],
  ['src/client/connect.ts', '../cli/main.ts'],
  ['src/client/connect.ts', '../node/node.ts'],
  ['src/client/connect.ts', 'commander'],
  ['src/cli/main.ts', '../actors/executions/supervisor.ts'],
  ['src/cli/commands/invoke.ts', '../../server/wire/task.ts'],
  ['src/cli/commands/invoke.ts', '../../stores/sqlite/store.ts'],
  ['src/node/node.ts', '../cli/main.ts'],
  ['src/node/node.ts', '../serve.ts'],
  ['src/config.ts', './node/node.ts'],
  ['src/config/options.ts', '../config.ts'],
  ['src/node-notes.ts', './stores/store.ts'],
  ['src/small-file.ts', './domain/errors.ts'],
  ['src/db.ts', './node/node.ts'],
  ['src/replay.ts', './actors/executions/supervisor.ts'],
  ['src/serve.ts', './cli/main.ts'],
  ['src/main.ts', './node/node.ts'],
];

const ways = [
  (specifier: string) => `import { a } from '${specifier}';`,
  (specifier: string) => `import type {\n  A,\n  B,\n} from '${specifier}';`,
  (specifier: string) => `import '${specifier}';`,
  (specifier: string) => `export * from '${specifier}';`,
  (specifier: string) => `const a = await import('${specifier}');`,
  (specifier: string) => `type A = import('${specifier}').A;`,
];

describe('a wall', () => {
  test.each(forbidden)('keeps %s from importing %s, in whatever way', (file, specifier) => {
    for (const way of ways) expect(violationsOf(file, way(specifier))).toMatchObject([{ file, specifier }]);
  });

  test('lets types through where a room may have no more of a file, and then nothing else of it', () => {
    const file = 'src/visualizer/page/wire.ts';
    const specifier = '../../server/gen/spearlet/task_pb.js';
    const outcomes = [
      `import type * as tasks from '${specifier}';`,
      `import {\n  type Task,\n} from '${specifier}';`,
      `import type from '${specifier}';`,
      `import type { Task } from '${specifier}';\nimport { TaskSchema } from '${specifier}';`,
      `const tasks = await import('${specifier}');`,
    ].map((source) => violationsOf(file, source).length);
    expect(outcomes).toEqual([0, 1, 1, 1, 1]);
  });

  test('is there for every room', () => {
    const tried = new Set(forbidden.map(([file]) => file));
    const untried = rooms.filter(({ path }) => ![...tried].some((file) => file.startsWith(path)));
    expect(untried.map(({ path }) => path)).toEqual([
      'src/config-bounds.ts',
      'src/config-cluster.ts',
      'src/config-edge.ts',
      'src/config-store.ts',
      'src/config-traces.ts',
      'src/config-values.ts',
      'src/version.ts',
    ]);
  });

  test('keeps a thread of another room out', () => {
    const source = "new Worker(new URL('../stores/sqlite/writer-thread.ts', import.meta.url));";
    expect(violationsOf('src/actors/executions/supervisor.ts', source)).toHaveLength(1);
  });

  test('refuses what only a run can resolve, and a file of no room', () => {
    expect(violationsOf('src/server/http-api.ts', 'await import(name);')).toHaveLength(1);
    expect(violationsOf('src/elsewhere.ts', '')).toMatchObject([
      { rule: expect.stringContaining('no room') },
    ]);
  });

  test('lets through what a room is for', () => {
    expect(
      violationsOf(
        'src/actors/executions/supervisor.ts',
        "import type { Store } from '../../stores/store.ts';",
      ),
    ).toEqual([]);
    expect(
      violationsOf('src/actors/instances/a/b.ts', "import { Runtime } from '../../../runtimes/runtime.ts';"),
    ).toEqual([]);
    expect(
      violationsOf('src/visualizer/page/list/row.tsx', "import { signal } from '@preact/signals';"),
    ).toEqual([]);
  });
});

test('what a text only mentions is no import', () => {
  expect(specifiersOf("// taken from 'elsewhere'\nconst text = `from 'nowhere'`;")).toEqual([]);
});
