/** Several nodes of one cluster as one connection: calls go to one of them, and to another where that cannot answer. */
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import type { Connection, ServiceClient } from './channel.ts';
import { isLostConnection, isServiceError, readDetails } from './rpc-details.ts';

/** Calls of any method: what they take and give is the same on each node. */
type AnyUnary = (request: unknown, options?: object) => Promise<unknown>;
type AnyStream = (request: unknown, options?: object) => AsyncIterable<unknown>;

/**
 * Each connection leads to a node of the same cluster. A call goes to the one that answered last; what that did not
 * take, as it cannot be reached or is stopping, goes to the next at once. What broke while it was under way fails as with
 * one node, and the next call goes to the next node.
 */
export function connectToAny(connections: readonly Connection[]): Connection {
  const [first] = connections;
  if (first !== undefined && connections.length === 1) return first;
  const turn = new Turn(connections.length);
  return {
    service<Service extends DescService>(service: Service) {
      const nodes = connections.map((each) => each.service(service) as Record<string, unknown>);
      const calls: Record<string, unknown> = {};
      for (const method of service.methods) {
        const ofNodes = nodes.map((node) => node[method.localName]);
        calls[method.localName] = callOf(method, ofNodes, turn);
      }
      // Each call is of the kind of those that it stands for.
      return calls as ServiceClient<Service>;
    },
    close() {
      for (const each of connections) each.close();
    },
  };
}

/** Whose turn it is. */
class Turn {
  readonly #count: number;
  #at = 0;

  constructor(count: number) {
    this.#count = count;
  }

  get at(): number {
    return this.#at;
  }

  /** How many tries there are until each had one. */
  get tries(): number {
    return this.#count;
  }

  /** The one that had it did not answer; where another call has said so already, nothing changes. */
  pass(from: number): void {
    if (this.#at === from) this.#at = (from + 1) % this.#count;
  }
}

function callOf(method: DescMethod, nodes: readonly unknown[], turn: Turn): unknown {
  switch (method.methodKind) {
    case 'unary':
      return unary(nodes as readonly AnyUnary[], turn);
    case 'server_streaming':
      return streaming(nodes as readonly AnyStream[], turn);
    default:
      return once(nodes as readonly AnyUnary[], turn);
  }
}

function unary(nodes: readonly AnyUnary[], turn: Turn): AnyUnary {
  return async (request, options) => {
    for (let tried = 1; ; tried++) {
      const { at } = turn;
      try {
        return await (nodes[at] as AnyUnary)(request, options);
      } catch (error) {
        if (isLostConnection(error)) turn.pass(at);
        if (tried === turn.tries || !wasNotTaken(error)) throw error;
      }
    }
  };
}

function streaming(nodes: readonly AnyStream[], turn: Turn): AnyStream {
  return async function* (request, options) {
    for (let tried = 1; ; tried++) {
      const { at } = turn;
      let begun = false;
      try {
        for await (const message of (nodes[at] as AnyStream)(request, options)) {
          begun = true;
          yield message;
        }
        return;
      } catch (error) {
        if (isLostConnection(error)) turn.pass(at);
        if (begun || tried === turn.tries || !wasNotTaken(error)) throw error;
      }
    }
  };
}

/** Of requests that stream there is one try: what was sent of them is gone. */
function once(nodes: readonly AnyUnary[], turn: Turn): AnyUnary {
  return async (requests, options) => {
    const { at } = turn;
    try {
      return await (nodes[at] as AnyUnary)(requests, options);
    } catch (error) {
      if (isLostConnection(error)) turn.pass(at);
      throw error;
    }
  };
}

/** The node has not begun with it: it was not reached, or says that it takes nothing new. */
function wasNotTaken(error: unknown): boolean {
  if (!isServiceError(error) || error.code !== status.UNAVAILABLE) return false;
  const { reason } = readDetails(error);
  return reason === undefined
    ? error.details.startsWith('No connection established')
    : reason === 'DRAINING' || reason === 'CORDONED';
}
