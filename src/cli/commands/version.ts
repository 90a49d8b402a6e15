import { Command } from 'commander';
import { packageVersion } from '../../version.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Shell } from '../shell.ts';

export function versionCommand(shell: Shell): Command {
  return new Command('version')
    .description('print the version of this command; spear top says that of a server')
    .action(async () => {
      await shell.out.write(`${packageVersion()}\n`);
      shell.exitCode = exitCodes.completed.code;
    });
}
