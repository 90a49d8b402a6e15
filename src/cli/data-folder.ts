/** A command that works on a data folder itself: its two common options, and how its errors end it. */
import type { Command } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { note, type Shell } from './shell.ts';

interface Options {
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** What `run` has at hand. */
export interface FolderSession {
  readonly db: typeof import('../db.ts');
  readonly dataDir: string;
  readonly args: readonly string[];
  /** Writes a report: as JSON where the user wants that, and otherwise the text. */
  print(report: object, text: string): Promise<void>;
}

/** `run` resolves with whether all is well; where it is not, or cannot be done, the command exits with 1. */
export function onDataFolder(
  command: Command,
  shell: Shell,
  run: (session: FolderSession) => Promise<boolean>,
): Command {
  return command
    .option('--data-dir <dir>', 'the data folder (or SPEAR_DATA_DIR; default: the one that serve uses)')
    .option('--json', 'print one JSON document')
    .action(async () => {
      const { dataDir, json } = command.opts<Options>();
      // Loaded only here: the other commands need nothing of a store.
      const db = await import('../db.ts');
      const print = (report: object, text: string): Promise<void> =>
        shell.out.write(json === true ? `${JSON.stringify(report, null, 2)}\n` : text);
      try {
        const session = { db, dataDir: db.dataDirOf(dataDir, shell.env), args: command.args, print };
        if (!(await run(session))) shell.exitCode = exitCodes.functionError.code;
      } catch (error) {
        if (!(error instanceof db.StoreError)) throw error;
        await note(shell, error.message);
        shell.exitCode = exitCodes.functionError.code;
      }
    });
}
