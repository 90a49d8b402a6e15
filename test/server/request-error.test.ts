import { expect, test } from 'vitest';
import { RequestError } from '../../src/domain/errors.ts';
import { DamagedError, Fenced, StoreError } from '../../src/domain/store-error.ts';
import { toRequestError } from '../../src/server/chain.ts';
import { ArtifactError } from '../../src/stores/artifacts.ts';
import { NoSpareRoom } from '../../src/stores/space-reserve.ts';
import { DataDirError } from '../../src/stores/sqlite/file/data-dir-error.ts';

class Renamed extends StoreError {
  override readonly name = 'Renamed';
}

const id = 'bug_1';

test.for<[string, unknown, object]>([
  [
    'a medium that failed',
    new StoreError('/data: ENOSPC'),
    { reason: 'STORE_UNAVAILABLE', retryAfterMs: 1000 },
  ],
  ['no room beside the database', new NoSpareRoom('5 bytes more'), { reason: 'STORE_UNAVAILABLE' }],
  ['a folder that is gone', new DataDirError('/data'), { reason: 'STORE_UNAVAILABLE' }],
  ['bytes that cannot be read now', new ArtifactError('x', {}, 'medium'), { reason: 'STORE_UNAVAILABLE' }],
  ['any other error of the store', new Renamed('x'), { reason: 'STORE_UNAVAILABLE' }],
  ['what is damaged', new DamagedError('the log'), { reason: 'INTERNAL', metadata: { id } }],
  ['bytes that are gone', new ArtifactError('x is missing'), { reason: 'INTERNAL', metadata: { id } }],
  ['a bug', new TypeError('x is not a function'), { reason: 'INTERNAL', metadata: { id } }],
  [
    'an error that only has the name',
    Object.assign(new Error('x'), { name: 'StoreError' }),
    { reason: 'INTERNAL' },
  ],
])('a caller hears the kind of an error and none of its words: %s', ([, thrown, expected]) => {
  const heard = { bugs: [] as unknown[], faults: [] as unknown[] };
  const bug = (error: unknown): string => {
    heard.bugs.push(error);
    return id;
  };
  const storeFailed = (error: unknown) => void heard.faults.push(error);
  const error = toRequestError(thrown, 'Get', { bug, storeFailed });
  expect(error).toMatchObject(expected);
  // A disk that is full is no bug of ours.
  const isBug = error.reason === 'INTERNAL';
  expect(heard).toEqual({ bugs: isBug ? [thrown] : [], faults: isBug ? [] : [thrown] });
  if (thrown instanceof Error) expect(error.message).not.toContain(thrown.message);
});

test('a call of a node that others have taken over from is for another node, and no bug', () => {
  const bug = (): string => expect.unreachable('it was taken for a bug');
  const storeFailed = (): void => expect.unreachable('it was taken for a fault of the store');
  const error = toRequestError(new Fenced('fenced'), 'Get', { bug, storeFailed });
  expect(error).toMatchObject({ kind: 'unavailable', reason: 'DRAINING', retryAfterMs: 1000 });
});

test('an error that is for the caller is told as it is, and is no bug', () => {
  const known = new RequestError('not_found', 'no task "x"', { reason: 'TASK_NOT_FOUND' });
  const bug = (): string => expect.unreachable('it was taken for a bug');
  const storeFailed = (): void => expect.unreachable('it was taken for a fault of the store');
  expect(toRequestError(known, 'Get', { bug, storeFailed })).toBe(known);
});
