import { exitGuest, type RunContext } from './context.ts';
import type { GuestIo } from './io.ts';

/** `wasi:cli`: the guest's own streams, arguments, environment and exit. Nothing is a terminal. */
export function createCli(context: RunContext, io: GuestIo) {
  const none = () => undefined;
  return {
    environment: {
      getEnvironment: () => context.environment,
      getArguments: () => context.args,
      initialCwd: none,
    },
    exit: {
      exit: (status: { readonly tag: 'ok' | 'err' }) => exitGuest(context, status.tag === 'ok' ? 0 : 1),
      exitWithCode: (code: number) => exitGuest(context, code),
    },
    stdin: { getStdin: io.stdin },
    stdout: { getStdout: io.stdout },
    stderr: { getStderr: io.stderr },
    terminalInput: { TerminalInput: class TerminalInput {} },
    terminalOutput: { TerminalOutput: class TerminalOutput {} },
    terminalStdin: { getTerminalStdin: none },
    terminalStdout: { getTerminalStdout: none },
    terminalStderr: { getTerminalStderr: none },
  };
}
