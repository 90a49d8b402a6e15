import { durationMs } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import {
  type FunctionSignature,
  GetTaskResponseSchema,
  InstancePolicy,
  InterruptPolicy,
  PullPolicy,
  RuntimeKind,
  type Task,
  type TaskDefinition,
} from '../../server/gen/spearlet/task_pb.js';
import { runtimeText } from '../definition.ts';
import { durationText } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { interruptText, timersText } from '../interruption.ts';
import { printable, printableLines } from '../printable.ts';
import { onServer } from '../session.ts';
import type { Shell } from '../shell.ts';
import { sizeText } from '../size.ts';
import { account } from '../table.ts';

export function taskShowCommand(shell: Shell): Command {
  const command = new Command('show')
    .description('show a task and the functions that it exports')
    .argument('<task>', 'name or id');
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
    ['revision', String(task.revision)],
    ...(definition === undefined ? [] : definitionEntries(definition)),
    ...allowedEntries(task),
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

type Entry = [string, string];

function definitionEntries(definition: TaskDefinition): Entry[] {
  const { timeouts, retry, environment, args } = definition;
  const entries: Entry[] = [
    ['runtime', runtimeText(definition.runtime)],
    ['artifact', artifactText(definition)],
  ];
  const covers = digestCovers(definition);
  if (covers !== '') entries.push(['pinned', covers]);
  if (definition.description !== '') entries.push(['description', definition.description]);
  entries.push(...containerEntries(definition));
  if (args.length > 0) entries.push(['args', commandText(args)]);
  for (const [name, value] of Object.entries(environment)) entries.push(['env', `${name}=${value}`]);
  if (definition.workingDirectory !== '') entries.push(['folder', definition.workingDirectory]);
  for (const name of ['queue', 'attempt', 'total'] as const) {
    const duration = timeouts?.[name];
    if (duration !== undefined) entries.push([`${name} timeout`, durationText(durationMs(duration))]);
  }
  entries.push(...limitEntries(definition));
  if ((retry?.maxAttempts ?? 1) > 1) entries.push(['attempts', `${retry?.maxAttempts} at most`]);
  entries.push(['instances', definition.instancePolicy === InstancePolicy.REUSED ? 'reused' : 'fresh']);
  entries.push(...warmEntries(definition), ...interruptionEntries(definition));
  return entries;
}

function artifactText({ artifact, runtime }: TaskDefinition): string {
  const { source } = artifact ?? {};
  const where = source?.case === undefined || source.case === 'content' ? '' : source.value;
  const digest = artifact?.sha256 ? `sha256:${artifact.sha256}` : '';
  const size = artifact?.sizeBytes ? sizeText(Number(artifact.sizeBytes)) : '';
  const id = digest !== '' && runtime === RuntimeKind.DOCKER ? `image id ${digest}` : digest;
  return [where, id, size].filter((part) => part !== '').join(', ');
}

function containerEntries({ container }: TaskDefinition): Entry[] {
  if (container === undefined) return [];
  const { command, pull, tmpfsSize } = container;
  const entries: Entry[] = [];
  if (command.length > 0) entries.push(['command', commandText(command)]);
  if (pull !== PullPolicy.UNSPECIFIED)
    entries.push(['pull', (PullPolicy[pull] ?? String(pull)).toLowerCase()]);
  if (tmpfsSize !== undefined) entries.push(['/tmp', sizeText(Number(tmpfsSize))]);
  return entries;
}

function limitEntries({ limits }: TaskDefinition): Entry[] {
  const size = (bytes: bigint | undefined) => (bytes === undefined ? undefined : sizeText(Number(bytes)));
  const most: readonly (readonly [string, string | undefined])[] = [
    ['memory', size(limits?.memory)],
    ['cpu', limits?.cpu === undefined ? undefined : `${limits.cpu} cores`],
    ['cpu time', limits?.cpuTime === undefined ? undefined : durationText(durationMs(limits.cpuTime))],
    ['processes', limits?.processes?.toString()],
    ['open files', limits?.openFiles?.toString()],
    ['file size', size(limits?.fileSize)],
    ['output', size(limits?.maxOutputBytes)],
  ];
  return most.flatMap(([name, text]): Entry[] => (text === undefined ? [] : [[name, `${text} at most`]]));
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

/** Nothing where the server is from before there was a choice. */
function interruptionEntries({ onInterrupt, maxRecoveries, timers }: TaskDefinition): Entry[] {
  const entries: Entry[] = [];
  if (onInterrupt !== InterruptPolicy.UNSPECIFIED) entries.push(['on interrupt', interruptText(onInterrupt)]);
  if (maxRecoveries !== undefined) entries.push(['recoveries', `${maxRecoveries} at most`]);
  if (timers !== undefined) entries.push(['timers', timersText(timers)]);
  return entries;
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

function commandText(words: readonly string[]): string {
  return words.map((word) => JSON.stringify(word)).join(' ');
}

/** `add(a: s32, b: s32) -> s32`; the default entry has no name. */
function signatureText({ name, parameters, result, callable, reason }: FunctionSignature): string {
  if (name === '') return '(default) the program itself: --arg, --env and --input';
  const list = parameters.map((each) => `${each.name}: ${each.type}`).join(', ');
  const text = `${name}(${list})${result === '' ? '' : ` -> ${result}`}`;
  return callable ? text : `${text}  not callable: ${reason}`;
}
