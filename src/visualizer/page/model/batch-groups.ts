/** The members of a batch in groups: the model of `GroupBatchMembersResponse`. */
import type { GroupBatchMembersResponseJson } from '../wire.ts';
import type { Layers } from './address.ts';
import type { Status } from './status.ts';

export interface MemberGroup {
  readonly layers: Layers;
  /** Empty where it has the members of several tasks, or of none that is known any more. */
  readonly task: string;
  readonly tasks: number;
  readonly counts: Readonly<Record<Status, number>>;
  /** Of these it is not known how they ended. */
  readonly unknown: number;
  readonly members: number;
}

/** Members of the group at `to` follow those of the group at `from`. */
export interface GroupLink {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

export interface MemberGroups {
  readonly groups: readonly MemberGroup[];
  readonly links: readonly GroupLink[];
}

export function groupsOf({ groups, links }: GroupBatchMembersResponseJson): MemberGroups {
  return { groups: groups.map(groupOf), links };
}

function groupOf(json: GroupBatchMembersResponseJson['groups'][number]): MemberGroup {
  const { pending, running, completed, failed, cancelled, timedOut, unknown } = json;
  const counts = { pending, running, completed, failed, cancelled, timedOut };
  return {
    // People count from 1.
    layers: { first: json.firstLayer + 1, last: json.lastLayer + 1 },
    ...{ task: json.taskName, tasks: json.tasks, counts, unknown },
    members: Object.values(counts).reduce((sum, count) => sum + count, unknown),
  };
}
