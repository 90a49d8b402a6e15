import { Command } from 'commander';
import type { ConfigFlags } from '../../config.ts';
import { RequestError } from '../../domain/errors.ts';
import { addConfigFlags } from '../config-flags.ts';
import { exitCodes } from '../exit-codes.ts';
import { note, type Shell } from '../shell.ts';

export function serveCommand(shell: Shell): Command {
  return addConfigFlags(new Command('serve'))
    .description(
      'run a server until SIGTERM or Ctrl-C; a second signal hurries. Elsewhere than on a terminal it logs in JSON',
    )
    .addHelpText(
      'after',
      '\nEach flag is also read from the environment (SPEAR_DATA_DIR for --data-dir, and so on) and from the\nfile of --config (data_dir); a flag goes before the environment, and that before the file. See spear config.',
    )
    .action(async (flags: ConfigFlags) => {
      // Loaded only here: the other commands need nothing of a server.
      const { serve } = await import('../../serve.ts');
      try {
        const tell = (text: string): void => void shell.out.write(text).catch(() => undefined);
        await serve(flags, shell.env, shell.out.isTerminal ? tell : undefined);
      } catch (error) {
        if (error instanceof RequestError) throw error;
        await note(shell, error instanceof Error ? error.message : String(error));
        shell.exitCode = exitCodes.functionError.code;
      }
    });
}
