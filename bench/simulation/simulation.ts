/**
 * Drives the order of runs with a clock of its own and run times that are made up, and checks with counts of its own that
 * nothing was lost, started twice or let through a closed gate.
 */
import TinyQueue from 'tinyqueue';
import type { GateUse } from '../../src/domain/scheduling/gate.ts';
import type { Leaf } from '../../src/domain/scheduling/priority.ts';
import { RunOrder, type TenantLimits } from '../../src/domain/scheduling/run-order.ts';
import { GateAudit } from './gate-audit.ts';

/** One execution of a workload. Times in milliseconds. */
export interface Job {
  readonly leaf: Leaf;
  readonly arrivesAt: number;
  readonly runsMs: number;
  /** What the order is told that it will take. */
  readonly expectedMs: number;
  /** It is cancelled then, where it still waits. */
  readonly cancelledAt?: number;
}

export interface Workload {
  readonly name: string;
  readonly slots: number;
  readonly quotas?: Readonly<Record<string, TenantLimits>>;
  readonly resources?: { readonly memoryBytes: number; readonly processors: number };
  readonly jobs: readonly Job[];
  /** Each of these, by tenant or by priority, has to have its share by weight while all have work; see `Report.shares`. */
  readonly weights?: { readonly by: 'tenant' | 'priority'; readonly of: Readonly<Record<string, number>> };
}

