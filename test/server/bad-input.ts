import type { MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, expect } from 'vitest';
import type { InvokeFunctionRequestSchema } from '../../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind, type TaskDefinitionSchema } from '../../src/server/gen/spearlet/task_pb.js';
import { example } from '../support/server.ts';
import { collect } from './collect.ts';
import { server, withServer } from './local.ts';
import { type Refusal, refusal } from './refusal.ts';

export type Invocation = MessageInitShape<typeof InvokeFunctionRequestSchema>;
export type Definition = MessageInitShape<typeof TaskDefinitionSchema>;

/** A server that bad input leaves as it was. */
export function withSturdyServer(): void {
  // What a runtime itself can hold a task to is what is asked about.
  withServer({ maxMemory: String(2 ** 40) }, async () => {
    await server.register('count', 'wordcount/wordcount.wasm', {
      timeouts: { total: { seconds: 60n }, attempt: { seconds: 30n }, queue: { seconds: 20n } },
    });
    await server.register('typed', 'typed/typed.wasm');
  });

  afterAll(expectAsItWas);
}

export async function expectAsItWas(): Promise<void> {
  const events = await collect(server.functions.streamFunction({ task: 'count', input: Buffer.from('a\n') }));
  expect(events.at(-1)?.event.value).toMatchObject({ state: 'completed' });
  const { tasks } = await server.tasks.listTasks({});
  expect(tasks.map((task) => task.definition?.name)).toEqual(['count', 'typed']);
}

/** What every refusal has: a reason of ours, and nothing of our insides. */
export function expectRefusal(refused: Refusal, code: string): void {
  expect(refused, refused.message).toMatchObject({
    code,
    domain: 'spear',
    reason: expect.stringMatching(/^[A-Z][A-Z_]+$/),
    message: expect.stringMatching(/./),
  });
  expect(refused.message).not.toMatch(/node_modules|\.ts\b|\n\s+at |\/tmp\/|\/work\//);
}

/** INVALID_ARGUMENT for that field, saying what was wrong or is allowed. */
export function expectField(refused: Refusal, field: string, says: RegExp | string): void {
  expectRefusal(refused, 'INVALID_ARGUMENT');
  expect(Object.keys(refused.fields)).toEqual([field]);
  const description = refused.fields[field] ?? '';
  if (typeof says === 'string') expect(description).toContain(says);
  else expect(description).toMatch(says);
  expect(refused.message).toContain(field);
}

export async function refusedInvocation(request: Invocation): Promise<Refusal> {
  const refused = await refusal(server.functions.invokeFunction({ task: 'count', ...request } as Invocation));
  const streamed = await refusal(
    server.functions.streamFunction({ task: 'count', ...request } as Invocation),
  );
  expect(streamed).toEqual(refused);
  return refused;
}

export async function refusedTask(definition: Definition, content?: Uint8Array): Promise<Refusal> {
  const value = content ?? (await example('misbehaving/cat.wasm'));
  return refusal(
    server.tasks.registerTask({
      definition: {
        name: 'bad',
        runtime: RuntimeKind.WASM,
        artifact: { source: { case: 'content', value } },
        ...definition,
      } as Definition,
    }),
  );
}
