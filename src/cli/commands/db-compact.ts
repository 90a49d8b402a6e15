import { Command } from 'commander';
import { onDataFolder } from '../data-folder.ts';
import type { Shell } from '../shell.ts';
import { sizeText } from '../size.ts';

export function dbCompactCommand(shell: Shell): Command {
  const command = new Command('compact').description(
    'give back the room that deleted executions left in the database; no server may use it meanwhile',
  );
  return onDataFolder(command, shell, async ({ db, dataDir, print }) => {
    const { before, after } = await db.compact(dataDir);
    await print({ dataDir, before, after }, `${sizeText(before)} before, ${sizeText(after)} after\n`);
    return true;
  });
}
