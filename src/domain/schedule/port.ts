import type { Scope } from '../scope.ts';
import type {
  Firing,
  Overlap,
  Schedule,
  ScheduleDraft,
  ScheduledCall,
  ScheduleOwner,
  SeenFiring,
} from './schedule.ts';

/** Who asks for something of a schedule. */
export interface Asker {
  readonly scope: Scope;
  readonly owner: ScheduleOwner;
}

/** A schedule as it is shown. */
export interface ShownSchedule {
  readonly schedule: Schedule;
  readonly call: ScheduledCall | undefined;
  /** Executions of its newest firings that did not complete, one after another; of `get` alone. */
  readonly failedInARow: number;
  readonly last: SeenFiring | undefined;
}

export interface Creation {
  readonly dryRun: boolean;
  /** Begins paused, for that reason. */
  readonly pause?: string | undefined;
}

export interface Backfill {
  /** Both included. */
  readonly from: number;
  readonly to: number;
  readonly overlap: Overlap;
  readonly dryRun: boolean;
}

/** Of a dry run: nothing has become of it. */
export type PlannedFiring = Pick<Firing, 'instant' | 'cause'>;

/** The schedules. What is out of a scope is not there. All reject with a RequestError. */
export interface Schedules {
  /** Rejects with invalid_argument, not_found for its task, already_exists, resource_exhausted, unavailable. */
  create(draft: ScheduleDraft, asker: Asker, creation: Creation): Promise<ShownSchedule>;
  /** Rejects with aborted for another revision than is expected, and as `create`. */
  update(
    draft: ScheduleDraft,
    asker: Asker,
    options: { readonly expectedRevision?: number | undefined; readonly dryRun: boolean },
  ): Promise<ShownSchedule>;
  get(name: string, scope: Scope): Promise<ShownSchedule>;
  /** Of the scope's tenant, by name, names after `after`; without their calls. */
  list(after: string, limit: number, scope: Scope): Promise<readonly ShownSchedule[]>;
  pause(name: string, reason: string, asker: Asker): Promise<{ shown: ShownSchedule; changed: boolean }>;
  resume(name: string, scope: Scope): Promise<{ shown: ShownSchedule; changed: boolean }>;
  /** Rejects with what its execution was refused with; what was left out is a firing, too. */
  trigger(name: string, scope: Scope): Promise<SeenFiring>;
  /** In the order of their instants. */
  backfill(name: string, backfill: Backfill, scope: Scope): Promise<readonly (Firing | PlannedFiring)[]>;
  delete(name: string, scope: Scope): Promise<void>;
  /** The next instants of a schedule, or of one that is only shown. */
  upcoming(of: string | Schedule, limit: number, scope: Scope): Promise<readonly number[]>;
  /** The newest first. */
  firings(name: string, scope: Scope): Promise<readonly SeenFiring[]>;
}
