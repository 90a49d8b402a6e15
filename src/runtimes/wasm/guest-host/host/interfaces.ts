import { createCli } from './cli.ts';
import { createClocks } from './clocks.ts';
import type { RunContext } from './context.ts';
import type { GuestIo } from './io.ts';
import { createRandom } from './random.ts';

/** Interfaces by name without version, as transpiled code asks for them. */
export type GuestImports = Readonly<Record<string, object>>;

/** The interfaces that need nothing of the host but time and randomness. */
export function plainInterfaces(context: RunContext, io: GuestIo): GuestImports {
  const cli = createCli(context, io);
  const clocks = createClocks(io);
  const random = createRandom();
  return {
    'wasi:cli/environment': cli.environment,
    'wasi:cli/exit': cli.exit,
    'wasi:cli/stdin': cli.stdin,
    'wasi:cli/stdout': cli.stdout,
    'wasi:cli/stderr': cli.stderr,
    'wasi:cli/terminal-input': cli.terminalInput,
    'wasi:cli/terminal-output': cli.terminalOutput,
    'wasi:cli/terminal-stdin': cli.terminalStdin,
    'wasi:cli/terminal-stdout': cli.terminalStdout,
    'wasi:cli/terminal-stderr': cli.terminalStderr,
    'wasi:clocks/monotonic-clock': clocks.monotonicClock,
    'wasi:clocks/wall-clock': clocks.wallClock,
    'wasi:io/error': io.interfaces.error,
    'wasi:io/poll': io.interfaces.poll,
    'wasi:io/streams': io.interfaces.streams,
    'wasi:random/random': random.random,
    'wasi:random/insecure': random.insecure,
    'wasi:random/insecure-seed': random.insecureSeed,
  };
}
