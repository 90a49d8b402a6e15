import { create } from '@bufbuild/protobuf';
import { Command } from 'commander';
import { quote } from '../../domain/errors.ts';
import {
  DescribeMachinesResponseSchema,
  type Machine,
  type MachineState,
} from '../../server/gen/spearlet/node_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { onServer } from '../session.ts';
import type { Shell } from '../shell.ts';
import { Table } from '../table.ts';
import { UsageError } from '../usage-error.ts';

interface Options {
  readonly mermaid?: boolean;
  readonly definition?: boolean;
}

export function machineShowCommand(shell: Shell): Command {
  const command = new Command('show')
    .description('show a statechart that runs in the node, as it runs')
    .argument('[machine]', 'execution, instance or node; without it all')
    .option('--mermaid', 'as a Mermaid state diagram')
    .option('--definition', 'as a configuration that XState takes');
  onServer<Options>(command, shell, async (session, { mermaid, definition }, [name]) => {
    const { machines } = await session.nodes.describeMachines({});
    const wanted = name === undefined ? machines : machines.filter((machine) => machine.name === name);
    if (wanted.length === 0) {
      const names = machines.map((machine) => machine.name).join(', ');
      throw new UsageError(`machine: is ${quote(name ?? '')}; allowed are ${names}`);
    }
    if (mermaid === true) await shell.out.write(wanted.map((machine) => machine.mermaid).join('\n'));
    else if (definition === true) await shell.out.write(wanted.map(definitionText).join(''));
    else if (session.json) {
      const answer = create(DescribeMachinesResponseSchema, { machines: wanted });
      await session.printDocument(DescribeMachinesResponseSchema, answer);
    } else for (const machine of wanted) await writeStates(shell, machine, wanted.length > 1);
    return exitCodes.completed.code;
  });
  return command;
}

function definitionText({ definition }: Machine): string {
  return `${JSON.stringify(definition ?? {}, null, 2)}\n`;
}

async function writeStates(
  shell: Shell,
  { name, version, states }: Machine,
  isOneOfMany: boolean,
): Promise<void> {
  await shell.out.write(`${name}, version ${version}\n`);
  await new Table(shell.out, ['STATE', 'CALLERS MAY', 'EVENTS'], {
    elastic: ['EVENTS', 'CALLERS MAY'],
  }).write(states.map(row));
  if (isOneOfMany) await shell.out.write('\n');
}

function row({ path, isFinal, allowedEvents, events }: MachineState): readonly string[] {
  return [path, allowedEvents.join(', ') || '-', isFinal ? 'final' : events.join(', ')];
}
