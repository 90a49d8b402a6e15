/** The rules of `RunOrder` in their plainest form: every choice looks at everything. */
import type { ConcurrencyUse, GateUse, QuarantineUse, RateUse } from '../../../src/domain/scheduling/gate.ts';
import { type Leaf, priorities, priorityWeights } from '../../../src/domain/scheduling/priority.ts';

interface Plain {
  readonly name: string;
  readonly weight: number;
  readonly rank: number;
  used: number;
  reached: number;
  since: number;
  /** Something in it could start. */
  awake: boolean;
  readonly below: Plain[];
}

interface Job {
  readonly id: string;
  readonly path: readonly Plain[];
  readonly first: boolean;
  readonly at: number;
  readonly uses: readonly GateUse[];
}

function node(name: string, weight: number, rank: number, used: number): Plain {
  return { name, weight, rank, used, reached: 0, since: 0, awake: false, below: [] };
}

type Use = ConcurrencyUse | RateUse | QuarantineUse;

/** What happened to the attempts behind a quarantine gate, all of it. */
interface Happened {
  readonly what: 'passed' | 'failed' | 'succeeded' | 'left' | 'reset';
  readonly id: string;
  readonly at: number;
  readonly failures: number;
  readonly withinMs: number;
}

export class PlainOrder {
  readonly #root = node('', 1, 0, 0);
  #waiting: Job[] = [];
  readonly #running = new Map<string, { readonly job: Job; readonly expectedMs: number }>();
  /** By rule, as it was said last. */
  readonly #rules = new Map<string, Use>();
  readonly #fullAt = new Map<string, number>();
  readonly #quotas = new Map<string, number>();
  /** By meter. */
  readonly #history = new Map<string, Happened[]>();
  #serial = 0;
  #now = 0;

