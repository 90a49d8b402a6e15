/** The records of Stately's inspector, as its version 0.7 has them (https://github.com/statelyai/inspect). */

interface InspectionRecord {
  readonly type: '@xstate.actor' | '@xstate.event' | '@xstate.snapshot';
  readonly _version: string;
  /** Milliseconds since the epoch, as a text. */
  readonly createdAt: string;
  readonly id: string | null;
  /** The session of the root actor: the node. */
  readonly rootId: string;
  readonly sessionId: string;
}

export type Sender = (record: InspectionRecord) => void;

const version = '0.7.2';

interface Actor {
  readonly sessionId: string;
  readonly name: string;
  /** A machine's configuration as JSON text. */
  readonly definition: string | undefined;
  readonly snapshot: object;
}

/** An actor that there is. All but the node's own are its children. */
export function actorRecord(nodeId: string, actor: Actor, createdAt: number): InspectionRecord & Actor {
  return {
    type: '@xstate.actor',
    _version: version,
    createdAt: String(createdAt),
    id: null,
    rootId: nodeId,
    ...(actor.sessionId !== nodeId && { parentId: nodeId }),
    ...actor,
  };
}

interface Told {
  readonly nodeId: string;
  readonly sessionId: string;
  readonly position: number;
  readonly time: number;
}

interface Happening {
  readonly type: string;
}

/** An event that came to an actor. */
export function eventRecord(told: Told, event: Happening): InspectionRecord & { readonly event: Happening } {
  return { type: '@xstate.event', ...common(told), event };
}

/** What an actor was after it. */
export function snapshotRecord(
  told: Told,
  event: Happening,
  snapshot: object,
): InspectionRecord & { readonly event: Happening; readonly snapshot: object } {
  return { type: '@xstate.snapshot', ...common(told), event, snapshot };
}

function common({ nodeId, sessionId, position, time }: Told) {
  return { _version: version, createdAt: String(time), id: String(position), rootId: nodeId, sessionId };
}
