/**
 * The supervisor of executions as custom actor logic: it spawns one execution actor per accepted invocation,
 * passes it events, writes down what changed, and performs the effects that its chart asked for.
 *
 * - A machine with spawned children copies its children map at each spawn, which grows with the number of
 *   live executions; this looks into the registry of them, so that every step is O(1).
 * - One event is handled at a time (the actor's mailbox); effects run after the change is in the log, so that
 *   no output can come before the transition that started it.
 * - At most one live actor per execution id (I1).
 */
import type { ActorLogic, ActorScope, Snapshot } from 'xstate';
import type { BreakpointState } from '../../domain/breakpoint.ts';
import type { Clock } from '../../domain/clock.ts';
import { leafOf, leafOfLine, lineOf, restingLineOf } from '../../domain/scheduling/line.ts';
import { hasToBeKnown } from '../../domain/scheduling/task-gates.ts';
import { type ExecutionSnapshot, statePath } from '../../machines/execution.ts';
import type { ExecutionEvent } from '../../machines/execution-context.ts';
import { alarmOf } from '../../machines/timers.ts';
import { recordAdmission, recordChange, recordFailure, recordShift } from '../log/recorder.ts';
import type { NodeTime } from '../time/node-time.ts';
import type { Alarms } from './alarms.ts';
import type { ExecutionCache } from './cache/execution-cache.ts';
import type { KeptResult } from './cache/result-cache.ts';
import { ExecutionActors } from './execution-actors.ts';
import type { ExecutionQueue } from './execution-queue.ts';
import type { LiveExecution } from './live-execution.ts';
import type { LiveExecutions } from './live-executions.ts';

export type SupervisorEvent =
  | { readonly type: 'spawn'; readonly execution: LiveExecution }
  /** Take up one that the store has, at its snapshot, and let `then` come to it before anything else can. */
  | { readonly type: 'revive'; readonly execution: LiveExecution; readonly then: readonly ExecutionEvent[] }
  | { readonly type: 'deliver'; readonly executionId: string; readonly event: ExecutionEvent }
  /** The admission is durable: it may wait for a slot now. */
  | { readonly type: 'admitted'; readonly executionId: string }
  /** Forget an execution: its end is durable, or its admission never will be. */
  | { readonly type: 'reap'; readonly execution: LiveExecution }
  /** The attempt of a forgotten execution has ended, and with it its hold on a slot. */
  | { readonly type: 'gone'; readonly executionId: string }
  /** One that waited without being live has its slot, and is live, or never will be. */
  | { readonly type: 'awake'; readonly executionId: string }
  /** It waits, and need not be live for that. */
  | { readonly type: 'letGo'; readonly execution: LiveExecution }
  /** It waits, and there is a result for it. */
  | { readonly type: 'answer'; readonly executionId: string; readonly result: KeptResult }
  /** It waited for the run of another, and is to wait for a slot. */
  | { readonly type: 'unpark'; readonly executionId: string }
  /** It wants a slot, and the dispatcher of the cluster is to give it one. */
  | { readonly type: 'handOver'; readonly executionId: string }
  /** Nobody owns it any more. */
  | { readonly type: 'released'; readonly execution: LiveExecution }
  /** There may be a free slot for those who wait. */
  | { readonly type: 'pump' };

type Scope = ActorScope<SupervisorSnapshot, SupervisorEvent>;

export type SupervisorSnapshot = Snapshot<undefined> & {
  readonly status: 'active';
  readonly executions: LiveExecutions;
};

/** What the logic needs done. None of these may send to the supervisor before it returns, but through its mailbox. */
export interface SupervisorEffects {
  startAttempt(execution: LiveExecution, attempt: number): void;
  /** False holds back new attempts: the store is behind or failing. */
  mayDispatch(): boolean;
  /** A breakpoint holds it before that state, or as soon as it is there. */
  holds(execution: LiveExecution, state: string): boolean;
  /** One that is not live has its slot: `awake` says when it is. */
  wake(executionId: string): void;
  /** It is not live any more, and waits. */
  letGo(execution: LiveExecution): void;
  /** One that wants a slot is to be nobody's, for the dispatcher of the cluster to give away. */
  leaves(execution: LiveExecution): boolean;
  /** It has its place in the store. */
  placed(execution: LiveExecution): void;
  /** Something is done to it that nobody owned. */
  isClaimed(executionId: string): boolean;
  readonly cache: Pick<ExecutionCache, 'begins' | 'waits' | 'isParked' | 'moved' | 'leaves'>;
  /** The chart threw: a bug of ours. */
  chartFailed(execution: LiveExecution, error: unknown): void;
}

