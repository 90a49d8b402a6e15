/** Two supervisors on one store, each with a real link to the other; who has what is said by the test. */
import { onTestFinished } from 'vitest';
import { RequestError } from '../../../src/domain/errors.ts';
import type { PeerNode, Whereabouts } from '../../../src/domain/links.ts';
import { LinkClient } from '../../../src/server/links/link-client.ts';
import { type LinkIdentity, linkIdentity } from '../../../src/server/links/link-identity.ts';
import { LinkServer } from '../../../src/server/links/link-server.ts';
import { type SupervisorBench, supervisorBench } from '../../actors/supervisor-bench.ts';
import { createMemoryStore } from '../../support/memory-store/store.ts';

/** Of all tests: deriving one is slow, as it should be. */
export const identity = linkIdentity(Buffer.from('a secret that the nodes of a test share'));

export interface LinkedNode {
  readonly bench: SupervisorBench;
  readonly peer: PeerNode;
  readonly server: LinkServer;
  readonly client: LinkClient;
  /** Errors that no caller is told. */
  readonly bugs: unknown[];
}

export async function serverWith(own: LinkIdentity, bugs: unknown[] = []) {
  const server = new LinkServer({
    identity: own,
    failed: () => {},
    bug(error) {
      bugs.push(error);
      return new RequestError('internal', 'a bug', { reason: 'INTERNAL' });
    },
  });
  onTestFinished(() => server.close());
  return { server, port: await server.listen('127.0.0.1', 0) };
}

export async function linkedNodes() {
  const store = createMemoryStore();
  const owners = new Map<string, LinkedNode>();
  const nodes: LinkedNode[] = [];
  const node = async (incarnation: number): Promise<LinkedNode> => {
    const bugs: unknown[] = [];
    const { server, port } = await serverWith(identity, bugs);
    const peer = { incarnation, nodeId: `node_${incarnation}`, address: `127.0.0.1:${port}` };
    const whereabouts = async (executionId: string): Promise<Whereabouts> => {
      const owner = owners.get(executionId);
      if (owner === undefined) return { at: 'nobody' };
      return owner.peer === peer ? { at: 'here' } : { at: 'peer', peer: owner.peer };
    };
    const client = new LinkClient({ identity, clock: { now: Date.now }, whereabouts });
    onTestFinished(() => client.close());
    const clocks = { wall: 1_700_000_000_000, uptime: { boot: `${incarnation}`, ms: 0 } };
    const bench = supervisorBench({ links: client }, { store, clocks });
    server.serve(bench.supervisor.linked, { obey: () => Promise.resolve(true) });
    const made = { bench, peer, server, client, bugs };
    nodes.push(made);
    return made;
  };
  const [one, two] = [await node(1), await node(2)];
  return {
    store,
    owners,
    one,
    two,
    /** Admits on a node, which has it from then on. */
    async start(on: LinkedNode, request: Parameters<SupervisorBench['start']>[1] = {}): Promise<string> {
      const cursor = await on.bench.start({}, request);
      const { executionId } = await cursor.admitted();
      cursor.close('done');
      owners.set(executionId, on);
      return executionId;
    },
    /** The clocks of both go on. */
    async advance(ms: number): Promise<void> {
      for (const { bench } of nodes) await bench.clock.advance(ms);
    },
  };
}
