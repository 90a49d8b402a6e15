/** Which nodes have room for what waits: a gate for each kind of placement, before the nodes that it may run on. */
import { type NodePlace, type Placed, placedOf, whyNotOn } from '../placement.ts';
import { sizeText } from '../size.ts';
import { Gate, type Meter, type PlaceUse, type Resources, type ResourcesUse, roundsMs } from './gate.ts';
import { enough } from './resource-gate.ts';

/** A node that takes executions. */
export interface PlacingNode {
  /** Its incarnation. */
  readonly id: number;
  readonly name: string;
  readonly place: NodePlace;
  readonly slots: number;
  /** What attempts may reserve at once; absent where nobody counts. */
  readonly resources?: Resources;
  /** Revisions of tasks that it has run of late; absent is none. */
  readonly warm?: ReadonlySet<string>;
}

/** What an execution wants of a node. */
export interface Wish {
  /** The key of its placement; absent where any node may run it. */
  readonly placement?: string | undefined;
  /** Absent is nothing. */
  readonly reserves?: Resources | undefined;
  /** The revision of its task: a node that has run it has what it needs at hand. */
  readonly task?: string;
}

/** What a node runs that was not given to it. */
export interface OwnUse extends Resources {
  readonly slots: number;
}

interface Kept {
  node: PlacingNode;
  /** What was given to it and holds a slot. */
  readonly given: Set<string>;
  /** What those reserve. */
  reserved: Resources;
  /** What it runs of its own; undefined until it has said so, and it is given nothing before. */
  own: OwnUse | undefined;
  /** By what is to be placed. */
  readonly fits: Map<string, boolean>;
}

interface Holding {
  readonly node: number;
  readonly reserves: Resources;
}

/** Kinds of placement that are remembered for a node. */
const mostKinds = 10_000;

const nothing: Resources = { memoryBytes: 0, processors: 0 };
const boundless: Resources = {
  memoryBytes: Number.POSITIVE_INFINITY,
  processors: Number.POSITIVE_INFINITY,
};

export class Places implements Meter {
  readonly gates: PlaceGate[] = [];
  readonly #nodes = new Map<number, Kept>();
  readonly #nodeOf = new Map<string, Holding>();
  /** The most that any node has: what asks for more takes all of one that has that. */
  #largest = boundless;
  /** For one that would never start otherwise, as smaller ones pass it, a node keeps what is released. */
  #reserved: { readonly gate: PlaceGate; readonly node: number } | undefined;

