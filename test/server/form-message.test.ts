import { describe, expect, test } from 'vitest';
import { object, oneOf, optional, text, whole } from '../../src/domain/schema/check.ts';
import type { ObjectForm } from '../../src/domain/schema/form.ts';
import { mayBeUnsaid } from '../../src/domain/schema/form.ts';
import { taskDefinition } from '../../src/domain/schema/task-definition.ts';
import { TimerPoliciesSchema } from '../../src/server/gen/spearlet/task_pb.js';
import { FormMessage } from '../../src/server/wire/form-message.ts';

const timer = oneOf('absolute', 'remaining', 'anew');

describe('a schema and its message that have grown apart do not load:', () => {
  test.each<[string, ObjectForm, string]>([
    [
      'a field that the message lacks',
      object({ start: timer, queue: timer, attempt: timer, total: timer, other: timer }).form,
      'spearlet.TimerPolicies has no other, which the schema has',
    ],
    [
      'a field that the schema lacks',
      object({ start: timer, queue: timer, attempt: timer }).form,
      'the schema has no total, which spearlet.TimerPolicies has',
    ],
    [
      'a field of another kind',
      object({ start: timer, queue: timer, attempt: timer, total: whole(0, 9) }).form,
      'spearlet.TimerPolicies.total cannot hold a whole',
    ],
    [
      'a word that the schema lacks',
      object({ start: timer, queue: timer, attempt: timer, total: oneOf('absolute', 'anew') }).form,
      'spearlet.TimerPolicies.total cannot hold a word',
    ],
    [
      'a word that the message lacks',
      object({ start: timer, queue: timer, attempt: timer, total: oneOf('absolute', 'never') }).form,
      'spearlet.TimerPolicies.total cannot hold a word',
    ],
  ])('%s', (_name, form, message) => {
    expect(() => new FormMessage(form, TimerPoliciesSchema)).toThrow(message);
  });
});

test('every field of a task that has to be there has a default, or is refused where it is not said', () => {
  const needed = [...taskDefinition.form.fields]
    .filter(([, field]) => !mayBeUnsaid(field))
    .map(([name]) => name);
  expect(needed).toEqual(['name', 'runtime', 'artifact']);
});

test('an object that gives what its schema does not know is refused, and one that lacks what may be absent is not', () => {
  const check = object<{ readonly a: string; readonly b?: number }>({
    a: text(3),
    b: optional(whole(0, 9)),
  });
  expect(check({ a: 'x' }, 'it')).toEqual({ a: 'x' });
  expect(() => check({ a: 'x', c: 1 }, 'it')).toThrow('it.c is not known');
  expect(() => check({ b: 1 }, 'it')).toThrow('it.a is missing');
});
