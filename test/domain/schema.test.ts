import { describe, expect, test } from 'vitest';
import { Mismatch } from '../../src/domain/schema/check.ts';
import type { FieldForm, Form, ObjectForm } from '../../src/domain/schema/form.ts';
import { taskDefinition } from '../../src/domain/schema/task-definition.ts';
import { labels } from '../../src/domain/schema/values.ts';
import { taskCheck } from '../../src/domain/snapshot/task-check.ts';
import { taskOf } from '../stores/samples.ts';

/** All fields of a form and of the objects in it, by their path. */
function fieldsOf({ fields }: ObjectForm, above = ''): [string, FieldForm][] {
  return [...fields].flatMap(([name, field]): [string, FieldForm][] =>
    field.form.kind === 'object' ? fieldsOf(field.form, `${above}${name}.`) : [[`${above}${name}`, field]],
  );
}

const all = fieldsOf(taskDefinition.form);

test('every field of a task says what it means', () => {
  expect(all.filter(([, { about }]) => about.means === undefined).map(([path]) => path)).toEqual([]);
});

test('every default is one that its own field takes', () => {
  for (const [path, { form, about }] of all) {
    if (!('default' in about)) continue;
    expect(() => checked(form, about.default, path), path).not.toThrow();
  }
});

/** Holds a value against the bounds of a form. */
function checked(form: Form, value: unknown, path: string): void {
  if (form.kind === 'text') {
    const fits = form.pattern === undefined || form.pattern.test(String(value));
    if (!fits && !(form.mayBeEmpty && value === '')) throw new Error(path);
  } else if (form.kind === 'word' && !form.words.includes(String(value))) throw new Error(path);
  else if ('least' in form && !(Number(value) >= form.least && Number(value) <= form.most))
    throw new Error(path);
}

test('no two fields of a task have the same flag', () => {
  const flags = all.flatMap(([, { about }]) => about.flag?.words.split(' ', 1)[0] ?? []);
  expect(new Set(flags).size).toBe(flags.length);
});

test('a snapshot may leave out the values of what is secret, and of nothing else', () => {
  const id = 'task_00000000000000000000000001';
  const task = taskOf(id, 1, 'echo', {
    environment: { A: 'x' },
    preopens: { '/a': '/b' },
    secrets: { S: 'key' },
    labels: { a: 'b' },
    runsOn: { a: 'b' },
    limits: { memory: 2 ** 20, maxOutputBytes: 2, maxOutputEvents: 3 },
  });
  const without = (field: string) => {
    const values = Object.entries(Object(Reflect.get(task.definition, field)));
    const redacted = Object.fromEntries(values.map(([name]) => [name, null]));
    return { ...task, definition: { ...task.definition, [field]: redacted } };
  };
  expect(() => taskCheck(task, 'task')).not.toThrow();
  const maps = all.filter(([, { form }]) => form.kind === 'map');
  expect(maps.map(([path]) => path)).toEqual(['environment', 'preopens', 'secrets', 'labels', 'runsOn']);
  for (const [path, { about }] of maps) {
    const check = () => taskCheck(without(path), 'task');
    if (about.secret === true) expect(check, path).not.toThrow();
    else expect(check, path).toThrow(Mismatch);
  }
});

describe('a label of a snapshot', () => {
  test.each<[string, object]>([
    ['a key that is none', { 'a/': 'x' }],
    ['a value with a control character', { a: '\u0007' }],
    ['a value that is no text', { a: 1 }],
    ['too many', Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`k${index}`, '']))],
  ])('is held to the same rules: %s is refused', (_name, value) => {
    expect(() => labels(value, 'labels')).toThrow(Mismatch);
  });

  test('may have what a request may have', () => {
    const value = { 'example.org/Team_1': 'é', 'a-b': '' };
    expect(labels(value, 'labels')).toEqual(value);
  });
});
