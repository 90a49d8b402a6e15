/** A command that talks to a server: its two common options, its connection, and how its errors end it. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { Command } from 'commander';
import type { ServiceClient } from '../client/channel.ts';
import { isServiceError } from '../client/rpc-details.ts';
import { defaultGrpcAddress as defaultAddress } from '../config.ts';
import { RequestError } from '../domain/errors.ts';
import { checkTenant } from '../domain/scope.ts';
import { AccessService } from '../server/gen/spearlet/access_pb.js';
import { BatchService } from '../server/gen/spearlet/batch_pb.js';
import { ClusterService } from '../server/gen/spearlet/cluster_pb.js';
import { FunctionService } from '../server/gen/spearlet/function_pb.js';
import { InstanceService } from '../server/gen/spearlet/instance_pb.js';
import { NodeService } from '../server/gen/spearlet/node_pb.js';
import { QuotaService } from '../server/gen/spearlet/quota_pb.js';
import { RerunService } from '../server/gen/spearlet/rerun_pb.js';
import { RevisionService } from '../server/gen/spearlet/revision_pb.js';
import { ScheduleService } from '../server/gen/spearlet/schedule_pb.js';
import { SnapshotService } from '../server/gen/spearlet/snapshot_pb.js';
import { TaskService } from '../server/gen/spearlet/task_pb.js';
import { WebhookService } from '../server/gen/spearlet/webhook_pb.js';
import { messageToJson } from '../server/wire/json-response.ts';
import { connectionTo } from './connection.ts';
import { exitCodes } from './exit-codes.ts';
import { inReferenceWords } from './flag-words.ts';
import { speaksTls } from './handshake-words.ts';
import { nodeAddresses } from './node-address.ts';
import { printableJson } from './printable.ts';
import { explain } from './rpc-error.ts';
import { note, type Shell } from './shell.ts';

export interface Session {
  readonly shell: Shell;
  /** HOST:PORT, or several of them with commas between. */
  readonly address: string;
  /** A command that a user can paste: for this server, in the same shell. */
  command(...words: readonly string[]): string;
  /** The user wants the messages as JSON. */
  readonly json: boolean;
  readonly functions: ServiceClient<typeof FunctionService>;
  readonly batches: ServiceClient<typeof BatchService>;
  readonly tasks: ServiceClient<typeof TaskService>;
  readonly instances: ServiceClient<typeof InstanceService>;
  readonly snapshots: ServiceClient<typeof SnapshotService>;
  readonly nodes: ServiceClient<typeof NodeService>;
  readonly cluster: ServiceClient<typeof ClusterService>;
  readonly access: ServiceClient<typeof AccessService>;
  readonly quotas: ServiceClient<typeof QuotaService>;
  readonly webhooks: ServiceClient<typeof WebhookService>;
  readonly schedules: ServiceClient<typeof ScheduleService>;
  readonly reruns: ServiceClient<typeof RerunService>;
  readonly revisions: ServiceClient<typeof RevisionService>;
  /** Writes a message as one JSON document. */
  printDocument<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Promise<void>;
  /** Writes a message as one line of JSON. */
  printLine<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Promise<void>;
}

interface ServerOptions {
  readonly address?: string;
  readonly tokenFile?: string;
  readonly tls?: boolean;
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly tenant?: string;
  readonly json?: boolean;
}

/**
 * `run` gets the command's options and arguments, and resolves with the exit code. `reword` puts what the
 * server refused into the words of the command and its options.
 */
