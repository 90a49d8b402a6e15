/** The flags that say a task, as the schema has them; a file can say more. */
import type { Command } from 'commander';
import { mayReattach } from '../domain/interruption.ts';
import {
  type FieldForm,
  type Flag,
  flagGroups,
  kebabCase,
  type ObjectForm,
  snakeCase,
  spokenName,
} from '../domain/schema/form.ts';
import type { Said } from '../domain/schema/said.ts';
import { interruptPolicy, taskDefinition } from '../domain/schema/task-definition.ts';
import { webhooks } from '../domain/schema/task-webhooks.ts';
import type { InterruptPolicy, TaskDefinition } from '../domain/task.ts';
import { definitionMessage } from '../server/wire/definition-message.ts';
import { readArtifact } from './artifact.ts';
import { type Definition, type RuntimeName, resolvePreopens, runtimeNames } from './definition.ts';
import { collect, collectPairs, oneOf, parsed } from './flag.ts';
import { namesOf, parseDigest, parseLine, parserOf } from './task-value.ts';
import { UsageError } from './usage-error.ts';

/** What commander found, by the names that it makes of flags. */
export type TaskFlags = Readonly<Record<string, unknown>> & {
  readonly runtime?: RuntimeName;
  readonly artifact?: string;
  readonly sha256?: string;
  readonly preopen?: Readonly<Record<string, string>>;
  readonly network?: string;
};

export interface FlaggedField extends FieldForm {
  /** In the definition: `limits`, `cpuTimeMs`. */
  readonly path: readonly string[];
  /** In messages and files: `limits.cpu_time`. */
  readonly key: string;
  readonly flag: Flag;
  /** `--cpu-time`. */
  readonly name: string;
}

function flaggedFields({ fields }: ObjectForm, above?: Pick<FlaggedField, 'path' | 'key'>): FlaggedField[] {
  return [...fields].flatMap(([name, field]) => {
    const { form, about } = field;
    const spoken = snakeCase(spokenName(name, form));
    const place = {
      path: [...(above?.path ?? []), name],
      key: above === undefined ? spoken : `${above.key}.${spoken}`,
    };
    const { flag } = about;
    if (form.kind === 'object' && flag === undefined) return flaggedFields(form, place);
    return flag === undefined ? [] : [{ ...field, ...place, flag, name: flag.words.split(' ', 1)[0] ?? '' }];
  });
}

/** Those that have to be there come first, as in the usage. */
export const taskFlags: readonly FlaggedField[] = flaggedFields(taskDefinition.form).sort(
  (a, b) => Number(mayBeLeftOut(a)) - Number(mayBeLeftOut(b)),
);

function mayBeLeftOut({ name }: FlaggedField): boolean {
  return name !== '--runtime' && name !== '--artifact';
}

export function addTaskFlags(command: Command): Command {
  for (const group of flagGroups) {
    command.optionsGroup(group);
    for (const field of taskFlags) {
      if (field.flag.group !== group) continue;
      addFlag(command, field);
      if (field.name === '--artifact') {
        command.option(
          '--sha256 <hex>',
          'what it must have (docker: the image id)',
          parsed('--sha256', parseDigest),
        );
      }
    }
  }
  return command;
}

/** Adds the flag of a field, as the form of the field has it. */
export function addFlag(command: Command, { name, flag: { words, help }, form }: FlaggedField): void {
  switch (form.kind) {
    case 'object':
      command.option(words, help, (text: string) => parseLine(form, name, text));
      return;
    case 'truth':
    case 'other':
      command.option(words, help);
      return;
    case 'list': {
      const { item } = form;
      if (item.kind === 'object') {
        command.option(words, help, (text: string, before: readonly object[] = []) => [
          ...before,
          parseLine(item, name, text),
        ]);
        return;
      }
      const parse = parserOf(item);
      command.option(words, help, (text: string, before: readonly string[] | undefined) =>
        collect(String(parse(name, text)), before),
      );
      return;
    }
    case 'map':
      command.option(words, help, collectPairs(name, /<(.*)>/.exec(words)?.[1]?.toUpperCase()));
      return;
    case 'word': {
      const names = namesOf(form);
      const parse = oneOf(name, [...names.keys()]);
      command.option(words, help, (text: string) => names.get(parse(text)));
      return;
    }
    default:
      command.option(words, help, parsed(name, parserOf(form)));
  }
}

/** Throws a UsageError that names the flag. Paths are relative to the current folder. */
export async function readTaskFlags(
  name: string | undefined,
  args: readonly string[],
  flags: TaskFlags,
): Promise<Definition> {
  const { runtime, artifact, sha256, network } = flags;
  if (name === undefined) throw new UsageError('NAME: is missing; allowed is a name, or --file');
  if (runtime === undefined)
    throw new UsageError(`--runtime: is missing; allowed are ${runtimeNames.join(', ')}`);
  if (artifact === undefined)
    throw new UsageError('--artifact: is missing; allowed is a path, an image for docker or a URL for wasm');
  const said = saidBy(flags);
  checkRuntime(runtime, flags, said.onInterrupt);
  const folder = process.cwd();
  return {
    ...definitionMessage.write({
      ...said,
      name,
      args,
      preopens: resolvePreopens(flags.preopen ?? {}, folder),
      allowNetwork: said.allowNetwork === true || network !== undefined,
    }),
    artifact: await readArtifact('--artifact', runtime, { text: artifact, folder, sha256 }),
  };
}

/** What flags say, of all fields that have one or of some. */
export function saidBy(flags: TaskFlags, fields: readonly FlaggedField[] = taskFlags): Said<TaskDefinition> {
  const said: Record<string, unknown> = {};
  for (const { path, name } of fields) {
    const value = flags[attributeOf(name)];
    const [section = '', field] = path;
    if (value === undefined) continue;
    said[section] = field === undefined ? value : { ...Object(said[section] ?? {}), [field]: value };
  }
  // Each value came from the parser of its field's form.
  return said;
}

/** As commander names it. */
export function attributeOf(flag: string): string {
  return flag.slice(2).replace(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}

/** The server would refuse them too, and name a field where the user wrote a flag. */
function checkRuntime(
  runtime: RuntimeName,
  flags: TaskFlags,
  onInterrupt: InterruptPolicy | undefined,
): void {
  if (onInterrupt !== undefined && mayReattach(onInterrupt) && runtime !== 'docker') {
    const allowed = interruptPolicy.form.words.filter((word) => !mayReattach(word as InterruptPolicy));
    throw new UsageError(
      `--on-interrupt: ${kebabCase(onInterrupt)} is not for ${runtime}; allowed are ${allowed.join(', ')}`,
    );
  }
  for (const { name, about } of taskFlags) {
    const { runtimes } = about;
    if (flags[attributeOf(name)] === undefined || runtimes === undefined || runtimes.includes(runtime))
      continue;
    throw new UsageError(`${name}: is not for ${runtime}; allowed with ${runtimes.join(' and ')}`);
  }
}

/** A webhook in one word, as the flag of a task has it. */
export function webhook(flag: string) {
  const { item } = webhooks.form;
  return (text: string, before: readonly object[] = []) => [
    ...before,
    // A list of objects, as its schema says.
    parseLine(item as ObjectForm, flag, text),
  ];
}
