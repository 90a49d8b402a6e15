import { RequestError } from '../../../domain/errors.ts';
import type { EngineConnection } from '../engine/connection.ts';
import { asEngineError } from '../engine/engine-error.ts';

const freezeMs = 10_000;

type State = 'running' | 'paused' | 'ended';

/** Pauses one container and lets it go on, one request after the other. */
export class Freezer {
  readonly #connection: EngineConnection;
  readonly #containerId: string;
  #last: Promise<unknown> = Promise.resolve();
  #mayBePaused: boolean;

  constructor(connection: EngineConnection, containerId: string, paused = false) {
    this.#connection = connection;
    this.#containerId = containerId;
    this.#mayBePaused = paused;
  }

  /** Also where it is so already. Rejects with a RequestError, failed_precondition or unavailable. */
  async pause(): Promise<void> {
    if ((await this.#ask('paused')) === 'ended') throw notRunning();
  }

  async unpause(): Promise<void> {
    if ((await this.#ask('running')) === 'ended') throw notRunning();
  }

  /** As `pause`, also where it has ended. Rejects with an EngineError. */
  async freeze(): Promise<void> {
    await this.#set('paused');
  }

  /**
   * Lets it go on where it was paused, so that it hears a signal; what was asked before is over then. Rejects with an
   * EngineError.
   */
  async thaw(): Promise<void> {
    await this.settled();
    if (this.#mayBePaused) await this.#set('running');
  }

  /** Resolves when nothing that was asked is under way. Never rejects. */
  async settled(): Promise<void> {
    await this.#last;
  }

  #ask(wanted: 'paused' | 'running'): Promise<State> {
    const asked = this.#last.then(() => this.#set(wanted));
    this.#last = asked.catch(() => undefined);
    return asked.catch((cause: unknown) => {
      const { message } = asEngineError(cause);
      throw new RequestError('unavailable', `the docker engine did not do it: ${message}`, {
        reason: 'RUNTIME_UNAVAILABLE',
        metadata: { runtime: 'docker' },
        cause,
      });
    });
  }

  /** Resolves with what it is then. */
  async #set(wanted: 'paused' | 'running'): Promise<State> {
    if (wanted === 'paused') this.#mayBePaused = true;
    try {
      await this.#connection.call(freezeMs, async (docker) => {
        const container = docker.getContainer(this.#containerId);
        await (wanted === 'paused' ? container.pause() : container.unpause());
      });
    } catch (cause) {
      const error = asEngineError(cause);
      if (error.unreachable) throw error;
      // The engine refuses what is so already, in the same way as what it cannot do.
      const state = await this.#look();
      if (state !== wanted && state !== 'ended') throw error;
      this.#mayBePaused = state === 'paused';
      return state;
    }
    this.#mayBePaused = wanted === 'paused';
    return wanted;
  }

  async #look(): Promise<State> {
    try {
      const { State } = await this.#connection.call(freezeMs, (docker) =>
        docker.getContainer(this.#containerId).inspect(),
      );
      if (State.Paused) return 'paused';
      return State.Running ? 'running' : 'ended';
    } catch (cause) {
      if (asEngineError(cause).status === 404) return 'ended';
      throw cause;
    }
  }
}

function notRunning(): RequestError {
  return new RequestError('failed_precondition', 'the container has ended', { reason: 'NOT_RUNNING' });
}
