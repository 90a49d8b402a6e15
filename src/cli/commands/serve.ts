import { Command } from 'commander';
import type { ConfigFlags } from '../../config.ts';
import { RequestError } from '../../domain/errors.ts';
import { parseDuration } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { note, type Shell } from '../shell.ts';
import { parseSize } from '../size.ts';

export function serveCommand(shell: Shell): Command {
  return new Command('serve')
    .description(
      'run a server until SIGTERM or Ctrl-C; a second signal hurries. Elsewhere than on a terminal it logs in JSON',
    )
    .option('--grpc-address <host:port>', 'where gRPC listens (default 127.0.0.1:50051)')
    .option('--http-address <host:port>', 'where HTTP listens (default 127.0.0.1:8080)')
    .option('--data-dir <dir>', 'the data folder (default: spear in the data folder of the user)')
    .option('--slots <n>', 'executions that run at once (default 2 x cores)')
    .option('--queue-limit <n>', 'executions that may be pending (default 20000)')
    .option('--max-request-bytes <size>', 'the largest request, up to 128MiB (default 8MiB)', (text) =>
      String(parseSize('--max-request-bytes', text)),
    )
    .option('--drain-ms <ms>', 'how long a drain waits for what runs (default 10000)')
    .option(
      '--log-level <level>',
      'trace, debug, info, warn, error, fatal or silent (default info; warn on a terminal)',
    )
    .option('--insecure-listen', 'listen beyond loopback although nobody is authenticated')
    .option(
      '--allow-host-access',
      'let tasks have folders of the host and be processes although this runs as root',
    )
    .option(
      '--allow-ui-actions',
      'let the page at / cancel, suspend, restore and set breakpoints; without it, it only shows',
    )
    .option('--docker-host <url>', 'the Docker engine: unix:///PATH or tcp://HOST:PORT (or DOCKER_HOST)')
    .option('--allow-private-artifact-hosts', 'fetch artifacts from hosts that are not public, too')
    .option('--max-artifact-bytes <size>', 'the largest wasm artifact, up to 1GiB (default 128MiB)', (text) =>
      String(parseSize('--max-artifact-bytes', text)),
    )
    .option('--retain-for <duration>', 'how long finished executions are kept (default 24h)', (text) =>
      String(parseDuration('--retain-for', text)),
    )
    .option(
      '--retain-bytes <size>',
      'what the store may use before finished executions go earlier (default 1GB)',
      (text) => String(parseSize('--retain-bytes', text)),
    )
    .option('--signing-key <file>', 'sign snapshots with this Ed25519 private key (PEM)')
    .option(
      '--trusted-key <file>',
      'restore only snapshots that this Ed25519 public key (PEM) has signed; may come more than once',
      (text: string, before?: string) => (before === undefined ? text : `${before}:${text}`),
    )
    .option(
      '--restore-allow <list>',
      'what tasks that come with a snapshot may want: preopens, network, process, privileges (default none)',
    )
    .addHelpText(
      'after',
      '\nEach flag is also read from the environment: SPEAR_DATA_DIR for --data-dir, and so on.',
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