/** The states in which it waits for something else than a slot. */
const resting: readonly string[] = [
  'pending.blocked',
  'pending.waiting',
  'pending.held',
  'running.backingOff',
  'running.suspended',
];
/** Who waits for less, in milliseconds, is not let go of for that. */
const shortRestMs = 1000;

/** The states in which an attempt can start. */
const canStart: readonly string[] = ['pending.queued', 'running.backingOff'];

const beforeAttempts: BreakpointState = 'running.attempting';
/** The states in which an attempt runs. */
const withSlot: readonly string[] = ['running.attempting', 'running.stopping'];

export function createSupervisorLogic(
  executions: LiveExecutions,
  { clock, time }: { readonly clock: Clock; readonly time: NodeTime },
  alarms: Alarms,
  { slots, backlog, passivation }: Pick<ExecutionQueue, 'slots' | 'backlog' | 'passivation'>,
  effects: SupervisorEffects,
): ActorLogic<SupervisorSnapshot, SupervisorEvent> {
  const actors = new ExecutionActors(alarms, slots);

  const perform = (execution: LiveExecution, snapshot: ExecutionSnapshot): void => {
    for (const effect of actors.takeWanted()) {
      if (effect === 'startAttempt') effects.startAttempt(execution, snapshot.context.attempt);
      else if (effect === 'stopAttempt') execution.stopAttempt();
      else request(execution, snapshot);
    }
  };

  const request = (execution: LiveExecution, snapshot: ExecutionSnapshot): void => {
    const { executionId, log } = execution;
    const isNew = statePath(snapshot) === 'pending.queued';
    if (slots.holds(executionId) || (isNew && effects.cache.waits(execution))) return;
    if (effects.leaves(execution)) {
      handOver(execution, snapshot);
      return;
    }
    if (isNew && passivation.isNear && !hasToBeKnown(log.record)) {
      log.place = {
        line: lineOf(leafOf(log.record)),
        since: Math.round(time.now()),
        wakesAt: alarmOf['pending.queued'](snapshot.context),
      };
    }
    if (!execution.speculative && log.committed === undefined) return;
    if (isNew) backlog.join(execution);
    else slots.request(executionId, snapshot.context.attempt > 0);
  };

  /** It waits for a slot of any node: it is nobody's as soon as the store has its place. */
  const handOver = (execution: LiveExecution, snapshot: ExecutionSnapshot): void => {
    const { log } = execution;
    const path = statePath(snapshot);
    if (log.sealed || !(path in alarmOf)) return;
    const wakesAt = alarmOf[path as keyof typeof alarmOf](snapshot.context);
    const since = log.place?.since ?? Math.round(time.now());
    log.place = { line: lineOf(leafOf(log.record)), since, wakesAt };
    execution.handOver = 'placed';
    log.rewrite();
  };

  /** It waits for something else than a slot, and needs a place where so many do that it may not stay live. */
  const rest = (execution: LiveExecution, snapshot: ExecutionSnapshot): void => {
    const { executionId, log } = execution;
    const path = statePath(snapshot);
    if (!resting.includes(path) || snapshot.context.pausedAttempt !== null || log.sealed) return;
    if (slots.waits(executionId) || slots.holds(executionId) || hasToBeKnown(log.record)) return;
    // It waits for a slot, of whatever node: its place says so.
    if (execution.handOver !== 'no') return;
    const wakesAt = alarmOf[path as keyof typeof alarmOf](snapshot.context);
    const since = Math.round(time.now());
    if (wakesAt - since < shortRestMs) return;
    log.place = { line: restingLineOf(log.record), since, wakesAt };
    execution.rests = true;
  };

  /** It ends with the result of another, in the commit in which it is or was accepted, or in the next. */
  const answer = (
    execution: LiveExecution,
    result: KeptResult,
    use: 'hit' | 'shared',
    scope: Scope,
  ): void => {
    const { log } = execution;
    if (log.sealed || execution.state !== 'pending.queued') return;
    execution.answer = result;
    const { originId: from, endedAt: fromAt, outcome, chunks } = result;
    log.takeResult({ ...log.record.cache, use, from, fromAt }, chunks);
    deliver(execution, { type: 'cached', at: Math.round(time.now()), outcome }, scope);
  };

  /** It has its slot. What it took from rates is in the commit of that. */
  const dispatch = (execution: LiveExecution, scope: Scope): void => {
    const found = effects.cache.begins(execution);
    if (found === 'parked') {
      // It takes no place in the store: whoever has the result is live, and so is it until then.
      backlog.left(execution);
      execution.log.place = undefined;
      slots.release(execution.executionId);
      return;
    }
    if (found !== 'runs') {
      answer(execution, found, 'hit', scope);
      return;
    }
    const at = time.now();
    const meters = slots.metersOf(execution.executionId, at);
    execution.isMetered = meters.length > 0;
    if (meters.length > 0) execution.log.takesFrom(meters);
    deliver(execution, { type: 'dispatch', at: Math.round(at) }, scope);
  };

  const held = (passes?: BreakpointState): ExecutionEvent => ({
    ...{ type: 'suspend', at: Math.round(time.now()), byBreakpoint: true },
    ...(passes !== undefined && { passes }),
  });

  const deliver = (execution: LiveExecution, asked: ExecutionEvent, scope: Scope): void => {
    const { snapshot: before, log } = execution;
    if (before === undefined || log.sealed) return;
    if (execution.handOver === 'releasing') {
      execution.deferred.push(asked);
      return;
    }
    const actor = actors.of(execution, scope.self);
    if (actor === undefined) return;
    const event =
      asked.type === 'dispatch' && effects.holds(execution, beforeAttempts) ? held(beforeAttempts) : asked;
    actor.send(event);
    const after = actor.getSnapshot();
    if (after === before) return;
    execution.snapshot = after;
    const now = { wall: clock.now(), monotonic: clock.monotonic() };
    if (after.status === 'error') {
      effects.chartFailed(execution, after.error);
      recordFailure(log, 'the state machine failed; the log of the node says how', execution.stopwatch, now);
    } else {
      const last = log.record.lastSequence;
      recordChange(
        log,
        before,
        after,
        event,
        execution.stopwatch,
        now,
        execution.watched || !execution.speculative,
        execution.written ?? before,
      );
      if (log.record.lastSequence > last) execution.written = after;
    }
    const path = statePath(after);
    if (!path.startsWith('pending.')) executions.leavePending(execution);
    if (log.place !== undefined && (execution.rests || path !== 'pending.queued')) {
      backlog.left(execution);
      log.place = undefined;
      execution.rests = false;
      execution.handOver = 'no';
    }
    if (log.record.cache !== undefined) effects.cache.moved(execution);
    perform(execution, after);
    if (passivation.isNearResting) rest(execution, after);
    if (log.sealed) {
      alarms.clear(log.executionId);
      slots.release(log.executionId);
    } else if (arrives(event, before, after) && effects.holds(execution, path)) {
      deliver(execution, held(), scope);
    }
  };

  const revive = (execution: LiveExecution): void => {
    const { snapshot, log, written } = execution;
    if (snapshot === undefined) return;
    const path = statePath(snapshot);
    // The log has to lead to what it goes on from, whatever comes next.
    if (written !== undefined && written !== snapshot) recordShift(log, written, snapshot);
    execution.written = snapshot;
    if (path in alarmOf) {
      alarms.set(log.executionId, alarmOf[path as keyof typeof alarmOf](snapshot.context));
    }
    const { place } = log;
    // Of one that is tried again the place alone says whether it waits for its time or for a slot.
    const wantsSlot = place !== undefined && leafOfLine(place.line) !== undefined;
    execution.rests = place !== undefined && !wantsSlot;
    if (place !== undefined && effects.isClaimed(log.executionId)) execution.handOver = 'claimed';
    else if (wantsSlot && path === 'running.backingOff') {
      const { executionId } = log;
      if (!slots.holds(executionId) && !slots.waits(executionId)) slots.request(executionId, true);
    } else if (path === 'pending.queued' && place !== undefined) backlog.revived(execution);
    else if (path === 'pending.queued') request(execution, snapshot);
    else if (withSlot.includes(path)) slots.hold(log.executionId);
  };

  /**
   * A deadline that passed while nobody watched rings before a slot can come. That of an attempt waits for its alarm,
   * as who can end the attempt is told of it only after this.
   */
  const ringDue = (execution: LiveExecution, scope: Scope): void => {
    const { snapshot, log } = execution;
    if (snapshot === undefined || log.sealed) return;
    const path = statePath(snapshot);
    if (!(path in alarmOf) || withSlot.includes(path) || snapshot.context.pausedAttempt !== null) return;
    const at = Math.round(time.now());
    if (alarmOf[path as keyof typeof alarmOf](snapshot.context) <= at) {
      deliver(execution, { type: 'alarm', at }, scope);
    }
  };

  const pump = (scope: Scope): void => {
    while (effects.mayDispatch()) {
      const next = slots.take();
      if (next === undefined) return;
      const execution = executions.get(next);
      const record = execution?.log.record ?? passivation.recordOf(next);
      if (record === undefined) slots.release(next);
      else if (execution === undefined) effects.wake(next);
      else dispatch(execution, scope);
      if (record !== undefined && backlog.goesOn) backlog.taken(leafOf(record));
    }
  };

  const letGo = (execution: LiveExecution, scope: Scope): void => {
    const { executionId } = execution;
    const isAhead = slots.waits(executionId);
    if (executions.get(executionId) !== execution || !passivation.mayLetGo(execution)) return;
    if (execution.handOver !== 'no') return;
    // Not in line yet, or about to run.
    if (!isAhead && execution.behind !== 'counted' && !execution.rests) return;
    alarms.clear(executionId);
    executions.leavePending(execution);
    executions.delete(executionId);
    if (execution.actor !== undefined) scope.stopChild(execution.actor);
    passivation.letGo(execution, isAhead);
    effects.cache.leaves(execution);
    effects.letGo(execution);
  };

  return {
    getInitialSnapshot: () => ({
      status: 'active',
      output: undefined,
      error: undefined,
      executions,
    }),
    getPersistedSnapshot: (snapshot) => snapshot,
    transition(state, event, scope) {
      switch (event.type) {
        case 'spawn': {
          const { execution } = event;
          const snapshot = actors.of(execution, scope.self)?.getSnapshot();
          if (snapshot === undefined) break;
          execution.snapshot = snapshot;
          execution.written = snapshot;
          recordAdmission(execution.log, snapshot, execution.watched || !execution.speculative, execution.by);
          if (execution.answer !== undefined) {
            actors.takeWanted();
            answer(execution, execution.answer, 'hit', scope);
            break;
          }
          perform(execution, snapshot);
          if (passivation.isNearResting) rest(execution, snapshot);
          if (effects.holds(execution, statePath(snapshot))) deliver(execution, held(), scope);
          break;
        }
        case 'revive':
          revive(event.execution);
          for (const next of event.then) deliver(event.execution, next, scope);
          ringDue(event.execution, scope);
          break;
        case 'deliver': {
          const execution = executions.get(event.executionId);
          if (execution !== undefined) deliver(execution, event.event, scope);
          break;
        }
        case 'admitted': {
          const execution = executions.get(event.executionId);
          if (execution?.handOver !== 'no' || execution.state !== 'pending.queued') break;
          if (!effects.cache.isParked(execution)) backlog.join(execution);
          break;
        }
        case 'answer': {
          const execution = executions.get(event.executionId);
          if (execution !== undefined) answer(execution, event.result, 'shared', scope);
          break;
        }
        case 'unpark': {
          const execution = executions.get(event.executionId);
          const { snapshot } = execution ?? {};
          if (execution !== undefined && snapshot !== undefined && execution.state === 'pending.queued') {
            request(execution, snapshot);
          }
          break;
        }
        case 'awake': {
          const execution = executions.get(event.executionId);
          if (execution === undefined) slots.release(event.executionId);
          else if (slots.holds(event.executionId) && canStart.includes(execution.state)) {
            dispatch(execution, scope);
          }
          break;
        }
        case 'handOver': {
          const execution = executions.get(event.executionId);
          const { snapshot } = execution ?? {};
          if (execution === undefined || snapshot === undefined || execution.log.sealed) break;
          if (slots.holds(event.executionId)) break;
          if (execution.handOver === 'claimed') {
            execution.handOver = 'no';
            if (execution.log.place === undefined) break;
          } else if (!slots.waits(event.executionId)) break;
          slots.release(event.executionId);
          backlog.left(execution);
          handOver(execution, snapshot);
          break;
        }
        case 'released': {
          const { execution } = event;
          const { executionId } = execution;
          if (executions.get(executionId) !== execution) break;
          alarms.clear(executionId);
          slots.release(executionId);
          executions.leavePending(execution);
          executions.delete(executionId);
          if (execution.actor !== undefined) scope.stopChild(execution.actor);
          effects.cache.leaves(execution);
          effects.letGo(execution);
          execution.log.leave();
          break;
        }
        case 'letGo':
          letGo(event.execution, scope);
          break;
        case 'reap': {
          const { execution } = event;
          const { executionId } = execution;
          alarms.clear(executionId);
          executions.leavePending(execution);
          if (execution.log.complete) break;
          // An attempt that was started ahead of a refused admission keeps its slot until it is gone.
          if (execution.state === 'running.attempting') execution.stopAttempt();
          else slots.release(executionId);
          if (execution.actor !== undefined) scope.stopChild(execution.actor);
          break;
        }
        case 'gone':
          slots.release(event.executionId);
          break;
        case 'pump':
          break;
        default:
          // What XState relays of an execution's end: it was seen in `deliver` already.
          return state;
      }
      pump(scope);
      return state;
    },
  };
}

/** It has come to a state by itself, to wait there: nobody asked for it to go on. */
function arrives(event: ExecutionEvent, before: ExecutionSnapshot, after: ExecutionSnapshot): boolean {
  if (event.type !== 'alarm' && event.type !== 'attemptEnded' && event.type !== 'unblocked') return false;
  const to = statePath(after);
  return (to === 'pending.queued' || to === 'running.backingOff') && to !== statePath(before);
}
