import { quote, RequestError } from '../../domain/errors.ts';
import type { Instance } from '../../runtimes/runtime.ts';

/** The instances that run the attempts of executions now, for who pauses them or lets go of them. */
export class Serving {
  /** Undefined for an attempt whose instance is not there yet. */
  readonly #instances = new Map<string, Instance | undefined>();

  /** An attempt of the execution begins to look for its instance. */
  begin(executionId: string): void {
    this.#instances.set(executionId, undefined);
  }

  /** False where the attempt was let go of meanwhile. */
  found(executionId: string, instance: Instance): boolean {
    if (!this.#instances.has(executionId)) return false;
    this.#instances.set(executionId, instance);
    return true;
  }

  end(executionId: string): void {
    this.#instances.delete(executionId);
  }

  /** Throws a RequestError, failed_precondition, where no instance serves the execution now. */
  instance(executionId: string): Instance {
    const instance = this.#instances.get(executionId);
    if (instance !== undefined) return instance;
    const starting = this.#instances.has(executionId);
    throw new RequestError(
      'failed_precondition',
      starting
        ? `the attempt of execution ${quote(executionId)} is still being started; try again in a moment`
        : `no attempt of execution ${quote(executionId)} is running`,
      { reason: 'NOT_RUNNING', metadata: { execution: executionId } },
    );
  }

  /** Lets go of the instance, or of the attempt while it has none. */
  release(executionId: string): void {
    this.#instances.get(executionId)?.release?.();
    this.#instances.delete(executionId);
  }
}
