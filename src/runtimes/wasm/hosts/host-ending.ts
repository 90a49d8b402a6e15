import type { AttemptOutcome } from '../../runtime.ts';
import type { HostExit } from './host-process.ts';
import type { PendingJob } from './pending.ts';

type Spread<T> = T extends unknown ? Omit<T, 'instanceId'> : never;
type Ending = Spread<AttemptOutcome>;

interface Facts {
  readonly exit: HostExit;
  /** Why the node ended the host; undefined where it ended by itself. */
  readonly reason: string | undefined;
  /** Microseconds; set where it was ended because its guest had used that. */
  readonly cpuUsedUp: number | undefined;
  /** What happened to the host is the doing of this job: nothing else was in it, or what it did cannot be undone. */
  readonly fault: boolean;
}

/** How a job ended that was in a host when that ended; undefined where it is to run again in one of its own. */
export function hostEnding(pending: PendingJob, facts: Facts): Ending | undefined {
  const { exit, reason, cpuUsedUp, fault } = facts;
  if (cpuUsedUp !== undefined) {
    const message = `it used up its ${pending.cpuTimeMs} ms of CPU time`;
    return { kind: 'failed', code: 'CPU_LIMIT', message, resourceUse: { cpuTimeUs: cpuUsedUp } };
  }
  if (pending.signal.aborted) return { kind: 'stopped', rung: 'terminate', resourceUse: {} };
  if (!fault) return undefined;
  if (reason !== undefined) return failed('INSTANCE_LOST', `its guest host was ended: ${reason}`);
  if (exit.ranOutOfMemory || /out of memory/i.test(exit.words)) {
    return failed(
      'MEMORY_LIMIT',
      'it used up the memory of its guest host: what it compiles to and the values that it passes count, too',
    );
  }
  if (exit.signal === 'SIGKILL' || (exit.signal === null && exit.code === 0)) {
    return failed('INSTANCE_LOST', 'its guest host was killed by something else than this node');
  }
  return failed('TRAP', `it took its guest host down (${exit.signal ?? `exit code ${exit.code}`})`);
}

function failed(code: 'INSTANCE_LOST' | 'MEMORY_LIMIT' | 'TRAP', message: string) {
  return { kind: 'failed', code, message, resourceUse: {} } as const;
}
