/**
 * Members of a batch that are meant to run on, under a supervisor as Erlang/OTP means it: what is stopped and started
 * when one ends, in which order, and when the supervisor gives up. Pure: state and event in, state and work out.
 *
 * Phases: `running` → `restarting` → `running`, and from both `ending` → `ended`. While it is restarting, members of the
 * group are stopped one by one, the last of the batch first, and begin again together once all have ended.
 *
 * 1. A member has a new execution only when the one before has ended: no member runs twice at a time.
 * 2. At most one member is being stopped, and it is the last of those that are to be.
 * 3. Within any `withinMs`, at most `intensity` restarts are counted.
 */
import { durationText } from '../duration.ts';
import type { ErrorCode } from '../errors.ts';
import type { ExecutionStatus } from '../execution.ts';
import type { Timeouts } from '../task.ts';

/** Who begins again with a member: itself, all of the batch, or itself with those behind it in the batch. */
export type RestartStrategy = 'oneForOne' | 'oneForAll' | 'restForOne';

/** When a member begins again: however it ended, unless it completed, or never. */
export type RestartPolicy = 'permanent' | 'transient' | 'temporary';

/** Members of a supervised batch at most: all of them are in its row. */
export const mostSupervised = 100;

export interface SupervisionRules {
  readonly strategy: RestartStrategy;
  /** Restarts at most within a period of so many milliseconds; one more, and the batch ends. */
  readonly intensity: number;
  readonly withinMs: number;
  /** Milliseconds before the first restart of a period, doubled with each further one, and at most that. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

/** How an execution of a member ended. */
export interface SupervisedEnd {
  readonly status: ExecutionStatus;
  readonly errorCode?: ErrorCode;
  /** Wall clock, milliseconds since the epoch. */
  readonly endedAt: number;
}

export interface SupervisedMember {
  /** Empty for one without a name. */
  readonly name: string;
  /** The execution that it has now, or had last. */
  readonly executionId: string;
  readonly restart: RestartPolicy;
  readonly timeouts: Timeouts & { readonly totalMs: number; readonly totalFrom?: 'attempt' };
  /**
   * `up`: its execution has not ended. `stopping`: and was asked to. `down`: it has, and the member begins again.
   * `resting`: it completed, and begins again only with others. `over`: it does not begin again.
   */
  readonly state: 'up' | 'stopping' | 'down' | 'resting' | 'over';
  /** How often it began again. */
  readonly restarts: number;
  /** Of its last execution, of one that is neither up nor stopping. */
  readonly end?: SupervisedEnd;
}

/** Why a supervisor ends: a caller asked, too many restarts, or a member cannot begin again. */
export interface SupervisionEnd {
  readonly reason: 'cancelled' | 'intensity' | 'lost';
  /** The member that brought it about. */
  readonly member?: number;
  readonly message: string;
}

export type SupervisionPhase =
  | { readonly kind: 'running' }
  | {
      readonly kind: 'restarting';
      /** Members that begin again, or end with them. */
      readonly group: readonly number[];
      /** Members of no group yet that ended meanwhile, as they came. */
      readonly behind: readonly { readonly member: number; readonly at: number }[];
    }
  | { readonly kind: 'ending'; readonly end: SupervisionEnd }
  /** Absent means that every member ended by itself. */
  | { readonly kind: 'ended'; readonly end?: SupervisionEnd };

export interface Supervision extends SupervisionRules {
  readonly members: readonly SupervisedMember[];
  readonly phase: SupervisionPhase;
  /** Those of the last period, in milliseconds since the epoch, as deadlines count. */
  readonly recent: readonly number[];
  /** All that were ever counted. */
  readonly counted: number;
}

export type SupervisionEvent =
  | {
      readonly type: 'ended';
      readonly member: number;
      readonly executionId: string;
      readonly end: SupervisedEnd;
      /** As deadlines count. */
      readonly at: number;
    }
  | { readonly type: 'end'; readonly end: SupervisionEnd };

export interface SupervisionStep {
  readonly supervision: Supervision;
  /** The members to start, in order: each needs a new execution, which `withExecutions` notes. */
  readonly start: readonly number[];
  /** Milliseconds from now on before they may begin. */
  readonly delayMs: number;
}

/** What comes of an event; the same object where that is nothing. */
export function supervise(supervision: Supervision, event: SupervisionEvent): SupervisionStep {
  const { phase } = supervision;
  if (event.type === 'end') {
    if (phase.kind === 'ending' || phase.kind === 'ended') return idle(supervision);
    return advance({ ...supervision, phase: { kind: 'ending', end: event.end } });
  }
  const { member, executionId, end, at } = event;
  const known = supervision.members[member];
  if (known?.executionId !== executionId || (known.state !== 'up' && known.state !== 'stopping')) {
    return idle(supervision);
  }
  const isTemporary = known.restart === 'temporary';
  if (phase.kind === 'ending' || phase.kind === 'ended') {
    return advance(changed(supervision, member, { state: 'over', end }));
  }
  if (phase.kind === 'restarting' && phase.group.includes(member)) {
    return advance(changed(supervision, member, { state: isTemporary ? 'over' : 'down', end }));
  }
  if (!beginsAgain(known.restart, end)) {
    const rests = end.status === 'completed' && !isTemporary && supervision.strategy !== 'oneForOne';
    return advance(changed(supervision, member, { state: rests ? 'resting' : 'over', end }));
  }
  const down = changed(supervision, member, { state: 'down', end });
  if (phase.kind === 'running') return advance(restart(down, member, at));
  return advance({ ...down, phase: { ...phase, behind: [...phase.behind, { member, at }] } });
}

/** The same, with the executions that members were given by `start`. */
export function withExecutions(
  supervision: Supervision,
  executionIds: ReadonlyMap<number, string>,
): Supervision {
  return {
    ...supervision,
    members: supervision.members.map((known, member) => {
      const executionId = executionIds.get(member);
      return executionId === undefined ? known : { ...known, executionId };
    }),
  };
}

/** The member that is to be stopped now; undefined for none. */
export function stoppingMember({ members }: Supervision): SupervisedMember | undefined {
  return members.find(({ state }) => state === 'stopping');
}

/** A caller who cancels a member, or moves it away, means that. */
function beginsAgain(policy: RestartPolicy, { status, errorCode }: SupervisedEnd): boolean {
  if (policy === 'temporary' || status === 'cancelled' || errorCode === 'MOVED') return false;
  return policy === 'permanent' || status !== 'completed';
}

/** A member has ended and begins again; what the node did to it is not its fault, and is not counted. */
function restart(supervision: Supervision, member: number, at: number): Supervision {
  const { strategy, members, intensity, withinMs, phase } = supervision;
  const { end, name = '' } = members[member] ?? {};
  const counts = end?.errorCode !== 'INTERRUPTED';
  const recent = supervision.recent.filter((each) => each >= at - withinMs);
  if (counts) recent.push(at);
  if (recent.length > intensity) {
    const which = name === '' ? `member ${member}` : `member ${member} (${name})`;
    const how = end?.errorCode ?? end?.status ?? '';
    const allowed = `${intensity} restarts within ${durationText(withinMs)} are all that are allowed`;
    const message = `${which} ended ${how}, and ${allowed}`;
    return {
      ...changed(supervision, member, { state: 'over' }),
      recent: recent.slice(0, -1),
      phase: { kind: 'ending', end: { reason: 'intensity', member, message } },
    };
  }
  const group = new Set(phase.kind === 'restarting' ? phase.group : []);
  for (const [other, { state }] of members.entries()) {
    const isOf =
      strategy === 'oneForAll' || (strategy === 'restForOne' && other > member) || other === member;
    if (isOf && state !== 'over') group.add(other);
  }
  return {
    ...supervision,
    recent,
    counted: supervision.counted + (counts ? 1 : 0),
    phase: {
      kind: 'restarting',
      group: [...group].sort((a, b) => a - b),
      behind: phase.kind === 'restarting' ? phase.behind : [],
    },
  };
}

/** Stops the next member that is to be stopped, starts those that are to be started, or ends. */
function advance(supervision: Supervision): SupervisionStep {
  const { members, phase } = supervision;
  if (phase.kind === 'ended') return idle(supervision);
  if (phase.kind === 'running') {
    return members.some(({ state }) => state === 'up') ? idle(supervision) : idle(ended(supervision));
  }
  if (stoppingMember(supervision) !== undefined) return idle(supervision);
  const isToStop = (member: number): boolean => phase.kind === 'ending' || phase.group.includes(member);
  const last = members.findLastIndex(({ state }, member) => state === 'up' && isToStop(member));
  if (last >= 0) return idle(changed(supervision, last, { state: 'stopping' }));
  if (phase.kind === 'ending') return idle(ended(supervision, phase.end));
  const [next, ...behind] = phase.behind;
  if (next !== undefined) {
    // One that a larger group has taken in meanwhile begins again with it, and is counted all the same.
    return advance(restart({ ...supervision, phase: { ...phase, behind } }, next.member, next.at));
  }
  const start = phase.group.filter((member) => {
    const state = members[member]?.state;
    return state === 'down' || state === 'resting';
  });
  const isStarted = new Set(start);
  const started = members.map((known, member): SupervisedMember => {
    if (!isStarted.has(member)) return known;
    const { end: _end, ...rest } = known;
    return { ...rest, state: 'up', restarts: known.restarts + 1 };
  });
  return {
    supervision: { ...supervision, members: started, phase: { kind: 'running' } },
    start,
    delayMs: backoffOf(supervision),
  };
}

/** Doubled with each restart of the period, and bounded. */
function backoffOf({ recent, backoffMs, maxBackoffMs }: Supervision): number {
  const exponent = Math.max(0, recent.length - 1);
  return Math.min(maxBackoffMs, backoffMs * 2 ** Math.min(exponent, 30));
}

function ended(supervision: Supervision, end?: SupervisionEnd): Supervision {
  return {
    ...supervision,
    members: supervision.members.map((known) => ({ ...known, state: 'over' })),
    phase: { kind: 'ended', ...(end !== undefined && { end }) },
  };
}

function idle(supervision: Supervision): SupervisionStep {
  return { supervision, start: [], delayMs: 0 };
}

function changed(supervision: Supervision, member: number, changes: Partial<SupervisedMember>): Supervision {
  return {
    ...supervision,
    members: supervision.members.map((known, index) => (index === member ? { ...known, ...changes } : known)),
  };
}
