/** Which fields of a task an update names, and the definition that comes of it. */
import { create } from '@bufbuild/protobuf';
import { invalidArgument, quote } from '../../domain/errors.ts';
import { type ObjectForm, snakeCase, spokenName } from '../../domain/schema/form.ts';
import { inOrder } from '../../domain/schema/said.ts';
import { taskDefinition } from '../../domain/schema/task-definition.ts';
import type { TaskDefinition } from '../../domain/task.ts';
import { type Changeable, changeable, type TaskUpdate } from '../../domain/tasks.ts';
import { TaskDefinitionSchema, type UpdateTaskRequest } from '../gen/spearlet/task_pb.js';
import { definitionMessage } from './definition-message.ts';
import { settingsFromWire } from './task.ts';

interface NamedField {
  readonly name: Changeable;
  /** Of the field that is named, as its message has it; undefined for all of it. */
  readonly part: string | undefined;
}

const mostPaths = 100;
const roots: ReadonlyMap<string, Changeable> = new Map(changeable.map((name) => [pathOf(name), name]));

/** Throws invalid_argument, also later for what does not fit. */
export function updateFromWire({
  definition,
  updateMask,
  expectedRevision,
}: UpdateTaskRequest): Omit<TaskUpdate, 'scope'> {
  const named = namedFields(updateMask?.paths ?? []);
  const changes = new Set(named.map(({ name }) => name));
  const given = definition ?? create(TaskDefinitionSchema);
  return {
    changes,
    expectedRevision,
    changed: (before) => {
      const settings = settingsFromWire(merged(before, given, named));
      const changed = Object.fromEntries([...changes].map((name) => [name, settings[name]]));
      const { artifact, ...rest } = before;
      // The artifact comes last, as a registration has it: equal definitions have equal JSON.
      return {
        ...inOrder<Omit<TaskDefinition, 'artifact'>>(taskDefinition.form, { ...rest, ...changed }),
        artifact,
      };
    },
  };
}

/** The fields that are named, with what is not named of them as it was; of the rest only what has to be there. */
function merged(
  before: TaskDefinition,
  given: NonNullable<UpdateTaskRequest['definition']>,
  named: readonly NamedField[],
) {
  const { name, runtime } = before;
  const parts = named.filter(({ part }) => part !== undefined);
  const kept = Object.fromEntries(parts.map((field) => [field.name, before[field.name] ?? {}]));
  const message = create(TaskDefinitionSchema, definitionMessage.write({ name, runtime, ...kept }));
  for (const field of named) {
    if (field.part !== undefined) setPart(message, given, field.name, field.part);
  }
  const whole = named.filter(({ part }) => part === undefined);
  // The same fields of the same message.
  return Object.assign(message, Object.fromEntries(whole.map((field) => [field.name, given[field.name]])));
}

function setPart(message: object, given: object, name: string, part: string): void {
  const target = Reflect.get(message, name);
  if (typeof target !== 'object' || target === null) return;
  Reflect.set(target, part, Reflect.get(Object(Reflect.get(given, name) ?? {}), part));
}

function namedFields(paths: readonly string[]): NamedField[] {
  const allowed = [...roots.keys()].join(', ');
  if (paths.length === 0) throw invalidArgument('update_mask', `names nothing; allowed are ${allowed}`);
  if (paths.length > mostPaths) {
    throw invalidArgument('update_mask', `has ${paths.length} paths; allowed are ${mostPaths}`);
  }
  return paths.map((path) => {
    const [root = '', part, ...rest] = path.split('.');
    const name = roots.get(root);
    if (name === undefined) {
      throw invalidArgument(
        'update_mask',
        `${quote(path)} cannot be changed; allowed are ${allowed}${isOfTask(root) ? '; register the task again for anything else' : ''}`,
      );
    }
    return part === undefined ? { name, part } : { name, part: partOf(name, part, rest.length > 0, path) };
  });
}

function partOf(name: Changeable, part: string, isDeeper: boolean, path: string): string {
  const form = taskDefinition.form.fields.get(name)?.form;
  const parts = form?.kind === 'object' ? partsOf(form) : new Map<string, string>();
  const found = parts.get(part);
  if (found !== undefined && !isDeeper) return found;
  const under = [...parts.keys()].map((each) => `${pathOf(name)}.${each}`);
  throw invalidArgument(
    'update_mask',
    `${quote(path)} is not known; allowed are ${[pathOf(name), ...under].join(', ')}`,
  );
}

/** By the names in paths: the names in messages. */
function partsOf({ fields }: ObjectForm): ReadonlyMap<string, string> {
  return new Map(
    [...fields].map(([name, { form }]) => [snakeCase(spokenName(name, form)), spokenName(name, form)]),
  );
}

function pathOf(name: string): string {
  return snakeCase(name);
}

function isOfTask(root: string): boolean {
  return [...taskDefinition.form.fields].some(
    ([name, { form }]) => snakeCase(spokenName(name, form)) === root,
  );
}
