/** The rules of supervisors of batches, against a plain model of Erlang/OTP's, in which everything stops at once. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type RestartPolicy,
  type RestartStrategy,
  type SupervisedEnd,
  type Supervision,
  type SupervisionEvent,
  stoppingMember,
  supervise,
  withExecutions,
} from '../../src/domain/batch/supervision.ts';
import { batch, cancelled, completed, failed, policies, strategies } from './supervised-batch.ts';

/** Drives the rules as the actor does, and notes what is stopped and started. */
class Driver {
  supervision: Supervision;
  readonly done: string[] = [];
  /** Executions that have not ended, by member. */
  readonly live = new Map<number, string>();
  readonly delays: number[] = [];
  #made = 0;

  constructor(supervision: Supervision) {
    this.supervision = supervision;
    for (const [member, { executionId }] of supervision.members.entries()) this.live.set(member, executionId);
  }

  send(event: SupervisionEvent): void {
    const before = stoppingMember(this.supervision)?.executionId;
    const step = supervise(this.supervision, event);
    const ids = new Map(step.start.map((member) => [member, `${member}.${++this.#made}`]));
    this.supervision = withExecutions(step.supervision, ids);
    for (const [member, id] of ids) {
      if (this.live.has(member)) throw new Error(`member ${member} would run twice`);
      this.live.set(member, id);
      this.done.push(`start ${member}`);
    }
    if (step.start.length > 0) this.delays.push(step.delayMs);
    const stopping = stoppingMember(this.supervision);
    if (stopping !== undefined && stopping.executionId !== before) {
      this.done.push(`stop ${this.supervision.members.indexOf(stopping)}`);
    }
  }

  ends(member: number, end: SupervisedEnd, at: number): void {
    const executionId = this.live.get(member);
    if (executionId === undefined) return;
    this.live.delete(member);
    this.send({ type: 'ended', member, executionId, end, at });
  }

  /** All that is being stopped ends. */
  settle(at: number): void {
    for (let next = stoppingMember(this.supervision); next !== undefined; ) {
      this.ends(this.supervision.members.indexOf(next), cancelled, at);
      next = stoppingMember(this.supervision);
    }
  }
}

/** A supervisor as `supervisor.erl` has it: children, whose ends come one at a time. */
class Otp {
  readonly done: string[] = [];
  readonly #children: { readonly member: number; readonly restart: RestartPolicy; up: boolean }[];
  readonly #strategy: RestartStrategy;
  readonly #intensity: number;
  readonly #period: number;
  #restarts: number[] = [];

  constructor({ strategy, members, intensity, withinMs }: Supervision) {
    this.#strategy = strategy;
    this.#intensity = intensity;
    this.#period = withinMs;
    this.#children = members.map(({ restart }, member) => ({ member, restart, up: true }));
  }

  exit(member: number, isNormal: boolean, now: number): void {
    const child = this.#children.find((each) => each.member === member);
    if (child?.up !== true) return;
    child.up = false;
    if (child.restart === 'temporary') {
      this.#remove(member);
      return;
    }
    if (child.restart === 'transient' && isNormal) {
      this.#rest(member);
      return;
    }
    this.#restarts = [now, ...this.#restarts].filter((at) => at >= now - this.#period);
    if (this.#restarts.length > this.#intensity) {
      this.#terminate(this.#children.splice(0));
      return;
    }
    const first = this.#strategy === 'oneForAll' ? 0 : this.#children.indexOf(child);
    const last = this.#strategy === 'oneForOne' ? first + 1 : this.#children.length;
    const group = this.#children.splice(first, last - first);
    this.#terminate(group);
    const kept = group.filter(({ restart }) => restart !== 'temporary');
    for (const each of kept) {
      each.up = true;
      this.done.push(`start ${each.member}`);
    }
    this.#children.splice(first, 0, ...kept);
  }

  /** Of a batch there is nothing to start a child with that has ended alone, as `start_child` is not there. */
  #rest(member: number): void {
    if (this.#strategy === 'oneForOne') this.#remove(member);
    if (this.#children.every(({ up }) => !up)) this.#children.length = 0;
  }

  #remove(member: number): void {
    this.#children.splice(
      this.#children.findIndex((each) => each.member === member),
      1,
    );
    if (this.#children.every(({ up }) => !up)) this.#children.length = 0;
  }

  #terminate(children: { readonly member: number; up: boolean }[]): void {
    for (const child of children.toReversed()) {
      if (!child.up) continue;
      child.up = false;
      this.done.push(`stop ${child.member}`);
    }
  }
}

