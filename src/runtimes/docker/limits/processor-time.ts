import type { Limits } from '../../../domain/task.ts';
import type { AttemptOutcome } from '../../runtime.ts';
import type { InstanceHost } from '../ending/container-exit.ts';
import { CpuWatch } from './cpu-watch.ts';

const statsMs = 10_000;

interface Watched {
  readonly containerId: string;
  readonly limits: Limits;
  /** It ran before it was watched. */
  readonly resumed: boolean;
  readonly onExceeded: () => void;
}

/** Looks after the processor time of a container; undefined where that has no limit. */
export function watchProcessorTime(host: InstanceHost, watched: Watched): CpuWatch | undefined {
  const { connection, clock } = host;
  const { containerId, limits, resumed, onExceeded } = watched;
  const { cpuTimeMs, cpu } = limits;
  if (cpuTimeMs === undefined) return undefined;
  const cores = connection.facts?.cores ?? 1;
  return new CpuWatch({
    clock,
    limitMs: cpuTimeMs,
    cores: Math.min(cpu ?? cores, cores),
    resumed,
    onExceeded,
    async read() {
      try {
        const stats = await connection.call(statsMs, (docker) =>
          docker.getContainer(containerId).stats({ stream: false, 'one-shot': true }),
        );
        return stats.cpu_stats.cpu_usage.total_usage / 1e6;
      } catch {
        // It is gone, or the engine is: either way its exit says more than we could.
        return undefined;
      }
    },
  });
}

/** The outcome, with the processor time that is known of it. */
export function withProcessorTime(
  outcome: AttemptOutcome,
  usedUs: number | undefined,
  { cpuTimeMs = 0 }: Limits,
): AttemptOutcome {
  if (usedUs === undefined) return outcome;
  const usedUp = outcome.kind === 'failed' && outcome.code === 'CPU_LIMIT';
  // The last look may be from before what the kernel ended it for.
  return { ...outcome, resourceUse: { cpuTimeUs: usedUp ? Math.max(usedUs, cpuTimeMs * 1000) : usedUs } };
}