  add(id: string, leaf: Leaf, first: boolean, uses: readonly GateUse[] = []): void {
    if (this.#running.has(id) || this.#waiting.some((job) => job.id === id)) return;
    this.#say(uses);
    const path = this.#path(leaf);
    // From the leaf up, as far as nothing of it waited.
    for (let floor = path.length - 1; floor > 0; floor--) {
      const each = path[floor] as Plain;
      if (this.#waiting.some((job) => job.path[floor] === each)) break;
      each.since = this.#serial++;
    }
    this.#waiting.push({ id, path, first, at: this.#serial++, uses });
    this.#wake();
  }

  remove(id: string): void {
    this.#waiting = this.#waiting.filter((job) => job.id !== id);
    this.#wake();
  }

  advance(now: number): void {
    this.#now = now;
    this.#wake();
  }

  change(use: GateUse): void {
    this.#say([use]);
    this.#wake();
  }

  setQuota(tenant: string, running: number): void {
    this.#child(this.#root, tenant, 1, 0);
    this.#quotas.set(tenant, running);
    this.#wake();
  }

  hold(id: string, leaf: Leaf, expectedMs: number, uses: readonly GateUse[]): void {
    if (this.#running.has(id)) return;
    this.#say(uses);
    this.#running.set(id, {
      job: { id, path: this.#path(leaf), first: false, at: 0, uses },
      expectedMs,
    });
    this.#wake();
  }

  /** Whether no gate holds it; a quota holds its tenant. */
  #isOpen(job: Job): boolean {
    return this.#isWithin(job) && job.uses.every((use) => this.#admits(use as Use));
  }

  #isWithin({ path }: Job): boolean {
    const running = [...this.#running.values()].filter(({ job }) => job.path[1] === path[1]).length;
    return running < (this.#quotas.get((path[1] as Plain).name) ?? Number.POSITIVE_INFINITY);
  }

  take(expectedMs: number): string | undefined {
    let jobs = this.#waiting.filter((job) => this.#isOpen(job));
    for (let floor = 1; floor <= 3 && jobs.length > 0; floor++) {
      const nodes = [...new Set(jobs.map((job) => job.path[floor] as Plain))];
      const [chosen] = nodes.sort(
        (a, b) => this.#had(a, floor) - this.#had(b, floor) || b.rank - a.rank || a.since - b.since,
      );
      jobs = jobs.filter((job) => job.path[floor] === chosen);
    }
    const [job] = jobs.sort((a, b) => Number(b.first) - Number(a.first) || a.at - b.at);
    if (job === undefined) return undefined;
    for (let floor = 1; floor <= 3; floor++) {
      const above = job.path[floor - 1] as Plain;
      above.reached = Math.max(above.reached, (job.path[floor] as Plain).used);
    }
    this.#waiting = this.#waiting.filter(({ id }) => id !== job.id);
    this.#running.set(job.id, { job, expectedMs });
    for (const use of job.uses) {
      if (use.kind === 'quarantine') this.#happened(use, 'passed', job.id);
      if (use.kind !== 'rate') continue;
      const { perMs, units } = this.#rules.get(use.rule) as typeof use;
      const fullAt = this.#fullAt.get(use.meter) ?? 0;
      this.#fullAt.set(use.meter, Math.max(this.#now, fullAt) + perMs / units);
    }
    this.#wake();
    return job.id;
  }

  end(id: string, usedMs: number): void {
    const run = this.#running.get(id);
    if (run === undefined) return;
    this.#running.delete(id);
    for (const use of run.job.uses) if (use.kind === 'quarantine') this.#happened(use, 'left', id);
    for (const each of run.job.path.slice(1)) each.used += usedMs / each.weight;
    const jobs = [...this.#waiting, ...[...this.#running.values()].map(({ job }) => job)];
    for (const above of run.job.path.slice(0, -1)) {
      if (jobs.some(({ path }) => path.includes(above))) continue;
      above.reached = Math.max(above.reached, ...above.below.map(({ used }) => used));
    }
    this.#wake();
  }

  judge(id: string, what: 'failed' | 'succeeded'): void {
    for (const use of this.#running.get(id)?.job.uses ?? []) {
      if (use.kind === 'quarantine') this.#happened(use, what, id);
    }
    this.#wake();
  }

  reset(use: QuarantineUse): void {
    this.#happened(use, 'reset', '');
    this.#wake();
  }

  #happened(use: QuarantineUse, what: Happened['what'], id: string): void {
    const { failures, withinMs } = (this.#rules.get(use.rule) ?? use) as QuarantineUse;
    const history = this.#history.get(use.meter) ?? [];
    history.push({ what, id, at: this.#now, failures, withinMs });
    this.#history.set(use.meter, history);
  }

  /** Goes through all that has happened; says whether one may go through now. */
  #isLetThrough({ meter }: QuarantineUse): boolean {
    let failed: number[] = [];
    let probe: string | undefined;
    let pause = 0;
    let next = 0;
    let isQuarantined = false;
    for (const { what, id, at, failures, withinMs } of this.#history.get(meter) ?? []) {
      const isProbe = isQuarantined && probe === id;
      if (what === 'reset' || (isProbe && what === 'succeeded')) {
        failed = [];
        probe = undefined;
        isQuarantined = false;
      } else if (isProbe && what === 'failed') {
        probe = undefined;
        pause *= 2;
        next = at + pause;
      } else if (isProbe && what === 'left') probe = undefined;
      else if (isQuarantined && what === 'passed') probe = id;
      else if (!isQuarantined && what === 'failed') {
        failed = [...failed, at].filter((each) => each > at - withinMs);
        if (failed.length <= failures) continue;
        isQuarantined = true;
        failed = [];
        pause = withinMs;
        next = at + pause;
      }
    }
    return !isQuarantined || (probe === undefined && next <= this.#now);
  }

  #path({ tenant, priority, fairnessKey }: Leaf): Plain[] {
    const path = [this.#root];
    for (const [name, weight, rank] of [
      [tenant, 1, 0],
      [priority, priorityWeights[priority], priorities.indexOf(priority)],
      [fairnessKey, 1, 0],
    ] as const) {
      path.push(this.#child(path.at(-1) as Plain, name, weight, rank));
    }
    return path;
  }

  #child(above: Plain, name: string, weight: number, rank: number): Plain {
    const known = above.below.find((each) => each.name === name);
    if (known !== undefined) return known;
    const made = node(name, weight, rank, above.reached);
    above.below.push(made);
    return made;
  }

  #say(uses: readonly GateUse[]): void {
    for (const use of uses) {
      if (use.kind === 'resources' || use.kind === 'quotaMemory' || use.kind === 'place') continue;
      this.#rules.set(use.rule, use);
      // A bucket begins empty at the beginning of time.
      if (use.kind === 'rate' && !this.#fullAt.has(use.meter)) {
        this.#fullAt.set(use.meter, (use.burst * use.perMs) / use.units);
      }
    }
  }

  #admits(use: Use): boolean {
    const said = this.#rules.get(use.rule) as Use;
    if (use.kind === 'quarantine') return this.#isLetThrough(use);
    if (said.kind === 'quarantine') return false;
    if ('units' in said) {
      const fullAt = this.#fullAt.get(use.meter) ?? 0;
      return fullAt - ((said.burst - 1) * said.perMs) / said.units <= this.#now;
    }
    const running = [...this.#running.values()].filter(({ job }) =>
      job.uses.some((each) => each.kind !== 'resources' && each.meter === use.meter),
    );
    return running.length < said.limit;
  }

  /** What had nothing that could start and has now begins no lower than where its siblings are. */
  #wake(): void {
    const open = this.#waiting.filter(({ uses }) => uses.every((use) => this.#admits(use as Use)));
    const within = open.filter((job) => this.#isWithin(job));
    const visit = (above: Plain, floor: number): void => {
      for (const each of above.below) {
        visit(each, floor + 1);
        const awake = (floor === 1 ? within : open).some(({ path }) => path[floor] === each);
        if (awake && !each.awake) each.used = Math.max(each.used, above.reached);
        each.awake = awake;
      }
    };
    visit(this.#root, 1);
  }

  #had(plain: Plain, floor: number): number {
    const running = [...this.#running.values()].filter(({ job }) => job.path[floor] === plain);
    return plain.used + running.reduce((sum, { expectedMs }) => sum + expectedMs, 0) / plain.weight;
  }
}