const rules = fc.record({
  strategy: fc.constantFrom(...strategies),
  members: fc.array(fc.constantFrom(...policies), { minLength: 1, maxLength: 6 }),
  intensity: fc.nat(5),
});
const end = fc.record({
  member: fc.nat(5),
  isNormal: fc.boolean(),
  after: fc.integer({ min: 0, max: 900 }),
});

describe('a supervisor', () => {
  test('stops and starts what that of OTP does, in its order', () => {
    fc.assert(
      fc.property(rules, fc.array(end, { maxLength: 30 }), ({ strategy, members, intensity }, ends) => {
        const supervision = batch(strategy, members, { intensity });
        const ours = new Driver(supervision);
        const theirs = new Otp(supervision);
        let now = 10_000;
        for (const { member, isNormal, after } of ends) {
          now += after;
          ours.ends(member, isNormal ? completed : failed, now);
          ours.settle(now);
          theirs.exit(member, isNormal, now);
          expect(ours.done).toEqual(theirs.done);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('never runs a member twice, stops one at a time, and comes to an end, whatever ends meanwhile', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: end },
      { weight: 4, arbitrary: fc.constant('stopped' as const) },
      { weight: 1, arbitrary: fc.constant('cancel' as const) },
    );
    fc.assert(
      fc.property(rules, fc.array(step, { maxLength: 40 }), ({ strategy, members, intensity }, steps) => {
        const driver = new Driver(batch(strategy, members, { intensity }));
        const cancel = { reason: 'cancelled', message: '' } as const;
        let now = 10_000;
        for (const each of steps) {
          const stopping = stoppingMember(driver.supervision);
          if (each === 'cancel') driver.send({ type: 'end', end: cancel });
          else if (each !== 'stopped') {
            now += each.after;
            driver.ends(each.member, each.isNormal ? completed : failed, now);
          } else if (stopping !== undefined) {
            driver.ends(driver.supervision.members.indexOf(stopping), cancelled, now);
          }
          const { recent, members: after, phase } = driver.supervision;
          expect(recent.length).toBeLessThanOrEqual(intensity);
          expect(after.filter(({ state }) => state === 'stopping').length).toBeLessThanOrEqual(1);
          for (const [member, { state, executionId }] of after.entries()) {
            const isLive = state === 'up' || state === 'stopping';
            expect(driver.live.get(member)).toBe(isLive ? executionId : undefined);
          }
          if (phase.kind === 'running') expect(after.some(({ state }) => state === 'down')).toBe(false);
        }
        driver.send({ type: 'end', end: cancel });
        const { length } = driver.done;
        driver.settle(now);
        const { phase, members: after } = driver.supervision;
        expect(phase.kind).toBe('ended');
        expect(after.every(({ state, end }) => state === 'over' && end !== undefined)).toBe(true);
        expect(driver.live.size).toBe(0);
        expect(driver.done.slice(length).filter((each) => each.startsWith('start'))).toEqual([]);
        const order = driver.done.slice(length).map((each) => Number(each.split(' ')[1]));
        expect(order).toEqual(order.toSorted((a, b) => b - a));
      }),
      { numRuns: 2000 },
    );
  });

  test('says which member ended how, once too many have', () => {
    const driver = new Driver(batch('oneForOne', ['permanent', 'permanent'], { intensity: 1 }));
    driver.ends(0, failed, 10);
    driver.ends(0, failed, 20);
    expect(driver.done).toEqual(['start 0', 'stop 1']);
    driver.settle(30);
    expect(driver.supervision.phase).toEqual({
      kind: 'ended',
      end: {
        reason: 'intensity',
        member: 0,
        message: 'member 0 ended FUNCTION_EXIT, and 1 restarts within 1 s are all that are allowed',
      },
    });
  });

  test('does not count what the end of a run of the node did', () => {
    const driver = new Driver(batch('oneForOne', ['permanent'], { intensity: 0 }));
    driver.ends(0, { status: 'failed', errorCode: 'INTERRUPTED', endedAt: 0 }, 10);
    expect(driver.done).toEqual(['start 0']);
    expect(driver.supervision).toMatchObject({ counted: 0, recent: [] });
  });

  test('lets a member rest that a caller cancelled', () => {
    const driver = new Driver(batch('oneForAll', ['permanent', 'permanent']));
    driver.ends(0, cancelled, 10);
    driver.ends(1, failed, 20);
    expect(driver.done).toEqual(['start 1']);
  });

  test('waits twice as long before each further restart of a period, up to a bound', () => {
    const driver = new Driver(batch('oneForOne', ['permanent'], { backoffMs: 100, maxBackoffMs: 300 }));
    for (const at of [0, 1, 2, 3, 5000]) driver.ends(0, failed, at);
    expect(driver.delays).toEqual([100, 200, 300, 300, 100]);
  });
});
