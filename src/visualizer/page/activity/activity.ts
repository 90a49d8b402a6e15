/** How much has gone on in the last minutes: the model of `GetActivity`, of which only what is new is asked for. Pure. */
import { instantOf, numberOf } from '../model/scalar.ts';
import type { GetActivityResponseJson } from '../wire.ts';

/** Values by step; null where nothing is known, or there is nothing to know. */
export type Values = readonly (number | null)[];

export interface Activity {
  readonly running: Values;
  readonly waiting: Values;
  readonly completed: Values;
  readonly failed: Values;
  readonly timedOut: Values;
  readonly cancelled: Values;
  readonly p50Ms: Values;
  readonly p99Ms: Values;
}

export interface Recent {
  readonly stepSeconds: number;
  readonly nextStep: number;
  /** When the last step was over. */
  readonly until: number | undefined;
  readonly total: Activity;
  /** Absent for those who may not know how busy the node is. */
  readonly node?: { readonly processors: Values; readonly memoryBytes: Values };
  /** By `TENANT/TASK`. */
  readonly tasks: ReadonlyMap<string, Activity>;
}

/** Ten minutes, as the node keeps them. */
export const shownSteps = 120;

const none: Activity = {
  running: [],
  waiting: [],
  completed: [],
  failed: [],
  timedOut: [],
  cancelled: [],
  p50Ms: [],
  p99Ms: [],
};

/** What was known, and what the node has told since. */
export function withNews(known: Recent | undefined, json: GetActivityResponseJson): Recent {
  const nextStep = numberOf(json.nextStep);
  const first = numberOf(json.firstStep);
  const told = nextStep - first;
  // Steps of which nothing is known any more, such as those of a node that was away.
  const missing = known === undefined ? 0 : Math.max(0, first - known.nextStep);
  const joined = (before: Values | undefined, values: readonly (number | string)[] | undefined): Values => {
    const old = before ?? [];
    const gap = Math.min(missing, shownSteps);
    const news = (values ?? Array<number>(told).fill(0)).map((each) => Number(each));
    const all = [
      ...old,
      ...Array<null>(gap).fill(null),
      ...news.map((value) => (value < 0 || Number.isNaN(value) ? null : value)),
    ].slice(-shownSteps);
    return [...Array<null>(shownSteps - all.length).fill(null), ...all];
  };
  const activity = (
    before: Activity | undefined,
    news: Partial<Record<keyof Activity, readonly (number | string)[]>>,
  ) =>
    Object.fromEntries(
      (Object.keys(none) as (keyof Activity)[]).map((name) => [name, joined(before?.[name], news[name])]),
    ) as unknown as Activity;
  const tasks = new Map<string, Activity>();
  for (const each of json.tasks) {
    const key = `${each.tenant}/${each.task}`;
    tasks.set(key, activity(known?.tasks.get(key), each.activity ?? {}));
  }
  return {
    stepSeconds: json.stepSeconds,
    nextStep,
    until: instantOf(json.until),
    total: activity(known?.total, json.total ?? {}),
    ...(json.node !== undefined && {
      node: {
        processors: joined(known?.node?.processors, json.node.processors),
        memoryBytes: joined(known?.node?.memoryBytes, json.node.memoryBytes),
      },
    }),
    tasks,
  };
}

/** All that ended, a second. */
export function perSecond(values: Values, stepSeconds: number): Values {
  return values.map((value) => (value === null ? null : value / stepSeconds));
}

export function sumOf(...lists: readonly Values[]): Values {
  return (lists[0] ?? []).map((_, at) => {
    const known = lists.map((list) => list[at]).filter((value) => value !== null && value !== undefined);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
  });
}

/** The last that is known. */
export function lastOf(values: Values): number | undefined {
  return values.findLast((value) => value !== null) ?? undefined;
}

export function mostOf(values: Values): number | undefined {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? undefined : Math.max(...known);
}
