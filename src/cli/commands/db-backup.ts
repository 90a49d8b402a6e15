import { resolve } from 'node:path';
import { Command } from 'commander';
import { onDataFolder } from '../data-folder.ts';
import { note, type Shell } from '../shell.ts';
import { sizeText } from '../size.ts';

export function dbBackupCommand(shell: Shell): Command {
  const command = new Command('backup')
    .description('copy a data folder as it is at one moment, also while a server uses it')
    .argument('<target>', 'the folder to make; a server can be started on it');
  return onDataFolder(command, shell, async ({ db, dataDir, args: [target = ''], print }) => {
    const path = resolve(target);
    const told: Promise<void>[] = [];
    const report = await db.backup(dataDir, path, (step) => void told.push(note(shell, step)));
    await Promise.all(told);
    const { databaseBytes, files, fileBytes, missing } = report;
    for (const sha256 of missing) await note(shell, `${sha256} is missing or damaged, and not in the backup`);
    const text = `${path}: a database of ${sizeText(databaseBytes)}, ${files} files of ${sizeText(fileBytes)}\n`;
    await print({ target: path, dataDir, ...report }, text);
    return missing.length === 0;
  });
}
