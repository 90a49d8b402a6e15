import { Command } from 'commander';
import { onDataFolder } from '../data-folder.ts';
import type { Shell } from '../shell.ts';

export function dbCheckCommand(shell: Shell): Command {
  const command = new Command('check').description(
    'look whether a data folder is whole, also while a server uses it; exit 1 where it is not',
  );
  return onDataFolder(command, shell, async ({ db, dataDir, print }) => {
    const { checked, findings } = await db.check(dataDir);
    const ok = findings.length === 0;
    const { executions, events, invocationIds, tasks, files } = checked;
    const counted = `checked ${executions} executions with ${events} events, ${invocationIds} invocation ids, ${tasks} revisions of tasks, ${files} files`;
    const lines = findings.map(({ subject, message }) => `${subject}: ${message}`);
    const verdict = ok ? `${counted}: all is well` : `${counted}: ${findings.length} findings`;
    await print({ ok, dataDir, checked, findings }, `${[...lines, verdict].join('\n')}\n`);
    return ok;
  });
}