export interface Waits {
  readonly count: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface Report {
  readonly name: string;
  readonly jobs: number;
  readonly ran: number;
  readonly cancelled: number;
  /** From the first arrival to the last end. */
  readonly virtualMs: number;
  /** Of the slots, 0 to 1. */
  readonly utilisation: number;
  readonly byPriority: ReadonlyMap<string, Waits>;
  readonly byTenant: ReadonlyMap<string, Waits>;
  /** While all of them had work: what each had, against what it is due. */
  readonly shares: readonly { readonly name: string; readonly had: number; readonly due: number }[];
  /** What must not be. */
  readonly faults: readonly string[];
}

interface End {
  readonly at: number;
  readonly job: number;
  readonly startedAt: number;
}

type State = 'coming' | 'waiting' | 'running' | 'ended' | 'cancelled';

export function simulate({ name, slots, quotas = {}, resources, jobs, weights }: Workload): Report {
  const order = new RunOrder();
  const audit = new GateAudit(slots, quotas, resources);
  order.setResources(resources);
  for (const [tenant, quota] of Object.entries(quotas)) order.setQuota(tenant, quota);
  const arrivals = [...jobs.keys()].sort((a, b) => at(jobs, a).arrivesAt - at(jobs, b).arrivesAt);
  const cancels = [...jobs.keys()]
    .filter((each) => at(jobs, each).cancelledAt !== undefined)
    .sort((a, b) => Number(at(jobs, a).cancelledAt) - Number(at(jobs, b).cancelledAt));
  const ends = new TinyQueue<End>([], (a, b) => a.at - b.at);
  const states: State[] = jobs.map(() => 'coming');
  const waits = new Float64Array(jobs.length).fill(Number.NaN);
  const left = new Map<string, number>();
  const used = new Map<string, number>();
  const shareOf = (job: Job): string => (weights === undefined ? '' : job.leaf[weights.by]);
  if (weights !== undefined)
    for (const job of jobs) left.set(shareOf(job), (left.get(shareOf(job)) ?? 0) + 1);
  let contended = weights !== undefined;
  let now = at(jobs, arrivals[0] ?? 0).arrivesAt;
  const begun = now;
  let busyMs = 0;
  let running = 0;
  let nextArrival = 0;
  let nextCancel = 0;
  const turn = (index: number, from: State, to: State): void => {
    if (states[index] !== from) audit.fault(`${index} was ${states[index]}, and then ${to}`);
    states[index] = to;
  };
  for (;;) {
    while (running < slots) {
      const id = order.take((each) => at(jobs, Number(each)).expectedMs, now);
      if (id === undefined) break;
      const index = Number(id);
      const job = at(jobs, index);
      turn(index, 'waiting', 'running');
      audit.starts(id, job.leaf, now);
      waits[index] = now - job.arrivesAt;
      running += 1;
      ends.push({ at: now + job.runsMs, job: index, startedAt: now });
      const name = shareOf(job);
      const rest = (left.get(name) ?? 0) - 1;
      left.set(name, rest);
      if (rest === 0) contended = false;
    }
    const upcoming = Math.min(
      ends.peek()?.at ?? Number.POSITIVE_INFINITY,
      arrivals[nextArrival] === undefined
        ? Number.POSITIVE_INFINITY
        : at(jobs, arrivals[nextArrival] ?? 0).arrivesAt,
      cancels[nextCancel] === undefined
        ? Number.POSITIVE_INFINITY
        : Number(at(jobs, cancels[nextCancel] ?? 0).cancelledAt),
      running < slots && order.waiting > 0 ? Math.max(now, order.nextOpening) : Number.POSITIVE_INFINITY,
    );
    if (upcoming === Number.POSITIVE_INFINITY) break;
    now = upcoming;
    for (let end = ends.peek(); end !== undefined && end.at <= now; end = ends.peek()) {
      ends.pop();
      const { job: index, startedAt } = end;
      turn(index, 'running', 'ended');
      const { leaf, runsMs } = at(jobs, index);
      order.end(`${index}`, now - startedAt, now);
      audit.ends(`${index}`, leaf);
      running -= 1;
      busyMs += runsMs;
      if (contended) used.set(shareOf(at(jobs, index)), (used.get(shareOf(at(jobs, index))) ?? 0) + runsMs);
    }
    for (let index = arrivals[nextArrival]; index !== undefined && at(jobs, index).arrivesAt <= now; ) {
      turn(index, 'coming', 'waiting');
      order.add(`${index}`, at(jobs, index).leaf);
      nextArrival += 1;
      index = arrivals[nextArrival];
    }
    for (
      let index = cancels[nextCancel];
      index !== undefined && Number(at(jobs, index).cancelledAt) <= now;
    ) {
      if (states[index] === 'waiting') {
        if (!order.remove(`${index}`)) audit.fault(`${index} waits, and could not be cancelled`);
        states[index] = 'cancelled';
      }
      nextCancel += 1;
      index = cancels[nextCancel];
    }
    order.advance(now);
  }
  const lost = states.filter((state) => state !== 'ended' && state !== 'cancelled').length;
  if (lost > 0) audit.fault(`${lost} were never run`);
  if (order.waiting > 0) audit.fault(`${order.waiting} wait at the end`);
  return {
    name,
    jobs: jobs.length,
    ran: states.filter((state) => state === 'ended').length,
    cancelled: states.filter((state) => state === 'cancelled').length,
    virtualMs: now - begun,
    utilisation: busyMs / Math.max(1, (now - begun) * slots),
    byPriority: waitsBy(jobs, waits, ({ leaf }) => leaf.priority),
    byTenant: waitsBy(jobs, waits, ({ leaf }) => leaf.tenant),
    shares: sharesOf(used, weights?.of ?? {}),
    faults: audit.faults,
  };
}

function at(jobs: readonly Job[], index: number): Job {
  const job = jobs[index];
  if (job === undefined) throw new Error(`there is no job ${index}`);
  return job;
}

function waitsBy(
  jobs: readonly Job[],
  waits: Float64Array,
  nameOf: (job: Job) => string,
): ReadonlyMap<string, Waits> {
  const byName = new Map<string, number[]>();
  for (const [index, job] of jobs.entries()) {
    const wait = waits[index] ?? Number.NaN;
    if (Number.isNaN(wait)) continue;
    const name = nameOf(job);
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [wait]);
    else known.push(wait);
  }
  return new Map(
    [...byName].map(([name, all]) => {
      const sorted = Float64Array.from(all).sort();
      const share = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
      return [name, { count: sorted.length, medianMs: share(0.5), p99Ms: share(0.99), maxMs: share(1) }];
    }),
  );
}

function sharesOf(used: ReadonlyMap<string, number>, weights: Readonly<Record<string, number>>) {
  const total = [...used.values()].reduce((sum, each) => sum + each, 0);
  const weight = Object.values(weights).reduce((sum, each) => sum + each, 0);
  return Object.entries(weights).map(([name, each]) => ({
    name,
    had: (used.get(name) ?? 0) / Math.max(1, total),
    due: each / weight,
  }));
}

/** What holds a job of a workload back. */
export function gated(leaf: Leaf, ...gates: GateUse[]): Leaf {
  return { ...leaf, gates };
}