export function onServer<Options extends object>(
  command: Command,
  shell: Shell,
  run: (session: Session, options: Options, args: readonly string[]) => Promise<number>,
  reword: (message: string, options: Options) => string = inReferenceWords,
): void {
  command
    .option(
      '--address <host:port>',
      `the server, or several of a cluster, with commas (or SPEAR_ADDRESS; default ${defaultAddress})`,
    )
    .option(
      '--token-file <file>',
      'the token to show, in a file (or SPEAR_TOKEN; a node of your own needs none)',
    )
    .option('--tls', 'reach the server over TLS; an address https://HOST:PORT says so, too')
    .option('--ca <file>', 'who has signed its certificate, PEM (or SPEAR_CA; default: whom Node trusts)')
    .option('--client-cert <file>', 'a certificate of your own to show, PEM (or SPEAR_CLIENT_CERT)')
    .option('--client-key <file>', 'its key, PEM (or SPEAR_CLIENT_KEY)')
    .option(
      '--tenant <name>',
      'the tenant that it is about (or SPEAR_TENANT; default: that of the token, or default)',
    )
    .option('--json', 'print the response message as JSON: one document, or one a line for streams')
    .action(async () => {
      const options = command.opts<Options & ServerOptions>();
      const addresses = nodeAddresses(
        options.address === undefined ? 'SPEAR_ADDRESS' : '--address',
        options.address ?? (shell.env.SPEAR_ADDRESS || defaultAddress),
      );
      const [named] = addresses;
      const address = addresses.map((each) => each.address).join(',');
      const connection = await connectionTo(
        { ...options, addresses, tenant: tenantFor(options, shell) },
        shell,
      );
      const print = async (schema: DescMessage, message: MessageShape<DescMessage>, indent?: number) => {
        await shell.out.write(
          `${printableJson(JSON.stringify(messageToJson(schema, message), null, indent))}\n`,
        );
      };
      const session: Session = {
        shell,
        address,
        json: options.json === true,
        command: (...words) =>
          [
            ...['spear', ...words],
            ...flagged('--address', options.address),
            ...(options.tls === true ? ['--tls'] : []),
            ...flagged('--token-file', options.tokenFile),
            ...flagged('--ca', options.ca),
            ...flagged('--client-cert', options.clientCert),
            ...flagged('--client-key', options.clientKey),
            ...flagged('--tenant', options.tenant),
          ].join(' '),
        functions: connection.service(FunctionService),
        batches: connection.service(BatchService),
        tasks: connection.service(TaskService),
        instances: connection.service(InstanceService),
        snapshots: connection.service(SnapshotService),
        nodes: connection.service(NodeService),
        cluster: connection.service(ClusterService),
        access: connection.service(AccessService),
        quotas: connection.service(QuotaService),
        webhooks: connection.service(WebhookService),
        schedules: connection.service(ScheduleService),
        reruns: connection.service(RerunService),
        revisions: connection.service(RevisionService),
        printDocument: (schema, message) => print(schema, message, 2),
        printLine: (schema, message) => print(schema, message),
      };
      try {
        shell.exitCode = await run(session, options, command.args);
      } catch (error) {
        // A check of ours in the words of the contract, made before anything was sent.
        if (error instanceof RequestError) {
          shell.exitCode = (error.kind === 'not_found' ? exitCodes.unknown : exitCodes.usage).code;
          return await note(shell, reword(error.message, options));
        }
        if (!isServiceError(error)) throw error;
        const { message, exitCode } = explain(error, address);
        shell.exitCode = exitCode;
        const isTlsOnly =
          exitCode === exitCodes.unreachable.code && connection.isPlain && (await speaksTls(named));
        const text = `what listens at ${address} speaks TLS; --address https://${address}, or --tls, reaches it`;
        await note(shell, isTlsOnly ? text : reword(message, options));
      } finally {
        connection.close();
      }
    });
}

function flagged(flag: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [flag, value];
}

/** Throws UsageError for what is no tenant. */
function tenantFor(options: ServerOptions, { env }: Pick<Shell, 'env'>): string | undefined {
  const [field, tenant] =
    options.tenant === undefined ? ['SPEAR_TENANT', env.SPEAR_TENANT] : ['--tenant', options.tenant];
  if (tenant === undefined || (tenant === '' && options.tenant === undefined)) return undefined;
  return checkTenant(field, tenant);
}
