/** Which nodes have room for what waits: a gate for each kind of placement, before the nodes that it may run on. */
import { type NodePlace, type Placed, placedOf, whyNotOn } from '../placement.ts';
import { Gate, type Meter, type PlaceUse, roundsMs } from './gate.ts';

/** A node that takes executions. */
export interface PlacingNode {
  /** Its incarnation. */
  readonly id: number;
  readonly name: string;
  readonly place: NodePlace;
  readonly slots: number;
}

interface Kept {
  node: PlacingNode;
  /** What was given to it and holds a slot. */
  readonly given: Set<string>;
  /** What it runs of its own; undefined until it has said so, and it is given nothing before. */
  own: number | undefined;
  /** By what is to be placed. */
  readonly fits: Map<string, boolean>;
}

/** Kinds of placement that are remembered for a node. */
const mostKinds = 10_000;

export class Places implements Meter {
  readonly gates: Gate[] = [];
  readonly #nodes = new Map<number, Kept>();
  readonly #nodeOf = new Map<string, number>();

  /** Those that take executions from now on. What runs on others does so until it is said to have left. */
  setNodes(nodes: readonly PlacingNode[]): void {
    const ids = new Set(nodes.map(({ id }) => id));
    for (const id of this.#nodes.keys()) if (!ids.has(id)) this.#nodes.delete(id);
    for (const node of nodes) {
      const known = this.#nodes.get(node.id);
      if (known === undefined) {
        const given = new Set([...this.#nodeOf].filter(([, id]) => id === node.id).map(([key]) => key));
        this.#nodes.set(node.id, { node, given, own: undefined, fits: new Map() });
        continue;
      }
      if (JSON.stringify(known.node.place) !== JSON.stringify(node.place)) known.fits.clear();
      known.node = node;
    }
  }

  /** So many slots of a node hold what was not given to it from here. */
  setOwn(id: number, own: number): void {
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

  /** Slots that are there for what is given from here. */
  get slots(): number {
    let slots = 0;
    for (const { node, given, own } of this.#nodes.values()) {
      slots += Math.max(given.size, node.slots - (own ?? node.slots));
    }
    return slots;
  }

  /** Slots that nobody has, of the nodes that fit. */
  free(placement: string | undefined): number {
    let free = 0;
    for (const kept of this.#nodes.values()) if (fits(kept, placement)) free += freeOf(kept);
    return free;
  }

  /** Of the nodes that fit the one with most free slots takes it; undefined where none is free. */
  give(key: string, placement: string | undefined): number | undefined {
    let best: Kept | undefined;
    for (const kept of this.#nodes.values()) {
      if (freeOf(kept) <= 0 || !fits(kept, placement)) continue;
      if (best === undefined || freeOf(kept) > freeOf(best)) best = kept;
    }
    if (best === undefined) return undefined;
    this.hold(key, best.node.id);
    return best.node.id;
  }

  /** It holds a slot of that node, whether there is one or not. */
  hold(key: string, id: number): void {
    this.leave(key);
    this.#nodeOf.set(key, id);
    this.#nodes.get(id)?.given.add(key);
  }

  leave(key: string): void {
    const id = this.#nodeOf.get(key);
    if (id === undefined) return;
    this.#nodeOf.delete(key);
    this.#nodes.get(id)?.given.delete(key);
  }

  /** What holds slots of a node. */
  of(id: number): readonly string[] {
    return [...this.#nodeOf].filter(([, node]) => node === id).map(([key]) => key);
  }

  nodeOf(key: string): number | undefined {
    return this.#nodeOf.get(key);
  }

  /** Why each node does not run it, in words that follow its name; undefined for those that have no room. */
  whyNot(
    placement: string | undefined,
  ): readonly { readonly name: string; readonly why: string | undefined }[] {
    const placed = placement === undefined ? undefined : placedOf(placement);
    return [...this.#nodes.values()].map(({ node }) => ({
      name: node.name,
      why: placed === undefined ? undefined : whyNotOn(placed, node.place),
    }));
  }

  isClear(): boolean {
    return true;
  }
}

/** Lets through what some node has room for. Nothing of it is counted here: that is where it is given. */
export class PlaceGate extends Gate {
  declare use: PlaceUse;
  readonly #places: Places;
  readonly opensAt = Number.POSITIVE_INFINITY;
  readonly holders: Iterable<string> = [];

  constructor(id: string, use: PlaceUse, places: Places, now: number) {
    super(id, use, places, now);
    this.#places = places;
  }

  admits(): boolean {
    return this.#places.free(this.use.value) > 0;
  }

  waitMs(ahead: number, expectedMs: number): number {
    const free = this.#places.free(this.use.value);
    return roundsMs(ahead, Math.max(1, free), free, expectedMs);
  }

  pass(): void {}

  hold(): void {}

  leave(): void {}
}

function freeOf({ node, given, own }: Kept): number {
  return own === undefined ? 0 : Math.max(0, node.slots - own - given.size);
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
