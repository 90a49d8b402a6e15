import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../src/domain/errors.ts';
import type { RuntimeKind } from '../../src/domain/task.ts';
import {
  InterruptPolicy,
  type TaskDefinition,
  TaskDefinitionSchema,
  TimerPolicy,
  RuntimeKind as WireKind,
} from '../../src/server/gen/spearlet/task_pb.js';
import { definitionMessage } from '../../src/server/wire/definition-message.ts';
import { completeInterruption } from '../../src/server/wire/interruption.ts';
import { draftFromWire } from '../../src/server/wire/task.ts';

type Init = Exclude<MessageInitShape<typeof TaskDefinitionSchema>, TaskDefinition>;

const runtimes: readonly RuntimeKind[] = ['wasm', 'docker', 'process'];
const defaults = {
  wasm: InterruptPolicy.RERUN,
  docker: InterruptPolicy.REATTACH_OR_RERUN,
  process: InterruptPolicy.FAIL,
} as const;
const timers = {
  start: TimerPolicy.REMAINING,
  queue: TimerPolicy.REMAINING,
  attempt: TimerPolicy.ANEW,
  total: TimerPolicy.ABSOLUTE,
} as const;

const minimal = {
  wasm: { runtime: WireKind.WASM, artifact: { source: { case: 'url', value: 'https://a/x.wasm' } } },
  docker: { runtime: WireKind.DOCKER, artifact: { source: { case: 'image', value: 'x' } } },
  process: { runtime: WireKind.PROCESS, artifact: { source: { case: 'path', value: '/bin/true' } } },
} as const satisfies Record<RuntimeKind, Init>;

/** What a task like that has of these fields. */
function read(runtime: RuntimeKind, init: Init) {
  const definition = create(TaskDefinitionSchema, { name: 'x', ...minimal[runtime], ...init });
  const { onInterrupt, maxRecoveries, timers: changed } = draftFromWire(definition);
  return {
    ...(onInterrupt !== undefined && { onInterrupt }),
    ...(maxRecoveries !== undefined && { maxRecoveries }),
    ...(changed !== undefined && { timers: changed }),
  };
}

const shown = (runtime: RuntimeKind, init: Init) =>
  definitionMessage.write(completeInterruption({ runtime, ...read(runtime, init) }));

function refusedField(runtime: RuntimeKind, init: Init): [string | undefined, string] {
  try {
    read(runtime, init);
  } catch (error) {
    if (error instanceof RequestError) return [error.violations[0]?.field, error.message];
    throw error;
  }
  throw new Error('it was not refused');
}

describe.each(runtimes)('a %s task', (runtime) => {
  test('that says nothing, or the defaults, has none of the fields, as one from before they were there', () => {
    expect(read(runtime, {})).toEqual({});
    expect(read(runtime, { onInterrupt: defaults[runtime], maxRecoveries: 3, timers })).toEqual({});
    expect(read(runtime, { timers: {} })).toEqual({});
  });

  test('shows what holds although it does not say it', () => {
    expect(shown(runtime, {})).toEqual({ onInterrupt: defaults[runtime], maxRecoveries: 3, timers });
  });

  test('shows what it says', () => {
    const onInterrupt = runtime === 'wasm' ? InterruptPolicy.FAIL : InterruptPolicy.RERUN;
    expect(shown(runtime, { onInterrupt, maxRecoveries: 0, timers: { queue: TimerPolicy.ANEW } })).toEqual({
      onInterrupt,
      maxRecoveries: 0,
      timers: { ...timers, queue: TimerPolicy.ANEW },
    });
  });
});

test('timers that are the same have the same JSON, in whatever order they came', () => {
  const one = read('wasm', { timers: { total: TimerPolicy.ANEW, start: TimerPolicy.ABSOLUTE } });
  const other = read('wasm', { timers: { start: TimerPolicy.ABSOLUTE, total: TimerPolicy.ANEW } });
  expect(JSON.stringify(one)).toBe('{"timers":{"start":"absolute","total":"anew"}}');
  expect(JSON.stringify(other)).toBe(JSON.stringify(one));
});

test('only a container can be reattached to', () => {
  for (const onInterrupt of [InterruptPolicy.REATTACH_OR_RERUN, InterruptPolicy.REATTACH_OR_FAIL]) {
    for (const runtime of ['wasm', 'process'] as const) {
      const [field, message] = refusedField(runtime, { onInterrupt });
      expect(field).toBe('definition.on_interrupt');
      expect(message).toContain(`${InterruptPolicy[onInterrupt]} is for docker tasks`);
      expect(message).toContain(`allowed for ${runtime} are RERUN, FAIL`);
    }
  }
  expect(read('docker', { onInterrupt: InterruptPolicy.REATTACH_OR_FAIL })).toEqual({
    onInterrupt: 'reattachOrFail',
  });
});

test('a number that is no policy is refused with those that are', () => {
  const [field, message] = refusedField('docker', { onInterrupt: 5 as number as InterruptPolicy });
  expect(field).toBe('definition.on_interrupt');
  expect(message).toContain('5 is not known; allowed are RERUN, FAIL, REATTACH_OR_RERUN, REATTACH_OR_FAIL');
  for (const name of ['start', 'queue', 'attempt', 'total'] as const) {
    const [timer, why] = refusedField('docker', { timers: { [name]: 4 as number as TimerPolicy } });
    expect(timer).toBe(`definition.timers.${name}`);
    expect(why).toContain('4 is not known; allowed are ABSOLUTE, REMAINING, ANEW');
  }
});

test.each([0, 1000])('%d recoveries are allowed', (maxRecoveries) => {
  expect(read('wasm', { maxRecoveries })).toEqual({ maxRecoveries });
});

test('more than 1000 recoveries are refused', () => {
  expect(refusedField('wasm', { maxRecoveries: 1001 })).toEqual([
    'definition.max_recoveries',
    expect.stringContaining('allowed is 0 to 1000'),
  ]);
});
