import { Command } from 'commander';
import {
  GetDeliveryResponseSchema,
  ListDeliveriesResponseSchema,
  RedriveDeliveriesResponseSchema,
  type WebhookDelivery,
} from '../../server/gen/spearlet/webhook_pb.js';
import { stateText, timeText } from '../delivery-text.ts';
import { exitCodes } from '../exit-codes.ts';
import { collect, oneOf } from '../flag.ts';
import { printable } from '../printable.ts';
import { onServer } from '../session.ts';
import type { Shell } from '../shell.ts';
import { account, Table } from '../table.ts';
import { UsageError } from '../usage-error.ts';

const states = ['pending', 'delivered', 'dead'];

export function webhookCommand(shell: Shell): Command {
  return new Command('webhook')
    .description('who was told of the ends of executions, and telling it again')
    .addCommand(listCommand(shell))
    .addCommand(showCommand(shell))
    .addCommand(redriveCommand(shell));
}

function listCommand(shell: Shell): Command {
  const command = new Command('list')
    .description('list deliveries, the oldest executions first')
    .option(
      '--state <state>',
      `${states.join(', ')} (repeatable)`,
      (text: string, before: readonly string[] | undefined) =>
        collect(oneOf('--state', states)(text), before),
    )
    .option('--task <name>', 'only of this task')
    .option('--execution <id>', 'only of this execution');
  onServer<{ readonly state?: readonly string[]; readonly task?: string; readonly execution?: string }>(
    command,
    shell,
    async (session, options) => {
      const request = {
        states: (options.state ?? []).map((state) => states.indexOf(state) + 1),
        task: options.task ?? '',
        executionId: options.execution ?? '',
        pageSize: 1000,
      };
      const table = new Table(shell.out, ['DELIVERY', 'STATE', 'TASK', 'END', 'TRIES', 'URL', 'LAST ERROR'], {
        optional: ['LAST ERROR', 'END'],
        elastic: ['URL', 'LAST ERROR'],
      });
      let pageToken = '';
      do {
        const answer = await session.webhooks.listDeliveries({ ...request, pageToken });
        if (session.json) await session.printDocument(ListDeliveriesResponseSchema, answer);
        else await table.write(answer.deliveries.map(rowOf));
        pageToken = answer.nextPageToken;
      } while (pageToken !== '');
      return exitCodes.completed.code;
    },
  );
  return command;
}

function rowOf(delivery: WebhookDelivery): string[] {
  const { deliveryId, taskName, attempts, url, lastError } = delivery;
  return [
    deliveryId,
    stateText(delivery),
    taskName,
    endText(delivery),
    String(attempts),
    printable(url, 500),
    printable(lastError, 200) || '-',
  ];
}

function showCommand(shell: Shell): Command {
  const command = new Command('show')
    .description('show a delivery')
    .argument('<id>', 'delivery id: its webhook-id');
  onServer(command, shell, async (session, _options, [deliveryId = '']) => {
    const answer = await session.webhooks.getDelivery({ deliveryId });
    if (session.json) await session.printDocument(GetDeliveryResponseSchema, answer);
    else if (answer.delivery !== undefined) await shell.out.write(describe(answer.delivery));
    return exitCodes.completed.code;
  });
  return command;
}

function describe(delivery: WebhookDelivery): string {
  const { deliveryId, executionId, taskName, url, secret, attempts, lastStatus, lastError } = delivery;
  return account([
    ['delivery', deliveryId],
    ['state', stateText(delivery)],
    ['execution', executionId],
    ['task', taskName],
    ['end', endText(delivery)],
    ['url', printable(url, 4096)],
    ['secret', secret],
    ['made', timeText(delivery.createdAt)],
    ['tries', String(attempts)],
    ['last try', timeText(delivery.lastAttemptAt)],
    ...(delivery.nextAttemptAt === undefined
      ? []
      : [['next try', timeText(delivery.nextAttemptAt)] as [string, string]]),
    ...(lastStatus === 0 ? [] : [['answer', `HTTP ${lastStatus}`] as [string, string]]),
    ...(lastError === '' ? [] : [['error', printable(lastError, 500)] as [string, string]]),
  ]);
}

function endText({ endStatus }: WebhookDelivery): string {
  return ['', 'completed', 'failed', 'cancelled', 'timed out'][endStatus] ?? '';
}

function redriveCommand(shell: Shell): Command {
  const command = new Command('redrive')
    .description('tell it again, as if it had not been tried')
    .argument('[ids...]', 'delivery ids, in whatever state')
    .option('--dead', 'all that are dead')
    .option('--task <name>', 'of them only those of this task')
    .option('--dry-run', 'count them only');
  onServer<{ readonly dead?: boolean; readonly task?: string; readonly dryRun?: boolean }>(
    command,
    shell,
    async (session, { dead = false, task = '', dryRun = false }, deliveryIds) => {
      if (dead === deliveryIds.length > 0) {
        throw new UsageError('ID: stands beside --dead, or is missing; allowed is one or the other');
      }
      const request = { deliveryIds: [...deliveryIds], allDead: dead, task, dryRun };
      const answer = await session.webhooks.redriveDeliveries(request);
      if (session.json) await session.printDocument(RedriveDeliveriesResponseSchema, answer);
      else await shell.out.write(`${answer.redriven} ${dryRun ? 'would be told again' : 'are told again'}\n`);
      return exitCodes.completed.code;
    },
  );
  return command;
}
