import { durationMs } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import {
  type FunctionSignature,
  GetTaskResponseSchema,
  InstancePolicy,
  RuntimeKind,
  type Task,
  type TaskDefinition,
} from '../../server/gen/spearlet/task_pb.js';
import { durationText } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
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
  ]);
  const list = functions.map((each) => `  ${signatureText(each)}\n`).join('');
  return `${head}\nfunctions\n${list}${wit === '' ? '' : `\nwit\n${wit.trim().replace(/^(?=.)/gm, '  ')}\n`}`;
}

function definitionEntries(definition: TaskDefinition): [string, string][] {
  const { artifact, timeouts, limits, retry, environment, preopens, args } = definition;
  const { source } = artifact ?? {};
  const where = source?.case === 'path' || source?.case === 'image' ? source.value : '';
  const digest = artifact?.sha256 ? `sha256:${artifact.sha256}` : '';
  const size = artifact?.sizeBytes ? sizeText(Number(artifact.sizeBytes)) : '';
  const entries: [string, string][] = [
    ['runtime', (RuntimeKind[definition.runtime] ?? '').toLowerCase()],
    ['artifact', [where, digest, size].filter((part) => part !== '').join(', ')],
  ];
  if (definition.description !== '') entries.push(['description', definition.description]);
  if (args.length > 0) entries.push(['args', args.map((arg) => JSON.stringify(arg)).join(' ')]);
  for (const [name, value] of Object.entries(environment)) entries.push(['env', `${name}=${value}`]);
  for (const [guest, host] of Object.entries(preopens)) entries.push(['preopen', `${guest}=${host}`]);
  entries.push(['network', definition.allowNetwork ? 'allowed' : 'none']);
  for (const name of ['queue', 'attempt', 'total'] as const) {
    const duration = timeouts?.[name];
    if (duration !== undefined) entries.push([`${name} timeout`, durationText(durationMs(duration))]);
  }
  if (limits?.memory !== undefined) entries.push(['memory', `${sizeText(Number(limits.memory))} at most`]);
  if (limits?.maxOutputBytes !== undefined)
    entries.push(['output', `${sizeText(Number(limits.maxOutputBytes))} at most`]);
  if ((retry?.maxAttempts ?? 1) > 1) entries.push(['attempts', `${retry?.maxAttempts} at most`]);
  entries.push(['instances', definition.instancePolicy === InstancePolicy.REUSED ? 'reused' : 'fresh']);
  return entries;
}

/** `add(a: s32, b: s32) -> s32`; the default entry has no name. */
function signatureText({ name, parameters, result, callable, reason }: FunctionSignature): string {
  if (name === '') return '(default) the program itself: --arg, --env and --input';
  const list = parameters.map((each) => `${each.name}: ${each.type}`).join(', ');
  const text = `${name}(${list})${result === '' ? '' : ` -> ${result}`}`;
  return callable ? text : `${text}  not callable: ${reason}`;
}
