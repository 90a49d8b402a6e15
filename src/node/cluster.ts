/** The cluster of a node, as those who place executions see it. */
import type { ClusterView } from '../actors/executions/cluster/cluster-desk.ts';
import type { Duty } from '../domain/duty.ts';
import type { Labels } from '../domain/labels.ts';
import type { NodePlace } from '../domain/placement.ts';
import type { Resources } from '../domain/scheduling/gate.ts';
import type { PlacingNode } from '../domain/scheduling/places.ts';
import type { RuntimeKind } from '../domain/task.ts';
import type { SecretSource } from '../runtimes/runtime.ts';
import type { ClusterQueue } from '../stores/cluster-queue.ts';
import type { Membership, Peer } from '../stores/membership.ts';
import type { SharedChanges } from '../stores/shared-changes.ts';

interface Parts {
  readonly membership: Membership;
  readonly queue: ClusterQueue;
  readonly labels: Labels;
  readonly runtimes: readonly RuntimeKind[];
  readonly secrets: SecretSource;
  readonly changes: SharedChanges;
  /** It is to begin nothing more. */
  isCordoned(): boolean;
}

/** What the holder of this lease does: it gives away what waits. */
export const dispatching = 'dispatcher';
/** What one node does for all, by the names of the leases. */
export const duties = [dispatching, 'schedules', 'webhooks', 'retention'] as const;

/** What one node does for all, by the name of its lease. */
export function dutyOf(membership: Membership, name: (typeof duties)[number]): Duty {
  const lease = membership.lease(name);
  return {
    isMine: () => lease.epoch !== undefined && membership.mayAct(),
    onChange: (listener) => void membership.onChange(listener),
  };
}

export function clusterView({
  membership,
  queue,
  labels,
  runtimes,
  secrets,
  changes,
  isCordoned,
}: Parts): ClusterView {
  const lease = membership.lease(dispatching);
  const place = { labels, runtimes };
  // Other nodes know of them with the next renewal.
  membership.tell({ runtimes });
  let isKnown = false;
  membership.onChange(() => {
    isKnown = true;
    membership.tell({ runtimes, dispatcher: lease.epoch !== undefined });
  });
  return {
    queue,
    secrets,
    place,
    tellWarm: (warm) => membership.tell({ warm }),
    tellLacks: (lacks = {}) => membership.tell({ lacks: newest(lacks) }),
    nodes: () => membership.peers().filter(takesOthers).map(nodeOf),
    largest: () => largestOf(membership.peers()),
    // Before the first look at them there may be others.
    isAlone: () => isKnown && membership.peers().length <= 1,
    isDispatcher: () => lease.epoch !== undefined,
    dispatcher: () =>
      membership
        .peers()
        .find(
          ({ load, address, incarnation }) =>
            load.dispatcher === true && address !== '' && incarnation !== membership.incarnation,
        ),
    mayRun: () => membership.mayAct() && !isCordoned(),
    settled: () => changes.settled(),
    onChange: (listener) => void membership.onChange(listener),
  };
}

/** Of what a node lacks so much is told with each renewal; whoever gives it the rest hears so then. */
const mostLacks = 100;

function newest(lacks: NonNullable<NodePlace['lacks']>): NodePlace['lacks'] {
  return Object.fromEntries(Object.entries(lacks).slice(-mostLacks));
}

/** Nobody has said that it is to begin nothing more. */
function takesOthers({ alive, load }: Peer): boolean {
  return alive && load.cordoned !== true && load.state !== 'draining';
}

function nodeOf({ incarnation, name, labels, capacity, load }: Peer): PlacingNode {
  const slots = Number(capacity.slots ?? 0);
  const runtimes = (load.runtimes ?? ['wasm']) as readonly RuntimeKind[];
  const lacks = (load.lacks ?? {}) as NonNullable<NodePlace['lacks']>;
  const resources = resourcesOf(capacity);
  return {
    ...{ id: incarnation, name, place: { labels, runtimes, lacks }, slots },
    ...(resources !== undefined && { resources }),
    ...(Array.isArray(load.warm) && { warm: new Set(load.warm.map(String)) }),
  };
}

function largestOf(peers: readonly Peer[]): Resources | undefined {
  const all = peers.map(({ capacity }) => resourcesOf(capacity));
  if (all.every((each) => each === undefined)) return undefined;
  return {
    memoryBytes: Math.max(...all.map((each) => each?.memoryBytes ?? Number.POSITIVE_INFINITY)),
    processors: Math.max(...all.map((each) => each?.processors ?? Number.POSITIVE_INFINITY)),
  };
}

/** What attempts may reserve on it; undefined where nobody counts. */
function resourcesOf({ memory, processors }: Peer['capacity']): Resources | undefined {
  if (memory === undefined && processors === undefined) return undefined;
  return {
    memoryBytes: Number(memory ?? Number.POSITIVE_INFINITY),
    processors: Number(processors ?? Number.POSITIVE_INFINITY),
  };
}
