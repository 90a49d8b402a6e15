import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { type TaskCaps, withDefaultLimits } from '../../src/domain/task-bounds.ts';
import {
  InstancePolicy,
  InterruptPolicy,
  PullPolicy,
  RuntimeKind,
  TaskDefinitionSchema,
  TimerPolicy,
} from '../../src/server/gen/spearlet/task_pb.js';
import { draftFromWire } from '../../src/server/wire/task.ts';

type Init = MessageInitShape<typeof TaskDefinitionSchema>;

/** Definitions, and the JSON that version 0.1.0 made of them: another order would make a revision of an equal one. */
const known: readonly (readonly [string, Init, string])[] = [
  [
    'a small one of wasm',
    {
      name: 'calc',
      runtime: RuntimeKind.WASM,
      artifact: { source: { case: 'url', value: 'https://example.org/x.wasm' } },
    },
    '{"name":"calc","description":"","runtime":"wasm","args":[],"environment":{},"preopens":{},"allowNetwork":false,"timeouts":{},"graceMs":5000,"limits":{"maxOutputBytes":67108864,"maxOutputEvents":100000,"memory":1},"retry":{"maxAttempts":1,"initialMs":200,"factor":2,"maxMs":30000,"jitter":0.1,"on":[]},"instancePolicy":"fresh","user":"","workingDirectory":"","warm":{"min":0,"max":1000,"idleTimeoutMs":60000,"startAhead":false}}',
  ],
  [
    'one of docker that says everything',
    {
      name: 'web',
      description: 'serves',
      runtime: RuntimeKind.DOCKER,
      artifact: { source: { case: 'image', value: 'web:1' }, sha256: 'ab'.repeat(32) },
      args: ['--port', '80'],
      environment: { B: '2', A: '1' },
      preopens: { '/z': '/srv/z', '/a': '/srv/a' },
      allowNetwork: true,
      timeouts: { queue: durationFromMs(1), attempt: durationFromMs(2), total: durationFromMs(3) },
      grace: durationFromMs(1500),
      limits: {
        memory: 1_048_576n,
        maxOutputBytes: 10n,
        maxOutputEvents: 11n,
        cpu: 0.5,
        cpuTime: durationFromMs(90_000),
        processes: 12,
        openFiles: 64,
        fileSize: 13n,
      },
      retry: {
        maxAttempts: 3,
        initial: durationFromMs(60_000),
        factor: 1.5,
        max: durationFromMs(10),
        jitter: 0,
        on: [1, 4],
      },
      instancePolicy: InstancePolicy.FRESH,
      user: '1000:1000',
      workingDirectory: '/srv',
      container: {
        command: ['serve'],
        pull: PullPolicy.ALWAYS,
        network: 'front',
        writableRoot: true,
        capabilities: ['SYS_TIME', 'CHOWN', 'CHOWN'],
        tmpfsSize: 65_536n,
        allowNewPrivileges: true,
      },
      warm: { min: 1, max: 4, idleTimeout: durationFromMs(5000), maxUses: 1, startAhead: true },
      onInterrupt: InterruptPolicy.FAIL,
      maxRecoveries: 0,
      timers: { total: TimerPolicy.ANEW, start: TimerPolicy.ABSOLUTE },
    },
    '{"name":"web","description":"serves","runtime":"docker","args":["--port","80"],"environment":{"A":"1","B":"2"},"preopens":{"/a":"/srv/a","/z":"/srv/z"},"allowNetwork":true,"timeouts":{"queueMs":1,"attemptMs":2,"totalMs":3},"graceMs":1500,"limits":{"maxOutputBytes":10,"maxOutputEvents":11,"memory":1048576,"cpu":0.5,"cpuTimeMs":90000,"processes":12,"openFiles":64,"fileSize":13},"retry":{"maxAttempts":3,"initialMs":60000,"factor":1.5,"maxMs":60000,"jitter":0,"on":["FUNCTION_ERROR","SIGNALED"]},"instancePolicy":"fresh","user":"1000:1000","workingDirectory":"/srv","container":{"command":["serve"],"pull":"always","network":"front","writableRoot":true,"capabilities":["CHOWN","SYS_TIME"],"tmpfsSize":65536,"allowNewPrivileges":true},"warm":{"min":1,"max":4,"idleTimeoutMs":5000,"maxUses":1,"startAhead":true},"onInterrupt":"fail","maxRecoveries":0,"timers":{"start":"absolute","total":"anew"}}',
  ],
  [
    'one of docker that says little',
    {
      name: 'web',
      runtime: RuntimeKind.DOCKER,
      artifact: { source: { case: 'image', value: 'web:1' } },
      limits: { memory: 1_048_576n },
    },
    '{"name":"web","description":"","runtime":"docker","args":[],"environment":{},"preopens":{},"allowNetwork":false,"timeouts":{},"graceMs":5000,"limits":{"maxOutputBytes":67108864,"maxOutputEvents":100000,"memory":1048576},"retry":{"maxAttempts":1,"initialMs":200,"factor":2,"maxMs":30000,"jitter":0.1,"on":[]},"instancePolicy":"fresh","user":"","workingDirectory":"","container":{"command":[],"pull":"missing","network":"bridge","writableRoot":false,"capabilities":[],"tmpfsSize":16777216,"allowNewPrivileges":false},"warm":{"min":0,"max":0,"idleTimeoutMs":60000,"maxUses":1,"startAhead":false}}',
  ],
  [
    'one of a process that is kept warm',
    {
      name: 'tool',
      runtime: RuntimeKind.PROCESS,
      artifact: { source: { case: 'path', value: '/bin/true' } },
      warm: { startAhead: true },
      retry: { maxAttempts: 2 },
    },
    '{"name":"tool","description":"","runtime":"process","args":[],"environment":{},"preopens":{},"allowNetwork":false,"timeouts":{},"graceMs":5000,"limits":{"maxOutputBytes":67108864,"maxOutputEvents":100000,"memory":1},"retry":{"maxAttempts":2,"initialMs":200,"factor":2,"maxMs":30000,"jitter":0.1,"on":[]},"instancePolicy":"fresh","user":"","workingDirectory":"","warm":{"min":1,"max":1,"idleTimeoutMs":60000,"maxUses":1,"startAhead":true}}',
  ],
];

const unbounded = Number.POSITIVE_INFINITY;
const caps: TaskCaps = {
  memory: unbounded,
  cpu: unbounded,
  processes: unbounded,
  openFiles: unbounded,
  outputBytes: unbounded,
  timeoutMs: unbounded,
  warm: unbounded,
};

/** As the catalog completes a draft, but for its artifact. */
function storedJson(init: Init): string {
  const { source: _source, sha256: _sha256, ...draft } = draftFromWire(create(TaskDefinitionSchema, init));
  return JSON.stringify({ ...draft, limits: withDefaultLimits(draft.limits, { memory: 1 }, caps) });
}

test.each(known)('%s is as it was stored', (_name, definition, stored) => {
  expect(storedJson(definition)).toBe(stored);
});
