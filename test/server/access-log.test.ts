import { expect, test } from 'vitest';
import type { Principal } from '../../src/domain/access.ts';
import { notFound, RequestError } from '../../src/domain/errors.ts';
import { AccessLog, type RefusedEntry, type SlowEntry } from '../../src/server/access/access-log.ts';
import { FakeClock } from '../support/fake-clock.ts';

const ada: Principal = { name: 'token ada', role: 'observe', tenant: 'blue' };
const getStatus = '/spearlet.FunctionService/GetExecutionStatus';

function made(slowMs = 1000, on = true) {
  const clock = new FakeClock();
  const refused: RefusedEntry[] = [];
  const slow: SlowEntry[] = [];
  const writer = {
    isOn: () => on,
    refused: (entry: RefusedEntry) => void refused.push(entry),
    slow: (entry: SlowEntry) => void slow.push(entry),
  };
  return { clock, refused, slow, log: new AccessLog(clock, writer, slowMs) };
}

test('a call that takes long is told with who made it, and one that does not is not', async () => {
  const { clock, slow, log } = made();
  const call = { path: getStatus, principal: ada, address: '10.0.0.1' };
  await log.within(call, async () => void (await clock.advance(1000)));
  expect(slow).toEqual([]);
  const failure = log.within(call, async () => {
    await clock.advance(1001);
    throw new Error('no');
  });
  await expect(failure).rejects.toThrow('no');
  expect(slow).toEqual([
    {
      method: 'FunctionService/GetExecutionStatus',
      principal: 'token ada',
      tenant: 'blue',
      address: '10.0.0.1',
      ms: 1001,
      times: 1,
    },
  ]);
});

test('calls that wait for executions are not looked at, and none is where none is slow', () => {
  const { log } = made();
  const never = made(0).log;
  expect(log.times(getStatus)).toBe(true);
  expect(log.times('/spearlet.FunctionService/InvokeFunction')).toBe(false);
  expect(log.times('/api/FunctionService/WaitExecution')).toBe(false);
  expect(never.times(getStatus)).toBe(false);
});

test('refusals of one address for one reason are a line in ten seconds, which says how many there were', async () => {
  const { clock, refused, log } = made();
  const error = notFound('task', 'none');
  const from = { address: '10.0.0.1', causes: [error] };
  for (let time = 0; time < 100; time += 1) log.refused('/api/TaskService/GetTask', error, from);
  await clock.advance(10_000);
  log.refused('/api/TaskService/GetTask', error, from);
  expect(refused).toEqual(
    [1, 100].map((times) => ({
      method: 'TaskService/GetTask',
      code: 'NOT_FOUND',
      reason: 'TASK_NOT_FOUND',
      address: '10.0.0.1',
      times,
    })),
  );
});

test('a bug is told elsewhere, and nothing is told where nobody reads it', () => {
  const bug = new RequestError('internal', 'internal error 1', { reason: 'INTERNAL' });
  const { refused, log } = made();
  log.refused(getStatus, bug, { causes: [] });
  const off = made(1000, false);
  off.log.refused(getStatus, notFound('task', 'none'), { causes: [] });
  expect([refused, off.refused]).toEqual([[], []]);
});

test('who caused an error is known by it, or by the request that it is an answer to', () => {
  const { refused, log } = made();
  const error = notFound('task', 'none');
  const request = {};
  log.madeBy(error, ada);
  log.madeBy(request, { ...ada, name: 'token grace' });
  log.refused(getStatus, error, { address: 'a', causes: [error, undefined] });
  log.refused(getStatus, error, { address: 'b', causes: [new Error('another'), request] });
  expect(refused.map(({ principal }) => principal)).toEqual(['token ada', 'token grace']);
});
