/**
 * Runs the order of runs through a million made-up executions, and prints who waited how long, shares against weights, and
 * how much of the slots was used. Exits 1 where one was lost, started twice or let through a closed gate, or a share is
 * more than 5 % from what its weight is due.
 *
 *     npm run simulate [-- SCALE]
 */
import { type Report, simulate, type Waits } from './simulation/simulation.ts';
import { workloads } from './simulation/workloads.ts';

const scale = Number(process.argv[2] ?? 1);
if (!(scale > 0 && scale <= 10)) {
  console.error(`simulate: SCALE is ${process.argv[2]}; allowed is a number above 0, at most 10`);
  process.exit(64);
}

/** Of a share. What a wrong estimate costs is the length of an attempt, which weighs the more the shorter the run is. */
const off = 0.05 * Math.max(1, 1 / scale);

function waitsText(waits: ReadonlyMap<string, Waits>): string[] {
  return [...waits]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { count, medianMs, p99Ms, maxMs }]) => {
      const [median, p99, most] = [medianMs, p99Ms, maxMs].map((ms) => `${(ms / 1000).toFixed(3)} s`);
      return `  ${name.padEnd(8)} ${String(count).padStart(8)}  waited ${median} in the median, ${p99} at 99 %, ${most} at most`;
    });
}

function faultsOf({ faults, shares }: Report): string[] {
  const wrong = shares.filter(({ had, due }) => Math.abs(had - due) > off * due);
  return [
    ...faults,
    ...wrong.map(({ name, had, due }) => `${name} had ${had.toFixed(4)}, and is due ${due.toFixed(4)}`),
  ];
}

const begun = performance.now();
let jobs = 0;
let failed = false;
for (const workload of workloads(scale)) {
  const since = performance.now();
  const report = simulate(workload);
  const seconds = (performance.now() - since) / 1000;
  jobs += report.jobs;
  console.log(
    `${report.name}: ${report.ran} ran, ${report.cancelled} cancelled, in ${(report.virtualMs / 1000).toFixed(0)} s of its time and ${seconds.toFixed(1)} s of ours; slots used ${(100 * report.utilisation).toFixed(1)} %`,
  );
  for (const line of [...waitsText(report.byPriority), ...waitsText(report.byTenant)]) console.log(line);
  for (const { name, had, due } of report.shares) {
    console.log(`  ${name.padEnd(8)} had ${(100 * had).toFixed(2)} %, due ${(100 * due).toFixed(2)} %`);
  }
  const faults = faultsOf(report);
  for (const fault of faults) console.log(`  WRONG: ${fault}`);
  if (faults.length > 0) failed = true;
}
console.log(`${jobs} executions in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
process.exitCode = failed ? 1 : 0;
