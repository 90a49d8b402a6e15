/** What callers may ask of an execution that lives: to end, to be held, to go on, to be moved away. */
import type { ExecutionRecord } from '../../domain/execution.ts';
import type { Changed } from '../../domain/executions.ts';
import { interruptPolicyOf, mayRerun } from '../../domain/interruption.ts';
import type { LinkAction } from '../../domain/links.ts';
import type { LogCursor } from '../../domain/log.ts';
import type { Task } from '../../domain/task.ts';
import type { ExecutionEvent } from '../../machines/execution-context.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import { storeUnavailable } from '../log/committer.ts';
import { unknownHere, untilDurable } from '../log/durable.ts';
import type { LiveExecution } from './live-execution.ts';
import { notInState } from './recovery/stored-execution.ts';

export interface ControlsHost {
  /** A cursor on any execution that does not count as an observer. Rejects with not_found. */
  glance(executionId: string): Promise<LogCursor>;
  live(executionId: string): LiveExecution | undefined;
  runtimeOf(task: Task): Runtime | undefined;
  /** The store can be written. */
  isWritable(): boolean;
  deliver(executionId: string, event: ExecutionEvent): void;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Why an execution is cancelled whose creator wanted that. */
export const callerLeft = 'its caller went away';

export class Controls {
  readonly #host: ControlsHost;

  constructor(host: ControlsHost) {
    this.#host = host;
  }

  async order(executionId: string, action: LinkAction, by?: string): Promise<Changed> {
    switch (action.kind) {
      case 'cancel':
        return this.#cancel(executionId, action.reason, by);
      case 'suspend':
        return this.#suspend(executionId, by);
      case 'resume':
        return this.#resume(executionId, by);
      case 'detach':
        // It ends the execution here at once, and nobody could be given the document before that is durable.
        if (!this.#host.isWritable()) throw storeUnavailable();
        return { changed: true, record: await this.#detach(executionId, by) };
      case 'leave':
        return this.leave(executionId);
    }
  }

  #cancel(executionId: string, reason: string, by?: string): Promise<Changed> {
    return this.#ask(executionId, (controlled) => {
      if (controlled !== undefined) {
        this.#deliver(controlled, { type: 'cancel', at: this.#host.now(), reason, ...named(by) });
      }
    });
  }

  #suspend(executionId: string, by?: string): Promise<Changed> {
    return this.#ask(executionId, async (controlled, record) => {
      if (controlled === undefined) throw notInState(record, 'only what has not ended can be held');
      const path = controlled.state;
      if (path === 'running.attempting') await this.#suspendAttempt(controlled, by);
      else if (path === 'running.stopping' && controlled.snapshot?.context.cause !== null) {
        throw notInState(record, 'its attempt is being ended; allowed is to wait for that');
      } else this.#deliver(controlled, { type: 'suspend', at: this.#host.now(), ...named(by) });
    });
  }

  #resume(executionId: string, by?: string): Promise<Changed> {
    return this.#ask(executionId, async (controlled, record) => {
      if (controlled === undefined) throw notInState(record, 'only what is held can go on');
      const { task } = controlled;
      if (controlled.attemptPaused) {
        await this.#host.runtimeOf(task)?.unpause?.(executionId);
      }
      this.#deliver(controlled, { type: 'resume', at: this.#host.now(), ...named(by) });
    });
  }

  /** Its creator went away; nothing happens where somebody observes it. */
  leave(executionId: string): Promise<Changed> {
    return this.#ask(executionId, (controlled) => {
      if (controlled === undefined || controlled.log.observers > 0 || controlled.log.sealed) return;
      const reason = callerLeft;
      this.#deliver(controlled, { type: 'cancel', at: this.#host.now(), reason });
    });
  }

  /** See Transfers. */
  async #detach(executionId: string, by?: string): Promise<ExecutionRecord> {
    const cursor = await this.#host.glance(executionId);
    try {
      const controlled = this.#host.live(executionId);
      if (controlled !== undefined) {
        const { task } = controlled;
        const runs = controlled.state === 'running.attempting' || controlled.attemptPaused;
        if (runs && !mayRerun(interruptPolicyOf(task.definition))) {
          throw notInState(
            controlled.log.record,
            'its attempt cannot be carried, and its task does not let it run again (on_interrupt)',
          );
        }
        this.#deliver(controlled, { type: 'detach', at: this.#host.now(), ...named(by) });
        await cursor.beyond(Number.POSITIVE_INFINITY);
        if (!controlled.log.complete) throw unknownHere();
      }
      await cursor.admitted();
      const { record } = cursor;
      const { outcome } = record;
      if (outcome?.status === 'failed' && outcome.code === 'MOVED') return record;
      throw notInState(record, 'only what has not ended can be moved');
    } finally {
      cursor.close('done');
    }
  }

  async #suspendAttempt(controlled: LiveExecution, by: string | undefined): Promise<void> {
    const { executionId, task } = controlled;
    const runtime = this.#host.runtimeOf(task);
    if (runtime?.capabilities.pause !== true) {
      if (!mayRerun(interruptPolicyOf(task.definition))) {
        throw notInState(
          controlled.log.record,
          `a ${task.definition.runtime} attempt cannot be paused, and its task does not let it run again (on_interrupt)`,
        );
      }
      this.#deliver(controlled, { type: 'suspend', at: this.#host.now(), ...named(by) });
      return;
    }
    await runtime.pause?.(executionId);
    this.#deliver(controlled, { type: 'paused', at: this.#host.now(), ...named(by) });
    // It came to something else meanwhile, which must not find it standing still.
    if (controlled.state !== 'running.suspended') await runtime.unpause?.(executionId).catch(() => undefined);
  }

  /** Does something to an execution and resolves when what came of it is durable. */
  async #ask(
    executionId: string,
    act: (controlled: LiveExecution | undefined, record: ExecutionRecord) => Promise<void> | void,
  ): Promise<Changed> {
    const cursor = await this.#host.glance(executionId);
    try {
      const controlled = this.#host.live(executionId);
      const before = controlled?.snapshot;
      await act(controlled, cursor.record);
      if (controlled === undefined) return { changed: false, record: cursor.record };
      const changed = controlled.snapshot !== before;
      await untilDurable(controlled.log);
      return { changed, record: cursor.record };
    } finally {
      cursor.close('done');
    }
  }

  #deliver({ executionId }: LiveExecution, event: ExecutionEvent): void {
    this.#host.deliver(executionId, event);
  }
}

function named(by: string | undefined): { readonly by?: string } {
  return by === undefined ? {} : { by };
}
