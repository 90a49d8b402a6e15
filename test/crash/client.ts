import type { ServiceClient } from '../../src/client/channel.ts';
import { ExecutionMode, type FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { readRefusal } from '../server/refusal.ts';
import type { Plan } from './history.ts';
import type { Request } from './kinds.ts';
import type { Scribe } from './scribe.ts';

interface About {
  readonly plan?: number;
  readonly executionId?: string;
}

/** Calls a server that may die at any moment, and has all that it is told written down. */
export class Client {
  readonly #functions: ServiceClient<typeof FunctionService>;
  readonly #scribe: Scribe;

  constructor(functions: ServiceClient<typeof FunctionService>, scribe: Scribe) {
    this.#functions = functions;
    this.#scribe = scribe;
  }

  /** `heard` is called with the execution as soon as the server says that there is one. */
  async invoke(
    plan: Plan,
    request: Request,
    mode: ExecutionMode,
    heard: (executionId: string) => void,
  ): Promise<void> {
    if (mode === ExecutionMode.STREAM) {
      await this.#stream(plan, request, heard);
      return;
    }
    await this.#say('invoke', { plan: plan.number }, async () => {
      const answer = await this.#functions.invokeFunction({ ...request, executionMode: mode });
      this.#scribe.admitted(plan, answer.executionId, answer.joined);
      heard(answer.executionId);
      // Who creates it and does not wait is told that it was accepted, and nothing of what came after.
      if (answer.result !== undefined && (mode === ExecutionMode.SYNC || answer.joined)) {
        this.#scribe.view(answer.result, answer.lastSequence, mode === ExecutionMode.SYNC);
      }
    });
  }

  async #stream(plan: Plan, request: Request, heard: (executionId: string) => void): Promise<void> {
    const events = this.#functions.streamFunction(request)[Symbol.asyncIterator]();
    let executionId = '';
    await this.#say('invoke', { plan: plan.number }, async () => {
      const { value, done } = await events.next();
      if (done === true) return;
      executionId = value.executionId;
      this.#scribe.admitted(plan, executionId);
      heard(executionId);
      this.#scribe.event(value);
    });
    if (executionId === '') return;
    // From here on it is accepted, and an error is only about the rest of its log.
    await this.#say('watch', { executionId }, async () => {
      for (let next = await events.next(); next.done !== true; next = await events.next()) {
        this.#scribe.event(next.value);
      }
    });
  }

  async watch(executionId: string, fromSequence: bigint): Promise<void> {
    await this.#say('watch', { executionId }, async () => {
      for await (const event of this.#functions.watchExecution({ executionId, fromSequence })) {
        this.#scribe.event(event);
      }
    });
  }

  async status(executionId: string, includeOutput: boolean): Promise<void> {
    await this.#say('status', { executionId }, async () => {
      const answer = await this.#functions.getExecutionStatus({ executionId, includeOutput });
      if (answer.result !== undefined) this.#scribe.view(answer.result, answer.lastSequence, includeOutput);
    });
  }

  async wait(executionId: string): Promise<void> {
    await this.#say('wait', { executionId }, async () => {
      const answer = await this.#functions.waitExecution({ executionId });
      if (answer.result !== undefined) this.#scribe.view(answer.result, answer.lastSequence, true);
    });
  }

  async cancel(executionId: string): Promise<void> {
    this.#scribe.cancelled.add(executionId);
    await this.#say('cancel', { executionId }, async () => {
      const { changed } = await this.#functions.cancelExecution({ executionId });
      this.#scribe.tell({ kind: 'cancelled', executionId, changed });
    });
  }

  async suspend(executionId: string): Promise<void> {
    await this.#say('suspend', { executionId }, async () => {
      const { changed } = await this.#functions.suspendExecution({ executionId });
      this.#scribe.tell({ kind: 'held', executionId, changed });
    });
  }

  async resume(executionId: string): Promise<void> {
    await this.#say('resume', { executionId }, async () => {
      const { changed } = await this.#functions.resumeExecution({ executionId });
      this.#scribe.tell({ kind: 'resumed', executionId, changed });
    });
  }

  /** A call that the death of the server cut off says nothing; one that the server refused says why. */
  async #say(call: string, about: About, talk: () => Promise<void>): Promise<void> {
    try {
      await talk();
    } catch (error) {
      const { code, reason, message } = readRefusal(error);
      if (reason !== '') this.#scribe.tell({ kind: 'refused', call, ...about, code, reason, message });
    }
  }
}
