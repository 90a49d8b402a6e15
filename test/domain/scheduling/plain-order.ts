/** The rules of `RunOrder` in their plainest form: every choice looks at everything. */
import { type Leaf, priorities, priorityWeights } from '../../../src/domain/scheduling/run-order.ts';

interface Plain {
  readonly name: string;
  readonly weight: number;
  readonly rank: number;
  used: number;
  reached: number;
  since: number;
  readonly below: Plain[];
}

interface Job {
  readonly id: string;
  readonly path: readonly Plain[];
  readonly first: boolean;
  readonly at: number;
}

function node(name: string, weight: number, rank: number, used: number): Plain {
  return { name, weight, rank, used, reached: 0, since: 0, below: [] };
}

export class PlainOrder {
  readonly #root = node('', 1, 0, 0);
  #waiting: Job[] = [];
  readonly #running = new Map<string, { readonly job: Job; readonly expectedMs: number }>();
  #serial = 0;

  add(id: string, { tenant, priority, fairnessKey }: Leaf, first: boolean): void {
    if (this.#running.has(id) || this.#waiting.some((job) => job.id === id)) return;
    const path = [this.#root];
    for (const [name, weight, rank] of [
      [tenant, 1, 0],
      [priority, priorityWeights[priority], priorities.indexOf(priority)],
      [fairnessKey, 1, 0],
    ] as const) {
      const above = path.at(-1) as Plain;
      let found = above.below.find((each) => each.name === name);
      if (found === undefined) {
        found = node(name, weight, rank, above.reached);
        above.below.push(found);
      }
      path.push(found);
    }
    // From the leaf up, as far as nothing of it waited.
    for (let floor = path.length - 1; floor > 0; floor--) {
      const each = path[floor] as Plain;
      if (this.#waiting.some((job) => job.path[floor] === each)) break;
      each.used = Math.max(each.used, (path[floor - 1] as Plain).reached);
      each.since = this.#serial++;
    }
    this.#waiting.push({ id, path, first, at: this.#serial++ });
  }

  remove(id: string): void {
    this.#waiting = this.#waiting.filter((job) => job.id !== id);
  }

  take(expectedMs: number): string | undefined {
    let jobs = this.#waiting;
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
    this.remove(job.id);
    this.#running.set(job.id, { job, expectedMs });
    return job.id;
  }

  end(id: string, usedMs: number): void {
    const run = this.#running.get(id);
    if (run === undefined) return;
    this.#running.delete(id);
    for (const each of run.job.path.slice(1)) each.used += usedMs / each.weight;
    const jobs = [...this.#waiting, ...[...this.#running.values()].map(({ job }) => job)];
    for (const above of run.job.path.slice(0, -1)) {
      if (jobs.some(({ path }) => path.includes(above))) continue;
      above.reached = Math.max(above.reached, ...above.below.map(({ used }) => used));
    }
  }

  #had(plain: Plain, floor: number): number {
    const running = [...this.#running.values()].filter(({ job }) => job.path[floor] === plain);
    return plain.used + running.reduce((sum, { expectedMs }) => sum + expectedMs, 0) / plain.weight;
  }
}
