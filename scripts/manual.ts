/** The manual page of the command; run, it prints it: `node scripts/manual.ts | man -l -`. */
import { commandsOf } from '../src/cli/command-line.ts';
import { manualPage } from '../src/cli/manual-page.ts';
import { CommandOutput } from '../src/cli/output.ts';
import { packageVersion } from '../src/version.ts';

export function manual(): string {
  const shell = {
    env: {},
    stdin: process.stdin,
    out: new CommandOutput(process.stdout),
    err: new CommandOutput(process.stderr),
    exitCode: 0,
  };
  return manualPage(commandsOf(shell), packageVersion());
}

if (import.meta.main) process.stdout.write(manual());
