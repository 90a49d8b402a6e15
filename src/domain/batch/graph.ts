/** The graph that the members of a batch make by what they follow. Pure. */
import { invalidArgument, quote } from '../errors.ts';

/** Members of a batch at most. */
export const mostMembers = 10_000;
/** Pairs of a member and what it follows, of the batch or not: each is a row, and is looked up. */
export const mostEdges = 100_000;

/** A member as the graph knows it. */
export interface GraphMember {
  /** Empty for one without a name. */
  readonly name: string;
  /** Names of the members that it follows. */
  readonly follows: readonly string[];
  /** How many executions it follows that are not of the batch; absent means none. */
  readonly others?: number;
}

export interface BatchGraph {
  /** By member, the members that it follows, by their places in the request. */
  readonly follows: readonly (readonly number[])[];
  /** By member, the length of the longest way to it: 0 for one that follows no other member. */
  readonly layers: readonly number[];
  /** All members, each behind those that it follows. */
  readonly order: readonly number[];
}

/** Names shown of a cycle at most. */
const mostShown = 10;

/**
 * Throws invalid_argument that names the field and the names: for two members of one name, a name that no member has,
 * members that follow one another in a circle, and too many of anything.
 */
export function graphOf(members: readonly GraphMember[]): BatchGraph {
  if (members.length === 0) throw invalidArgument('members', `is empty; allowed are 1 to ${mostMembers}`);
  if (members.length > mostMembers) {
    throw invalidArgument('members', `has ${members.length} entries; allowed are ${mostMembers}`);
  }
  const places = placesOf(members);
  const edges = members.reduce((sum, { follows, others = 0 }) => sum + follows.length + others, 0);
  if (edges > mostEdges) {
    throw invalidArgument(
      'members',
      `follow one another, and other executions, in ${edges} ways; allowed are ${mostEdges}`,
    );
  }
  const follows = members.map(({ follows: names }, member) =>
    names.map((name, index) => {
      const place = places.get(name);
      const field = `members[${member}].invocation.depends_on[${index}].name`;
      if (place === undefined) throw invalidArgument(field, `no member is named ${quote(name)}`);
      return place;
    }),
  );
  return { follows, ...layersOf(members, follows) };
}

function placesOf(members: readonly GraphMember[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (const [member, { name }] of members.entries()) {
    if (name === '') continue;
    const other = places.get(name);
    if (other !== undefined) {
      throw invalidArgument(
        `members[${member}].name`,
        `is ${quote(name)}, as that of members[${other}]; allowed is each name once`,
      );
    }
    places.set(name, member);
  }
  return places;
}

function layersOf(
  members: readonly GraphMember[],
  follows: readonly (readonly number[])[],
): Pick<BatchGraph, 'layers' | 'order'> {
  const open = follows.map((each) => each.length);
  const followers: number[][] = members.map(() => []);
  for (const [member, each] of follows.entries()) for (const other of each) followers[other]?.push(member);
  const layers = members.map(() => 0);
  const order: number[] = [];
  for (const [member, count] of open.entries()) if (count === 0) order.push(member);
  for (const member of order) {
    for (const follower of followers[member] ?? []) {
      layers[follower] = Math.max(layers[follower] ?? 0, (layers[member] ?? 0) + 1);
      open[follower] = (open[follower] ?? 0) - 1;
      if (open[follower] === 0) order.push(follower);
    }
  }
  if (order.length < members.length) throw cycleError(members, follows, open);
  return { layers, order };
}

/** From any member that is left, what it follows of those that are left leads into a circle. */
function cycleError(
  members: readonly GraphMember[],
  follows: readonly (readonly number[])[],
  open: readonly number[],
): Error {
  const seen = new Map<number, number>();
  const way: number[] = [];
  let at = open.findIndex((count) => count > 0);
  while (!seen.has(at)) {
    seen.set(at, way.length);
    way.push(at);
    at = follows[at]?.find((other) => (open[other] ?? 0) > 0) ?? at;
  }
  const circle = way.slice(seen.get(at));
  const names = circle.slice(0, mostShown).map((member) => quote(members[member]?.name ?? ''));
  const rest = circle.length > mostShown ? ` and ${circle.length - mostShown} more` : '';
  const [first = 0] = circle;
  return invalidArgument(
    `members[${first}].invocation.depends_on`,
    circle.length === 1
      ? `${names[0]} depends on itself`
      : `${names.join(' depends on ')}${rest}, which depends on ${names[0]}: a circle that nothing could begin`,
  );
}
