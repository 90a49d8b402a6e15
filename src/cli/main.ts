/** The `spear` command: hands the process to the command line, once. */
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { runCommandLine } from './command-line.ts';
import { CommandOutput } from './output.ts';
import type { Shell } from './shell.ts';

// It writes on stderr what its errors say as well.
setLogVerbosity(logVerbosity.NONE);

const shell: Shell = {
  env: process.env,
  stdin: process.stdin,
  out: new CommandOutput(process.stdout),
  err: new CommandOutput(process.stderr),
  exitCode: 0,
};

// Not process.exit: what was written must arrive first.
process.exitCode = await runCommandLine(process.argv.slice(2), shell);
