import { durationMs } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { defaultTenant } from '../../domain/scope.ts';
import {
  type FunctionSignature,
  GetTaskResponseSchema,
  InstancePolicy,
  RuntimeKind,
  type Task,
  type TaskDefinition,
} from '../../server/gen/spearlet/task_pb.js';
import { definitionMessage } from '../../server/wire/definition-message.ts';
import { runtimeText } from '../definition.ts';
import { type Entry, quarantineEntries, savingsEntries, schemaEntries } from '../definition-entries.ts';
import { durationText } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { printable, printableLines } from '../printable.ts';
import { onServer } from '../session.ts';
import { aliasText } from '../shares.ts';
import type { Shell } from '../shell.ts';
import { sizeText } from '../size.ts';
import { account } from '../table.ts';

export function taskShowCommand(shell: Shell): Command {
  const command = new Command('show')
    .description('show a task and the functions that it exports')
    .argument('<task>', 'name or id, also with @REVISION or @ALIAS');
  onServer(command, shell, async (session, _options, [task = '']) => {
    const answer = await session.tasks.getTask({ task });
    if (session.json) await session.printDocument(GetTaskResponseSchema, answer);
    else if (answer.task !== undefined) await shell.out.write(describe(answer.task));
    return exitCodes.completed.code;
  });
  return command;
}

function describe(task: Task): string {
  const { definition, functions, wit } = task;
  const head = account([
    ['name', definition?.name ?? ''],
    ['id', task.taskId],
    ...(task.tenant === '' || task.tenant === defaultTenant ? [] : [['tenant', task.tenant] as Entry]),
    ['revision', String(task.revision)],
    ...(definition === undefined ? [] : definitionEntries(definition)),
    ...allowedEntries(task),
    ...quarantineEntries(task),
    ...savingsEntries(task),
    ...task.aliases.map((alias): Entry => ['alias', aliasText(alias)]),
  ]);
  const list = functions
    .map((each) => `  ${printable(signatureText(each), Number.POSITIVE_INFINITY)}\n`)
    .join('');
  return `${head}\nfunctions\n${list}${
    wit === ''
      ? ''
      : `\nwit\n${printableLines(wit)
          .trim()
          .replace(/^(?=.)/gm, '  ')}\n`
  }`;
}

/** Those that are not said as the schema has them, but in one line or with something else. */
const ownEntries: { readonly [Name in keyof TaskDefinition]?: (definition: TaskDefinition) => Entry[] } = {
  runtime: ({ runtime }) => [['runtime', runtimeText(runtime)]],
  retry: ({ retry }) =>
    (retry?.maxAttempts ?? 1) > 1 ? [['attempts', `${retry?.maxAttempts} at most`]] : [],
  instancePolicy: ({ instancePolicy }) => [
    ['instances', instancePolicy === InstancePolicy.REUSED ? 'reused' : 'fresh'],
  ],
  warm: warmEntries,
};

/** What is told first, in this order; then all the rest of the definition. */
const first = ['description', 'container', 'args', 'environment', 'workingDirectory', 'timeouts', 'limits'];

function definitionEntries(definition: TaskDefinition): Entry[] {
  const covers = digestCovers(definition);
  const entries = new Map<string, Entry[]>(
    ['runtime', 'artifact', ...first, 'retry', 'instancePolicy', 'warm'].map((name) => [name, []]),
  );
  for (const field of definitionMessage.shown(definition)) entries.set(field.name, schemaEntries(field));
  for (const [name, own] of Object.entries(ownEntries)) entries.set(name, own(definition));
  entries.set('artifact', [
    ['artifact', artifactText(definition)],
    ...(covers === '' ? [] : [['pinned', covers] satisfies Entry]),
  ]);
  return [...entries.values()].flat();
}

function artifactText({ artifact, runtime }: TaskDefinition): string {
  const { source } = artifact ?? {};
  const where = source?.case === undefined || source.case === 'content' ? '' : source.value;
  const digest = artifact?.sha256 ? `sha256:${artifact.sha256}` : '';
  const size = artifact?.sizeBytes ? sizeText(Number(artifact.sizeBytes)) : '';
  const id = digest !== '' && runtime === RuntimeKind.DOCKER ? `image id ${digest}` : digest;
  return [where, id, size].filter((part) => part !== '').join(', ');
}

/** Nothing where no instance is kept: docker and process without a start ahead, WebAssembly whose instances are fresh. */
function warmEntries({ warm, instancePolicy }: TaskDefinition): Entry[] {
  if (warm === undefined) return [];
  const { min = 0, max, maxUses, idleTimeout, startAhead } = warm;
  if (min === 0 && !startAhead && instancePolicy !== InstancePolicy.REUSED) return [];
  const parts = [`${min}${max === undefined || max === min ? '' : ` to ${max}`} ready`];
  if (startAhead) parts.push('started ahead');
  if (idleTimeout !== undefined) parts.push(`idle for ${durationText(durationMs(idleTimeout))} at most`);
  if (maxUses !== undefined) parts.push(`${maxUses} ${maxUses === 1 ? 'use' : 'uses'} each`);
  return [['warm', parts.join(', ')]];
}

/** What reaches beyond the safest settings of the runtime: the network, folders and users are among it. */
function allowedEntries({ loosened }: Task): Entry[] {
  if (loosened.length === 0) return [['allows', 'nothing beyond the safest settings of its runtime']];
  return loosened.map((line): Entry => ['allows', line]);
}

/** What the digest holds to, where that is less than one might think. */
function digestCovers({ artifact, runtime }: TaskDefinition): string {
  if (runtime !== RuntimeKind.PROCESS || !artifact?.sha256) return '';
  return 'this file alone: if it changes, register it again; what it reads or loads, and what starts it (#!), may change';
}

/** `add(a: s32, b: s32) -> s32`; the default entry has no name. */
function signatureText({ name, parameters, result, callable, reason }: FunctionSignature): string {
  if (name === '') return '(default) the program itself: --arg, --env and --input';
  const list = parameters.map((each) => `${each.name}: ${each.type}`).join(', ');
  const text = `${name}(${list})${result === '' ? '' : ` -> ${result}`}`;
  return callable ? text : `${text}  not callable: ${reason}`;
}
