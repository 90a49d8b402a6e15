import { Command, Option } from 'commander';
import type { ConfigFlags } from '../../config.ts';
import { RequestError } from '../../domain/errors.ts';
import { longestDays } from '../../domain/schema/values.ts';
import { parseDuration } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { note, type Shell } from '../shell.ts';
import { parseSize } from '../size.ts';

/** What docs/security.md explains. */
const edge: readonly (readonly [flags: string, description: string, several?: true])[] = [
  ['--tls-cert <file>', 'the certificate (PEM) for gRPC and HTTP, and those that lead to it'],
  ['--tls-key <file>', 'its key (PEM); both files are read again when they change, and on SIGHUP'],
  ['--tls-self-signed', 'TLS with a certificate of its own, in the data folder: for trying'],
  [
    '--tls-client-ca <file>',
    'who signs the certificates (PEM) that callers may show; see spear token create --san',
  ],
  ['--insecure-listen', 'listen beyond loopback in the clear: behind a proxy that has TLS'],
  [
    '--jwt-jwks <file|url>',
    'take tokens (JWT) of an issuer whose keys are in this file or at this https URL',
  ],
  ['--jwt-issuer <text>', 'what their claim iss has to say'],
  ['--jwt-audience <text>', 'what their claim aud has to say'],
  ['--jwt-tenant-claim <name>', 'the claim with the tenant of the caller (default spear_tenant)'],
  ['--jwt-role-claim <name>', 'the claim with the role (default spear_role)'],
  ['--jwt-tasks-claim <name>', 'the claim with the patterns of task names (default spear_tasks)'],
  ['--jwt-allow-admin', 'let that role be admin'],
  [
    '--image-registry <host[:port]>',
    'a registry that whoever registers may name, beside Docker Hub; may come more than once',
    true,
  ],
  ['--http-host <name>', 'another name that HTTP answers to; may come more than once', true],
];

/** What docs/traces.md explains. */
const traces: readonly (readonly [flags: string, description: string])[] = [
  [
    '--otlp-endpoint <url>',
    'send traces there, by OTLP over HTTP (or OTEL_EXPORTER_OTLP_ENDPOINT); default: nowhere',
  ],
  [
    '--trace-sample <part>',
    'of the executions whose caller has no trace, the part that begins one (default 0.1)',
  ],
  ['--otlp-service-name <name>', 'what these traces call this service (default spear)'],
];

/** What docs/limits.md explains. */
const bounds: readonly (readonly [
  flags: string,
  description: string,
  parse?: (flag: string, text: string) => number | string,
])[] = [
  ['--request-bytes-in-flight <size>', 'bytes of all requests under way (default 256MiB)', parseSize],
  ['--max-request-values <n>', 'values, keys and elements of one request (default 50000)'],
  ['--receive-idle-ms <ms>', 'how long a request may bring no byte (default 10000)'],
  ['--receive-total-ms <ms>', 'how long a request may take to arrive (default 60000)'],
  ['--send-bytes-in-flight <size>', 'bytes that wait for all readers together (default 512MiB)', parseSize],
  ['--send-idle-ms <ms>', 'how long a caller may take nothing of its answer (default 120000)'],
  ['--max-connections <n>', 'connections of all callers (default 4096)'],
  ['--max-connections-per-address <n>', 'connections of one address (default 1024)'],
  ['--max-streams-per-connection <n>', 'calls at once on one gRPC connection (default 1000)'],
  ['--idle-connection-ms <ms>', 'how long a gRPC connection without a call stays open (default 300000)'],
  ['--max-watchers <n>', 'streams that follow something (default 1000)'],
  ['--max-watchers-per-connection <n>', 'those of one connection (default 400)'],
  ['--max-watchers-per-principal <n>', 'those of one principal (default 800)'],
  ['--max-calls-per-principal <n>', 'calls under way of one principal (default 20000)'],
  ['--max-calls-per-address <n>', 'calls under way of one address (default 20000)'],
  ['--max-scratch-bytes <size>', 'what an execution may write to the disk (default 512MiB)', parseSize],
  ['--max-snapshot-bytes <size>', 'the largest snapshot that is restored (default 1GiB)', parseSize],
  ['--max-restores <n>', 'snapshots that are restored at once (default 8)'],
  ['--max-memory <size>', 'the most memory that a task may ask for (default: all there is)', parseSize],
  ['--max-cpu <cores>', 'the most cores that a task may ask for (default: all there are)'],
  ['--max-processes <n>', 'the most processes that a task may ask for (default 32768)'],
  ['--max-open-files <n>', 'the most open files that a task may ask for (default 65536)'],
  ['--max-output-bytes <size>', 'the most output that a task may ask for (default 4GiB)', parseSize],
  [
    '--max-timeout <duration>',
    `the longest timeout that a task may ask for (default ${longestDays}d)`,
    parseDuration,
  ],
  ['--max-warm <n>', 'the most instances that a task may keep ready (default 100)'],
  [
    '--guest-memory <size>',
    'the sum of the memory limits of what runs at once; "auto" is that of the machine or its cgroup, less what the node needs (default: not counted)',
    (flag, text) => (text === 'auto' ? text : parseSize(flag, text)),
  ],
  [
    '--guest-processors <cores>',
    'the sum of the processor limits of what runs at once; "auto" is all there are (default: not counted)',
  ],
];

