import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import {
  type Instance,
  type InstancePool,
  InstanceState,
  type ListInstancesResponse,
  ListInstancesResponseSchema,
} from '../../server/gen/spearlet/instance_pb.js';
import { runtimeText } from '../definition.ts';
import { durationText } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { onServer } from '../session.ts';
import type { Shell } from '../shell.ts';
import { Table } from '../table.ts';

interface Options {
  readonly task?: string;
}

export function instancesCommand(shell: Shell): Command {
  const command = new Command('instances')
    .description('list the guest hosts, containers and processes that run functions, and their pools')
    .option('--task <task>', 'only of this task, by name or id');
  onServer<Options>(command, shell, async (session, { task = '' }) => {
    const answer = await session.instances.listInstances({ task });
    if (session.json) await session.printDocument(ListInstancesResponseSchema, answer);
    else await write(shell, answer, task);
    return exitCodes.completed.code;
  });
  return command;
}

async function write({ out }: Shell, { instances, pools }: ListInstancesResponse, task: string) {
  const of = task === '' ? '' : ` of ${task}`;
  if (instances.length === 0) {
    await out.write(`no instances${of}\n`);
  } else {
    const hasReasons = instances.some(({ reason }) => reason !== '');
    const heading = ['INSTANCE', 'RUNTIME', 'STATE', 'TASK', 'EXECUTION', 'USES', 'AGE'];
    const table = new Table(out, hasReasons ? [...heading, 'REASON'] : heading, {
      optional: ['USES', 'AGE', 'RUNTIME', 'EXECUTION'],
      elastic: ['REASON', 'TASK'],
    });
    const now = Date.now();
    await table.write(instances.map((instance) => instanceRow(instance, now)));
  }
  await out.write('\n');
  if (pools.length === 0) {
    await out.write(`no warm pools${of}\n`);
  } else {
    const columns = ['MIN', 'MAX', 'IDLE', 'BUSY', 'STARTING', 'HITS', 'COLD', 'SPOILED'];
    await new Table(out, ['TASK', 'RUNTIME', ...columns], {
      optional: ['RUNTIME', 'SPOILED', 'COLD', 'HITS'],
      elastic: ['TASK'],
    }).write(pools.map(poolRow));
  }
}

function instanceRow(instance: Instance, now: number): readonly string[] {
  const { state, reason } = instance;
  return [
    instance.instanceId,
    runtimeText(instance.runtime),
    (InstanceState[state] ?? String(state)).toLowerCase(),
    // A guest host serves every WebAssembly task.
    instance.taskName || instance.taskId || '-',
    instance.executionId || '-',
    String(instance.uses),
    ageText(instance.createdAt, now),
    reason.replace(/\s+/g, ' '),
  ];
}

/** By two clocks, ours and the server's: never below zero. */
function ageText(createdAt: Timestamp | undefined, now: number): string {
  return createdAt === undefined ? '-' : durationText(Math.max(0, now - timestampMs(createdAt)));
}

function poolRow(pool: InstancePool): readonly string[] {
  return [
    pool.taskName || pool.taskId,
    runtimeText(pool.runtime),
    String(pool.policy?.min ?? '-'),
    String(pool.policy?.max ?? '-'),
    ...[pool.idle, pool.busy, pool.starting, pool.warmHits, pool.coldStarts, pool.spoiled].map(String),
  ];
}
