/** The ways to the other nodes of a cluster: one connection to each, made with the first call. */
import type { PeerCertificate } from 'node:tls';
import {
  create,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { Clock } from '../../domain/clock.ts';
import type { NodeOrder } from '../../domain/cluster.ts';
import type { Changed } from '../../domain/executions.ts';
import type { Explanation } from '../../domain/explanation.ts';
import {
  type FollowedPart,
  type FollowWish,
  type LinkAction,
  LinkBroken,
  type Links,
  type PeerNode,
  type Whereabouts,
} from '../../domain/links.ts';
import type { NodeQueue } from '../../domain/queue-view.ts';
import type { Scope } from '../../domain/scope.ts';
import { NodeLink } from '../gen/spearlet/link/node_link_pb.js';
import { methodPath } from '../service-definition.ts';
import { eventFromLink, linkFailure, orderToLink, recordFromLink } from './link-form.ts';
import type { LinkIdentity } from './link-identity.ts';

export interface LinkClientOptions {
  /** Of this node among the others. */
  readonly name: string;
  readonly identity: LinkIdentity;
  readonly clock: Pick<Clock, 'now'>;
  /** Who has an execution. Rejects with StoreError. */
  whereabouts(executionId: string): Promise<Whereabouts>;
}

/** Of a page of events, or of a record with the value of a typed function. */
export const mostLinkBytes = 16 * 1024 * 1024;
/** How long the other node may take to make something durable, in milliseconds. */
const answerMs = 10_000;
/** A node that is stopped or cut off says nothing: who follows one looks elsewhere after this and as long again. */
const silenceMs = 1000;

export class LinkClient implements Links {
  readonly #options: LinkClientOptions;
  readonly #clients = new Map<string, Client>();
  #closed = false;

  constructor(options: LinkClientOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  whereabouts(executionId: string): Promise<Whereabouts> {
    return this.#options.whereabouts(executionId);
  }

  async *follow(
    peer: PeerNode,
    { executionId, from, observes }: FollowWish,
    signal: AbortSignal,
  ): AsyncGenerator<FollowedPart> {
    const method = NodeLink.method.follow;
    const call = this.#client(peer).makeServerStreamRequest(
      methodPath(method),
      serializer(method),
      (bytes: Buffer): MessageShape<typeof method.output> => fromBinary(method.output, bytes),
      { executionId, fromSequence: BigInt(from), observes },
    );
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      for await (const { record, events } of call as AsyncIterable<MessageShape<typeof method.output>>) {
        yield {
          ...(record !== '' && { record: recordFromLink(record) }),
          events: events.map(eventFromLink),
        };
      }
    } catch (error) {
      throw linkFailure(error);
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  async deliver(peer: PeerNode, executionId: string, action: LinkAction, by = ''): Promise<Changed> {
    const value = action.kind === 'cancel' ? { reason: action.reason } : {};
    const { changed, record } = await this.#ask(peer, NodeLink.method.deliver, {
      executionId,
      by,
      action: { case: action.kind, value },
    } as MessageInitShape<typeof NodeLink.method.deliver.input>);
    return { changed, record: recordFromLink(record) };
  }

  async explain(peer: PeerNode, executionId: string, scope: Scope): Promise<Explanation> {
    const answer = await this.#ask(peer, NodeLink.method.explain, {
      executionId,
      scope: JSON.stringify(scope),
    });
    return JSON.parse(answer.explanation) as Explanation;
  }

  answers(peer: PeerNode, withinMs: number): Promise<boolean> {
    return this.#ask(peer, NodeLink.method.ping, {}, withinMs).then(
      () => true,
      // Who refuses has answered, and so has one of a version that does not know the question.
      (error: unknown) => !(error instanceof LinkBroken) || hasCode(error.cause, status.UNIMPLEMENTED),
    );
  }

  async queue(peer: PeerNode, scope: Scope, mostLines: number): Promise<NodeQueue> {
    const asked = { scope: JSON.stringify(scope), maxLines: mostLines };
    return JSON.parse((await this.#ask(peer, NodeLink.method.queue, asked)).queue) as NodeQueue;
  }

  async order(peer: PeerNode, order: NodeOrder, by: string, heir = 0): Promise<boolean> {
    return (
      await this.#ask(peer, NodeLink.method.order, { order: orderToLink[order], by, heir: BigInt(heir) })
    ).changed;
  }

  close(): void {
    this.#closed = true;
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  /** The nodes that there are: connections to all others end, and with them what is followed there. */
  keep(peers: readonly PeerNode[]): void {
    const addresses = new Set(peers.map(({ address }) => address));
    for (const [address, client] of this.#clients) {
      if (addresses.has(address)) continue;
      this.#clients.delete(address);
      client.close();
    }
  }

  #ask<Method extends DescMethod>(
    peer: PeerNode,
    method: Method,
    request: MessageInitShape<Method['input']>,
    withinMs = answerMs,
  ): Promise<MessageShape<Method['output']>> {
    return new Promise((resolve, reject) => {
      this.#client(peer).makeUnaryRequest(
        methodPath(method),
        serializer(method),
        (bytes: Buffer) => fromBinary(method.output, bytes) as MessageShape<Method['output']>,
        request,
        new Metadata(),
        { deadline: this.#options.clock.now() + withinMs },
        (error, response) => {
          if (error !== null) reject(linkFailure(error));
          else if (response === undefined) reject(new LinkBroken(`no answer to ${method.name}`));
          else resolve(response);
        },
      );
    });
  }

  #client({ address, nodeId }: PeerNode): Client {
    if (this.#closed) throw new LinkBroken('the node is stopping');
    if (address === '') throw new LinkBroken(`the node ${nodeId} has no link`);
    let client = this.#clients.get(address);
    if (client === undefined) {
      client = new Client(address, this.#channel(), {
        'grpc.max_receive_message_length': mostLinkBytes,
        'grpc.max_send_message_length': mostLinkBytes,
        'grpc.enable_channelz': 0,
        'grpc.enable_http_proxy': 0,
        'grpc.keepalive_time_ms': silenceMs,
        'grpc.keepalive_timeout_ms': silenceMs,
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 1000,
        // grpc-js would name an address in the handshake, which RFC 6066, 3 forbids and Node refuses.
        'grpc.ssl_target_name_override': 'spear.invalid',
      });
      this.#clients.set(address, client);
    }
    return client;
  }

  #channel() {
    const { cert, key, raw } = this.#options.identity;
    const ca = Buffer.from(cert);
    // Whatever its name: it is the one certificate that counts.
    const checkServerIdentity = (_host: string, shown: PeerCertificate): Error | undefined =>
      raw.equals(shown.raw) ? undefined : new Error('the other node has another secret');
    return credentials.createSsl(ca, Buffer.from(key), ca, { checkServerIdentity });
  }
}

function hasCode(cause: unknown, code: number): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code;
}

function serializer<Method extends DescMethod>(method: Method) {
  return (request: MessageInitShape<Method['input']>): Buffer =>
    Buffer.from(toBinary(method.input, create(method.input, request)));
}
