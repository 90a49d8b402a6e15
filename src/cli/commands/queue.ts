import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { quote } from '../../domain/errors.ts';
import {
  type GetQueueResponse,
  GetQueueResponseSchema,
  type QueueClass,
  type QueueLine,
} from '../../server/gen/spearlet/node_pb.js';
import { durationText } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { wholeNumber } from '../flag.ts';
import { printable } from '../printable.ts';
import { onServer } from '../session.ts';
import type { Shell } from '../shell.ts';
import { Table } from '../table.ts';

interface Options {
  readonly allTenants?: boolean;
  readonly limit?: number;
}

/** More than a screen, and less than what pushes the longest out of sight. */
const terminalLimit = 20;
/** That a node tells. */
const mostLines = 1000;

export function queueCommand(shell: Shell): Command {
  const command = new Command('queue')
    .description('show who waits for a slot, in which lines, what holds them and what lets them go')
    .option('--all-tenants', 'the lines of all tenants; for administrators')
    .option(
      '--limit <n>',
      `how many lines, the longest first; 0 is all that the node tells (default: ${terminalLimit} on a terminal, else all)`,
      wholeNumber('--limit'),
    );
  onServer<Options>(command, shell, async (session, { allTenants = false, limit }) => {
    const isDrawn = shell.out.isTerminal && !session.json;
    const maxLines = limit ?? (isDrawn ? terminalLimit : 0);
    const queue = await session.nodes.getQueue({ allTenants, maxLines: Math.min(maxLines, mostLines) });
    if (session.json) await session.printDocument(GetQueueResponseSchema, queue);
    else await write(shell, queue, allTenants);
    return exitCodes.completed.code;
  });
  return command;
}

async function write(shell: Shell, queue: GetQueueResponse, allTenants: boolean): Promise<void> {
  const { slots, running, waiting, held, block, lines, otherLines, otherWaiting, silentNodes } = queue;
  await shell.out.write(`${running} of ${slots} slots, ${waiting} waiting, ${held} of them held\n`);
  if (block !== '') await shell.out.write(`${printable(block, 500)}\n`);
  for (const node of silentNodes) {
    await shell.out.write(`the node ${printable(node, 200)} does not answer: what it has is not counted\n`);
  }
  if (lines.length === 0) return;
  const now = queue.time === undefined ? 0 : timestampMs(queue.time);
  await shell.out.write('\n');
  await writeLines(shell, lines, { allTenants, now });
  if (otherLines > 0n) {
    const others = otherLines === 1n ? '1 line' : `${otherLines} lines`;
    await shell.out.write(`and ${others}, in which ${otherWaiting} wait\n`);
  }
  for (const line of lines) {
    if (line.classes.length === 0) continue;
    await shell.out.write(`\n${nameOf(line, allTenants)}\n${line.classes.map(classText).join('')}`);
    if (line.otherClasses > 0n) {
      const classes = line.otherClasses === 1n ? '1 more key' : `${line.otherClasses} more keys`;
      await shell.out.write(`- and those of ${classes}\n`);
    }
  }
}

async function writeLines(
  shell: Shell,
  lines: readonly QueueLine[],
  { allTenants, now }: { readonly allTenants: boolean; readonly now: number },
): Promise<void> {
  const tenant = allTenants ? ['TENANT'] : [];
  const heading = [
    ...tenant,
    'PRIORITY',
    'KEY',
    'WAITING',
    'HELD',
    'RUNNING',
    'USED',
    'DUE',
    'FIRST',
    'EXECUTION',
  ];
  const table = new Table(shell.out, heading, {
    optional: ['EXECUTION', 'FIRST', 'USED', 'DUE'],
    elastic: ['KEY', ...tenant],
  });
  await table.write(
    lines.map((line) => [
      ...(allTenants ? [line.tenant] : []),
      line.priority,
      line.fairnessKey === '' ? '-' : line.fairnessKey,
      String(line.waiting),
      String(line.held),
      String(line.running),
      percent(line.shareUsed),
      percent(line.shareDue),
      waitText(line.nextSince, now),
      line.nextExecutionId,
    ]),
  );
}

function nameOf({ tenant, priority, fairnessKey }: QueueLine, allTenants: boolean): string {
  const key = fairnessKey === '' ? '' : `, fairness key ${quote(fairnessKey)}`;
  return printable(`${allTenants ? `${tenant}: ` : ''}priority ${priority}${key}`, 500);
}

/** How many wait, what holds them, who does, and what lets them go. */
function classText({ waiting, summary, freedBy, heldBy, nextExecutionId }: QueueClass): string {
  const by = heldBy.length === 0 ? '' : `  held by ${heldBy.join(' ')}\n`;
  const first = nextExecutionId === '' ? '' : `  first is ${nextExecutionId}\n`;
  return `- ${waiting} waiting: ${printable(summary, 2000)}\n  ${printable(freedBy, 2000)}\n${by}${first}`;
}

function waitText(since: Timestamp | undefined, now: number): string {
  return since === undefined ? '-' : durationText(Math.max(0, now - timestampMs(since)));
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
