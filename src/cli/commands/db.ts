import { Command } from 'commander';
import type { Shell } from '../shell.ts';
import { dbBackupCommand } from './db-backup.ts';
import { dbCheckCommand } from './db-check.ts';
import { dbCompactCommand } from './db-compact.ts';

export function dbCommand(shell: Shell): Command {
  return new Command('db')
    .description('check, back up and compact the data folder of a server on this machine')
    .addCommand(dbCheckCommand(shell))
    .addCommand(dbBackupCommand(shell))
    .addCommand(dbCompactCommand(shell));
}
