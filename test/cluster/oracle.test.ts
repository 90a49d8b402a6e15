/** The oracle of a cluster hears of each thing that may be wrong. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ErrorCode,
  type ExecutionResult,
  ExecutionResultSchema,
  ExecutionStatus,
  OutputStream,
  type StreamExecutionResult,
  StreamExecutionResultSchema,
} from '../../src/server/gen/spearlet/function_pb.js';
import { dataFolder, spawn } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { judgeDatabase, settings } from './database-oracle.ts';
import { judge } from './oracle.ts';
import type { Told } from './told.ts';
import type { Beat } from './witness.ts';

type Event = StreamExecutionResult;
type Body = MessageInitShape<typeof StreamExecutionResultSchema>['event'];

function ended(change: MessageInitShape<typeof ExecutionResultSchema> = {}): ExecutionResult {
  const completed = { status: ExecutionStatus.COMPLETED, attempt: 2, output: Buffer.from('ab') };
  return create(ExecutionResultSchema, { ...completed, ...change } as typeof completed);
}

function event(number: number, attempt: number, body: Body): Event {
  const [sequence, position] = [BigInt(number), BigInt(10 * number)];
  const isFinal = body?.case === 'result';
  return create(StreamExecutionResultSchema, { sequence, position, attempt, isFinal, event: body } as object);
}

function chunk(number: number, attempt: number, text: string): Event {
  return event(number, attempt, {
    case: 'chunk',
    value: { stream: OutputStream.STDOUT, data: Buffer.from(text) },
  });
}

function end(number: number, result = ended()): Event {
  return event(number, 2, { case: 'result', value: result });
}

/** An execution whose first attempt was lost, and all that is known of it. */
function history() {
  const log = [chunk(1, 1, 'a'), chunk(2, 2, 'a'), chunk(3, 2, 'b'), end(4)];
  const beats: Beat[] = [
    { attempt: 'first', at: 1, what: 'begin' },
    { attempt: 'second', at: 2, what: 'begin' },
    { attempt: 'second', at: 3, what: 'end' },
  ];
  return { log, heard: [...log], ends: [ended()], beats, ids: ['exec_1'], isOnce: false, isCancelled: false };
}

type History = ReturnType<typeof history>;

function judged(change: (history: History) => unknown): string {
  const told = history();
  change(told);
  const { ids, heard, ends, isCancelled, isOnce } = told;
  const register = async () => {};
  const kind = { name: 'beat', weight: 1, isOnce, register, draw: () => ({ args: [], beats: '' }) };
  const about: Told = {
    ...{ kind, heard, ends, isCancelled, executionIds: new Set(ids) },
    ...{
      mode: 'async',
      invocationId: 'invocation-1',
      beats: 'file',
      wrong: [],
      isExplained: false,
      wasToEnd: false,
    },
  };
  return judge(about, told.log, told.beats).join('\n');
}

test('nothing is held against an execution whose first attempt was lost', () => {
  expect(judged(() => {})).toBe('');
});

test.each<[string, (history: History) => unknown, string]>([
  ['two executions of one invocation', ({ ids }) => ids.push('exec_2'), 'answers name exec_1 and exec_2'],
  ['no end', ({ log, ends }) => [log.pop(), ends.pop()], 'its log has 0 ends'],
  ['two ends', ({ log }) => log.push(end(5)), 'its log has 2 ends'],
  ['a gap', ({ log, heard }) => [log.splice(1, 1), heard.splice(1, 1)], 'event 3 where 2 was next'],
  [
    'a position that falls',
    ({ log }) => log.splice(1, 1, create(StreamExecutionResultSchema, { sequence: 2n })),
    'position 0 after 10',
  ],
  [
    'something that was heard and is not stored',
    ({ heard }) => heard.splice(1, 1, chunk(2, 2, 'other')),
    'heard event 2',
  ],
  ['another end', ({ ends }) => ends.push(ended({ attempt: 1 })), 'an answer has the end 3 0 of attempt 1'],
  [
    'other output',
    ({ ends }) => ends.push(ended({ output: Buffer.from('aab') })),
    'other output than attempt 2',
  ],
  ['a promise to end it', (told) => Object.assign(told, { isCancelled: true }), 'its end was promised'],
  ['a second attempt', (told) => Object.assign(told, { isOnce: true }), 'it has 2 attempts'],
  [
    'attempts that overlap',
    ({ beats }) => beats.splice(2, 0, { attempt: 'first', at: 2.5, what: 'beat' }),
    'first went on at 2.5, after second had begun',
  ],
  [
    'more attempts than its log has',
    ({ beats }) => beats.unshift({ attempt: 'zeroth', at: 0, what: 'begin' }),
    'it ran 3 times in 2 attempts',
  ],
  ['a completed one that is not over', ({ beats }) => beats.pop(), 'its program last wrote begin'],
  [
    'an end that it may not have',
    ({ log }) => {
      const result = ended({ status: ExecutionStatus.FAILED, errorCode: ErrorCode.INTERRUPTED });
      log.splice(3, 1, end(4, result));
    },
    'it ended with 4 20',
  ],
])('%s is held against an execution', (_name, change, said) => {
  expect(judged(change)).toContain(said);
});

describeWhere([postgres()], 'the database of a cluster', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres(settings);
  });
  afterAll(() => server.remove());

  test('what is in it against the rules is found', async () => {
    const { url, name } = await server.database();
    const query = (text: string) => server.query(text, name);
    const node = await spawn(await dataFolder(), { store: url, nodeName: 'one' });
    await node.register('noop', 'noop/noop.wasm');
    const { executionId } = await node.functions.invokeFunction({
      ...{ task: 'noop', functionName: 'noop', invocationId: 'one' },
    });
    await node.end('SIGTERM');
    expect(await judgeDatabase(server, name)).toEqual([]);
    await query(
      `INSERT INTO spear.segments (execution_id, first_sequence, last_sequence, writer, position, meta)
       SELECT execution_id, 1000, 1000, writer, 1000000, '[]' FROM spear.segments LIMIT 1`,
    );
    await query("UPDATE spear.executions SET status = 'running'");
    await query('DELETE FROM spear.claims');
    await query("INSERT INTO spear.claims VALUES ('default', 'two', 'exec_2')");
    expect(await judgeDatabase(server, name)).toEqual([
      `${executionId} from 1000 by 1 was written after the right of its writer was taken`,
      `${executionId} has a log that is not where its record says`,
      `${executionId} belongs to no invocation that anybody made`,
      'two is claimed by an invocation, and not there',
      `${executionId} has not ended, and nobody waits for it`,
    ]);
  });
});