  /** Those that take executions from now on. What runs on others does so until it is said to have left. */
  setNodes(nodes: readonly PlacingNode[]): void {
    const ids = new Set(nodes.map(({ id }) => id));
    for (const id of this.#nodes.keys()) if (!ids.has(id)) this.#nodes.delete(id);
    for (const node of nodes) {
      const known = this.#nodes.get(node.id);
      if (known === undefined) {
        const given = [...this.#nodeOf].filter(([, { node: id }]) => id === node.id);
        const keys = new Set(given.map(([key]) => key));
        const reserved = given.reduce((sum, [, { reserves }]) => added(sum, cut(reserves, node), 1), nothing);
        this.#nodes.set(node.id, { node, given: keys, reserved, own: undefined, fits: new Map() });
        continue;
      }
      if (JSON.stringify(known.node.place) !== JSON.stringify(node.place)) known.fits.clear();
      known.node = node;
    }
    const totals = nodes.map(({ resources = boundless }) => resources);
    this.#largest = {
      memoryBytes: Math.max(0, ...totals.map(({ memoryBytes }) => memoryBytes)),
      processors: Math.max(0, ...totals.map(({ processors }) => processors)),
    };
    if (this.#reserved !== undefined && !ids.has(this.#reserved.node)) this.#reserved = undefined;
  }

  /** So much of a node holds what was not given to it from here. */
  setOwn(id: number, own: OwnUse): void {
    const known = this.#nodes.get(id);
    if (known !== undefined) known.own = own;
  }

  /** What nodes said of what they run is old: they are given nothing until they have said it again. */
  forgetOwn(): void {
    for (const kept of this.#nodes.values()) kept.own = undefined;
  }

  /** All nodes have said what they run. */
  get isKnown(): boolean {
    return [...this.#nodes.values()].every(({ own }) => own !== undefined);
  }

  /** Slots of all nodes. */
  get all(): number {
    return [...this.#nodes.values()].reduce((sum, { node }) => sum + node.slots, 0);
  }

  /** Slots that are there for what is given from here. */
  get slots(): number {
    let slots = 0;
    for (const { node, given, own } of this.#nodes.values()) {
      slots += Math.max(given.size, node.slots - (own?.slots ?? node.slots));
    }
    return slots;
  }

  /** Something waits until a node has more free than a slot: what would pass it on a node has to ask here. */
  get isShort(): boolean {
    return this.gates.some(({ use, held }) => use.kind === 'resources' && held.size > 0);
  }

  /** Slots that nobody has, of the nodes that have what is wanted. */
  free(wish: Wish = {}): number {
    let free = 0;
    for (const kept of this.#nodes.values()) if (this.#hasRoom(kept, wish)) free += freeOf(kept);
    return free;
  }

  /**
   * Of the nodes that have what is wanted one takes it that has run the task of late, and of those, or of all where none
   * has, the one with most free slots; undefined where none has room.
   */
  give(key: string, wish: Wish): number | undefined {
    let best: Kept | undefined;
    for (const kept of this.#nodes.values()) {
      if (freeOf(kept) <= 0 || !this.#hasRoom(kept, wish)) continue;
      if (best === undefined || isBetter(kept, best, wish)) best = kept;
    }
    if (best === undefined) return undefined;
    this.hold(key, best.node.id, wish.reserves);
    return best.node.id;
  }

  /** It holds a slot of that node, whether there is one or not. */
  hold(key: string, node: number, reserves: Resources = nothing): void {
    this.leave(key);
    this.#nodeOf.set(key, { node, reserves });
    const kept = this.#nodes.get(node);
    if (kept === undefined) return;
    kept.given.add(key);
    kept.reserved = added(kept.reserved, cut(reserves, kept.node), 1);
  }

  leave(key: string): void {
    const holding = this.#nodeOf.get(key);
    if (holding === undefined) return;
    this.#nodeOf.delete(key);
    const kept = this.#nodes.get(holding.node);
    if (kept?.given.delete(key) !== true) return;
    const reserves = cut(holding.reserves, kept.node);
    kept.reserved = kept.given.size === 0 ? nothing : added(kept.reserved, reserves, -1);
  }

  /** What holds slots of a node. */
  of(id: number): readonly string[] {
    return [...this.#nodeOf].filter(([, { node }]) => node === id).map(([key]) => key);
  }

  nodeOf(key: string): number | undefined {
    return this.#nodeOf.get(key)?.node;
  }

  /** Of the nodes that could have so much, the one with most free keeps for that gate what is released. */
  reserve(gate: Gate): void {
    if (this.#reserved !== undefined || !(gate instanceof PlaceGate)) return;
    const { placement, reserves = nothing } = gate.wish;
    let best: Kept | undefined;
    for (const kept of this.#nodes.values()) {
      if (!fits(kept, placement) || !isEnough(totalOf(kept), this.#cut(reserves))) continue;
      if (best === undefined || unreserved(kept).memoryBytes > unreserved(best).memoryBytes) best = kept;
    }
    if (best !== undefined) this.#reserved = { gate, node: best.node.id };
  }

  unreserve(gate: Gate): void {
    if (this.#reserved?.gate === gate) this.#reserved = undefined;
  }

  /** Nodes with a free slot that could have what waits, if they fetched its image: some wait that no node has room for. */
  toFetch(): readonly { readonly node: number; readonly task: string }[] {
    const held = this.gates.filter(({ open, held }) => !open && held.size > 0);
    const wanted = new Set(held.flatMap(({ wish }) => wish.placement ?? []));
    return [...wanted].flatMap((placement) => {
      const placed = placedOf(placement);
      const { task } = placed ?? {};
      if (placed === undefined || task === undefined) return [];
      return [...this.#nodes.values()]
        .filter((kept) => {
          const { lacks, ...place } = kept.node.place;
          if (freeOf(kept) <= 0 || lacks?.[task]?.mayFetch !== true) return false;
          return whyNotOn(placed, place) === undefined;
        })
        .map(({ node }) => ({ node: node.id, task }));
    });
  }

  /** Why each node does not run it, in words that follow its name; undefined for those that have no free slot. */
  whyNot(wish: Wish): readonly { readonly name: string; readonly why: string | undefined }[] {
    const placed = wish.placement === undefined ? undefined : placedOf(wish.placement);
    return [...this.#nodes.values()].map((kept) => ({
      name: kept.node.name,
      why: (placed && whyNotOn(placed, kept.node.place)) ?? this.#lacks(kept, wish),
    }));
  }

  isClear(): boolean {
    return true;
  }

  #cut(reserves: Resources): Resources {
    return cut(reserves, { resources: this.#largest });
  }

  #hasRoom(kept: Kept, { placement, reserves }: Wish): boolean {
    if (!fits(kept, placement)) return false;
    if (reserves === undefined || kept.node.resources === undefined) return true;
    return isEnough(this.#freeFor(kept, { placement, reserves }), this.#cut(reserves));
  }

  /** What is free beside what is kept for another. */
  #freeFor(kept: Kept, wish: Wish): Resources {
    const free = unreserved(kept);
    if (this.#reserved?.node !== kept.node.id) return free;
    const other = this.#reserved.gate.wish;
    return isSame(other, wish) ? free : added(free, this.#cut(other.reserves ?? nothing), -1);
  }

  #lacks(kept: Kept, wish: Wish): string | undefined {
    const { reserves = nothing } = wish;
    const total = totalOf(kept);
    const free = this.#freeFor(kept, wish);
    const wanted = this.#cut(reserves);
    if (!enough(free.memoryBytes, wanted.memoryBytes)) {
      return `has ${sizeText(Math.max(0, free.memoryBytes))} of ${sizeText(total.memoryBytes)} of memory free, and it reserves ${sizeText(wanted.memoryBytes)}`;
    }
    if (!enough(free.processors, wanted.processors)) {
      return `has ${Math.max(0, free.processors)} of ${total.processors} processors free, and it reserves ${wanted.processors}`;
    }
    return undefined;
  }
}

/** Lets through what some node has room for. Nothing of it is counted here: that is where it is given. */
export class PlaceGate extends Gate {
  declare use: PlaceUse | ResourcesUse;
  readonly wish: Wish;
  readonly #places: Places;
  readonly opensAt = Number.POSITIVE_INFINITY;
  readonly holders: Iterable<string> = [];

  constructor(id: string, use: PlaceUse | ResourcesUse, places: Places, now: number) {
    super(id, use, places, now);
    this.#places = places;
    this.wish = use.kind === 'place' ? { placement: use.value } : { placement: use.placement, reserves: use };
  }

  admits(): boolean {
    return this.#places.free(this.wish) > 0;
  }

  waitMs(ahead: number, expectedMs: number): number {
    const free = this.#places.free(this.wish);
    return roundsMs(ahead, Math.max(1, free), free, expectedMs);
  }

  pass(): void {
    this.#places.unreserve(this);
  }

  hold(): void {}

  leave(): void {}
}

function freeOf({ node, given, own }: Kept): number {
  return own === undefined ? 0 : Math.max(0, node.slots - own.slots - given.size);
}

function isBetter(kept: Kept, best: Kept, { task }: Wish): boolean {
  const isWarm = ({ node: { warm } }: Kept) => task !== undefined && warm?.has(task) === true;
  return isWarm(kept) === isWarm(best) ? freeOf(kept) > freeOf(best) : isWarm(kept);
}

function totalOf({ node }: Kept): Resources {
  return node.resources ?? boundless;
}

/** What nobody has reserved of a node. */
function unreserved(kept: Kept): Resources {
  return added(added(totalOf(kept), kept.reserved, -1), kept.own ?? nothing, -1);
}

/** A node gives an attempt no more than it has. */
function cut(
  { memoryBytes, processors }: Resources,
  { resources = boundless }: Pick<PlacingNode, 'resources'>,
): Resources {
  return {
    memoryBytes: Math.min(memoryBytes, resources.memoryBytes),
    processors: Math.min(processors, resources.processors),
  };
}

function added(a: Resources, b: Resources, sign: 1 | -1): Resources {
  return {
    memoryBytes: a.memoryBytes + sign * b.memoryBytes,
    processors: a.processors + sign * b.processors,
  };
}

function isEnough(free: Resources, wanted: Resources): boolean {
  return enough(free.memoryBytes, wanted.memoryBytes) && enough(free.processors, wanted.processors);
}

function isSame(a: Wish, b: Wish): boolean {
  return (
    a.placement === b.placement &&
    a.reserves?.memoryBytes === b.reserves?.memoryBytes &&
    a.reserves?.processors === b.reserves?.processors
  );
}

function fits(kept: Kept, placement: string | undefined): boolean {
  if (placement === undefined) return true;
  let known = kept.fits.get(placement);
  if (known === undefined) {
    const placed: Placed | undefined = placedOf(placement);
    known = placed !== undefined && whyNotOn(placed, kept.node.place) === undefined;
    if (kept.fits.size >= mostKinds) kept.fits.clear();
    kept.fits.set(placement, known);
  }
  return known;
}
