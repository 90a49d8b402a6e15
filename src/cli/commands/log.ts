import { Command } from 'commander';
import { logFormats, logLevels } from '../../domain/log-settings.ts';
import { SetLoggingResponseSchema } from '../../server/gen/spearlet/node_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { oneOf } from '../flag.ts';
import { onServer } from '../session.ts';
import type { Shell } from '../shell.ts';

export function logCommand(shell: Shell): Command {
  return new Command('log')
    .description('show or change what the log of a server tells, and how, until it ends')
    .addCommand(settingCommand(shell, 'level', logLevels))
    .addCommand(settingCommand(shell, 'format', logFormats));
}

function settingCommand(shell: Shell, name: 'level' | 'format', words: readonly string[]): Command {
  const argument = `[${name}]`;
  const command = new Command(name)
    .description(`the ${name} of the log, or what it is from now on: ${words.join(', ')}`)
    .argument(argument, words.join(', '));
  onServer(command, shell, async (session, _options, [given]) => {
    const value = given === undefined ? '' : oneOf(name.toUpperCase(), words)(given);
    const answer = await session.nodes.setLogging({ [name]: value });
    if (session.json) await session.printDocument(SetLoggingResponseSchema, answer);
    else await shell.out.write(`${answer[name]}\n`);
    return exitCodes.completed.code;
  });
  return command;
}
