/** How a node is linked to the others of its cluster. */
import { randomUUID } from 'node:crypto';
import { type NodeConfig, splitAddress } from '../config.ts';
import type { Clock } from '../domain/clock.ts';
import type { OrderedNode } from '../domain/cluster.ts';
import { RequestError } from '../domain/errors.ts';
import {
  LinkBroken,
  type LinkedExecutions,
  type Links,
  type PeerNode,
  type Whereabouts,
} from '../domain/links.ts';
import { LinkClient } from '../server/links/link-client.ts';
import { linkIdentity } from '../server/links/link-identity.ts';
import { LinkServer } from '../server/links/link-server.ts';
import { mostKeyBytes, readSmallFile } from '../small-file.ts';
import type { Membership } from '../stores/membership.ts';
import type { Logger } from '../telemetry/logger.ts';

/** A secret that could be guessed is none. */
const leastSecretBytes = 32;

/** This node's end of the links. */
export interface LinkEnd {
  /** HOST:PORT as other nodes dial it. */
  readonly address: string;
  /** To the other nodes; `name` is this one's, and `whereabouts` says who has an execution. */
  links(name: string, whereabouts: (executionId: string) => Promise<Whereabouts>): Links;
  /** Those that there are: what is followed on others ends. */
  keep(peers: readonly PeerNode[]): void;
  /** From now on the others are answered. */
  serve(executions: LinkedExecutions, node: OrderedNode): void;
}

/**
 * Listens, and answers nobody yet; undefined for a node without a link. It is closed by `opened`. Rejects with an error
 * for people where the secret is none or the address is taken.
 */
export async function openLinks(
  config: NodeConfig,
  clock: Clock,
  logger: Logger,
  opened: AsyncDisposableStack,
): Promise<LinkEnd | undefined> {
  const { clusterListen, clusterAddress, clusterSecretFile } = config;
  if (clusterListen === '') return undefined;
  const identity = linkIdentity(secretIn(clusterSecretFile));
  const server = new LinkServer({
    identity,
    failed: (error) => logger.warn({ err: error }, 'a connection of another node was not let in'),
    bug(error, method) {
      const id = randomUUID();
      logger.error({ err: error, method, id }, 'bug: a call of another node failed in Spear itself');
      return new RequestError('internal', `internal error ${id}`, { reason: 'INTERNAL', metadata: { id } });
    },
  });
  opened.defer(() => server.close());
  const { host, port } = splitAddress('--cluster-listen', clusterListen);
  const bound = await server.listen(host, port).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot listen on ${clusterListen}, as --cluster-listen says: ${why}`, { cause: error });
  });
  const address =
    clusterAddress === '' ? `${host.includes(':') ? `[${host}]` : host}:${bound}` : clusterAddress;
  let client: LinkClient | undefined;
  return {
    address,
    links(name, whereabouts) {
      client = new LinkClient({ identity, clock, name, whereabouts });
      opened.defer(() => client?.close());
      return client;
    },
    keep: (peers) => client?.keep(peers),
    serve: (executions, node) => server.serve(executions, node),
  };
}

/** The ways to the other nodes of a store that several may use: without a link the store alone tells of them. */
export function openWays(link: LinkEnd | undefined, membership: Membership): Links {
  const find = (executionId: string) => whereabouts(membership, executionId);
  const { name } = membership;
  if (link === undefined) {
    const broken = () => new LinkBroken('this node has no link to others');
    return {
      name,
      whereabouts: find,
      // biome-ignore lint/correctness/useYield: there is nothing to tell
      async *follow() {
        throw broken();
      },
      deliver: () => Promise.reject(broken()),
      explain: () => Promise.reject(broken()),
      queue: () => Promise.reject(broken()),
      answers: () => Promise.resolve(false),
      order: () => Promise.reject(broken()),
    };
  }
  return link.links(name, find);
}

function secretIn(path: string): Buffer {
  let secret: Buffer;
  try {
    secret = readSmallFile(path, mostKeyBytes);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`--cluster-secret-file: ${path} cannot be read: ${why}`, { cause });
  }
  const text = Buffer.from(secret.toString('latin1').trimEnd(), 'latin1');
  if (text.byteLength >= leastSecretBytes) return text;
  throw new Error(
    `--cluster-secret-file: ${path} has ${text.byteLength} bytes; allowed are ${leastSecretBytes} or more that nobody can guess, such as those of: openssl rand -base64 32`,
  );
}

/** Who has an execution, as the store says. */
async function whereabouts(
  membership: Pick<Membership, 'incarnation' | 'ownerOf'>,
  executionId: string,
): Promise<Whereabouts> {
  const peer = await membership.ownerOf(executionId);
  if (peer === undefined) return { at: 'nobody' };
  return peer.incarnation === membership.incarnation ? { at: 'here' } : { at: 'peer', peer };
}
