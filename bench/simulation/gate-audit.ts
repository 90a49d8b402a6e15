import type { GateUse } from '../../src/domain/scheduling/gate.ts';
import type { Leaf } from '../../src/domain/scheduling/priority.ts';
import type { TenantLimits } from '../../src/domain/scheduling/run-order.ts';

interface Tokens {
  count: number;
  /** When they were counted. */
  at: number;
}

interface Rate {
  readonly units: number;
  readonly perMs: number;
  readonly burst: number;
}

const mostFaults = 20;

/** Counts by itself what runs behind each gate, and notes each start that should not have been. */
export class GateAudit {
  readonly faults: string[] = [];
  readonly #slots: number;
  readonly #quotas: Readonly<Record<string, TenantLimits>>;
  readonly #resources: { readonly memoryBytes: number; readonly processors: number } | undefined;
  readonly #running = new Set<string>();
  readonly #counts = new Map<string, number>();
  readonly #tokens = new Map<string, Tokens>();
  #memoryBytes = 0;
  #processors = 0;

  constructor(
    slots: number,
    quotas: Readonly<Record<string, TenantLimits>>,
    resources?: { readonly memoryBytes: number; readonly processors: number },
  ) {
    this.#slots = slots;
    this.#quotas = quotas;
    this.#resources = resources;
  }

  fault(words: string): void {
    if (this.faults.length < mostFaults) this.faults.push(words);
  }

  starts(id: string, { tenant, gates = [] }: Leaf, now: number): void {
    if (this.#running.has(id)) this.fault(`${id} was started twice`);
    this.#running.add(id);
    if (this.#running.size > this.#slots) this.fault(`${this.#running.size} run on ${this.#slots} slots`);
    const quota = this.#quotas[tenant];
    this.#count(`quota ${tenant}`, quota?.running ?? Number.POSITIVE_INFINITY);
    if (quota?.rate !== undefined) this.#spend(`quota ${tenant}`, quota.rate, now);
    for (const gate of gates) {
      if (gate.kind === 'resources') this.#reserve(gate);
      else if ('units' in gate) this.#spend(gate.meter, gate, now);
      else if ('limit' in gate) this.#count(gate.meter, gate.limit);
    }
  }

  ends(id: string, { tenant, gates = [] }: Leaf): void {
    this.#running.delete(id);
    for (const meter of [`quota ${tenant}`, ...gates.flatMap(countedBy)]) {
      this.#counts.set(meter, (this.#counts.get(meter) ?? 0) - 1);
    }
    for (const gate of gates) {
      if (gate.kind !== 'resources') continue;
      this.#memoryBytes -= gate.memoryBytes;
      this.#processors -= gate.processors;
    }
  }

  #count(meter: string, limit: number): void {
    const count = (this.#counts.get(meter) ?? 0) + 1;
    this.#counts.set(meter, count);
    if (count > limit) this.fault(`${count} run with ${meter}, allowed are ${limit}`);
  }

  #spend(meter: string, { units, perMs, burst }: Rate, now: number): void {
    const tokens = this.#tokens.get(meter) ?? { count: 0, at: 0 };
    tokens.count = Math.min(burst, tokens.count + ((now - tokens.at) * units) / perMs);
    tokens.at = now;
    tokens.count -= 1;
    if (tokens.count < -1e-6) this.fault(`${meter} has started ${-tokens.count} too many at ${now}`);
    this.#tokens.set(meter, tokens);
  }

  #reserve({ memoryBytes, processors }: { readonly memoryBytes: number; readonly processors: number }): void {
    this.#memoryBytes += memoryBytes;
    this.#processors += processors;
    const total = this.#resources;
    if (total === undefined) return;
    if (this.#memoryBytes > total.memoryBytes || this.#processors > total.processors + 1e-6) {
      this.fault(`${this.#memoryBytes} bytes and ${this.#processors} processors are in use`);
    }
  }
}

function countedBy(gate: GateUse): string[] {
  return 'limit' in gate ? [gate.meter] : [];
}