/** Values of an option that may come more than once, as its variable has them. */
function joined(text: string, before: string | undefined): string {
  return before === undefined ? text : `${before},${text}`;
}

export function serveCommand(shell: Shell): Command {
  const command = new Command('serve');
  for (const [flags, description, parse] of bounds) {
    const [flag = ''] = flags.split(' ');
    if (parse === undefined) command.option(flags, description);
    else command.option(flags, description, (text: string) => String(parse(flag, text)));
  }
  for (const [flags, description] of traces) command.option(flags, description);
  for (const [flags, description, several] of edge) {
    if (several === undefined) command.option(flags, description);
    else command.option(flags, description, (text: string, before?: string) => joined(text, before));
  }
  return command
    .description(
      'run a server until SIGTERM or Ctrl-C; a second signal hurries. Elsewhere than on a terminal it logs in JSON',
    )
    .option('--grpc-address <host:port>', 'where gRPC listens (default 127.0.0.1:50051)')
    .option('--http-address <host:port>', 'where HTTP listens (default 127.0.0.1:8080)')
    .option('--data-dir <dir>', 'the data folder (default: spear in the data folder of the user)')
    .option('--slots <n>', 'executions that run at once (default 2 x cores)')
    .option('--queue-limit <n>', 'executions that may be pending (default 1000000)')
    .option(
      '--queue-target-ms <ms>',
      'where everybody waits for longer, refuse what is of normal and low priority (default 0: never)',
    )
    .option('--queue-interval-ms <ms>', 'for how long everybody has to wait for longer (default 5000)')
    .option(
      '--priority-weights <list>',
      'what each priority has of the slots against the others of its tenant (default low=1,normal=4,high=16,urgent=64)',
    )
    .option(
      '--queue-in-memory <n>',
      'of those that wait, how many stay in memory; the others wait on disk (default 1024)',
    )
    .option('--max-request-bytes <size>', 'the largest request, up to 128MiB (default 8MiB)', (text) =>
      String(parseSize('--max-request-bytes', text)),
    )
    .option('--drain-ms <ms>', 'how long a drain waits for what runs (default 10000)')
    .option(
      '--log-level <level>',
      'trace, debug, info, warn, error, fatal or silent (default info; warn on a terminal)',
    )
    .option(
      '--allow-host-access',
      'let tasks have folders of the host and be processes although this runs as root, or cannot hide its own files from them',
    )
    .option('--unsafe-preopens', 'let wasm tasks have folders of the host although there is no /proc here')
    .option(
      '--secrets-dir <dir>',
      'where secrets of tasks are: a folder for each tenant, a file for each key',
    )
    .option(
      '--allow-guest-loopback',
      'let wasm tasks with a network reach loopback; this server stays out of their reach',
    )
    .option(
      '--anonymous-role <role>',
      'what callers without a token may do: none (the default), observe, invoke, develop or operate',
    )
    .addOption(new Option('--allow-ui-actions').hideHelp())
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
