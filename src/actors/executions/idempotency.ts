import { RequestError } from '../../domain/errors.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import type { Store } from '../../stores/store.ts';
import { LiveLog } from '../log/live-log.ts';

/** Who owns an invocation id: an execution of this node's run, or one that the store knows. */
export interface KeyOwner {
  readonly execution: LiveLog | ExecutionRecord;
  /** This very request made it. */
  readonly created: boolean;
}

/**
 * One execution for each invocation id. A duplicate that comes before the first is durable waits for it; after a
 * restart, or when the execution has ended, the store answers.
 */
export class IdempotencyKeys {
  readonly #store: Store;
  /** An execution's log while it is live. */
  readonly #live: (executionId: string) => LiveLog | undefined;
  readonly #owners = new Map<string, Promise<LiveLog | ExecutionRecord>>();

  constructor(store: Store, live: (executionId: string) => LiveLog | undefined) {
    this.#store = store;
    this.#live = live;
  }

  /**
   * The owner of the key, which `create` makes where there is none. Rejects with already_exists where the owner has
   * another payload, and with what `create` or the admission rejects with.
   */
  async own(invocationId: string, payloadDigest: string, create: () => LiveLog): Promise<KeyOwner> {
    const known = this.#owners.get(invocationId);
    if (known !== undefined) return joined(await known, invocationId, payloadDigest);
    const finding = this.#findOrCreate(invocationId, create);
    const owner = finding.then(({ execution }) => execution);
    this.#owners.set(invocationId, owner);
    // A live execution keeps the claim here until it is forgotten; for any other the store answers from now on.
    const done = (): void => {
      if (this.#owners.get(invocationId) === owner) this.#owners.delete(invocationId);
    };
    owner.then((execution) => {
      if (!(execution instanceof LiveLog)) done();
    }, done);
    const found = await finding;
    return found.created ? found : joined(found.execution, invocationId, payloadDigest);
  }

  /** The execution that held the key here has ended, or never was. */
  release(invocationId: string): void {
    this.#owners.delete(invocationId);
  }

  async #findOrCreate(invocationId: string, create: () => LiveLog): Promise<KeyOwner> {
    const existing = await this.#store.executionByInvocation(invocationId);
    if (existing !== undefined) {
      return { execution: this.#live(existing.executionId) ?? existing, created: false };
    }
    const log = create();
    await log.admitted();
    return { execution: log, created: true };
  }
}

function joined(execution: LiveLog | ExecutionRecord, invocationId: string, payloadDigest: string): KeyOwner {
  const record = execution instanceof LiveLog ? execution.record : execution;
  if (record.payloadDigest === payloadDigest) return { execution, created: false };
  throw new RequestError(
    'already_exists',
    `invocation_id: already used by ${record.executionId} with another payload; allowed is a new id, or the same task, function, parameters, input, content type, args and environment`,
    {
      reason: 'INVOCATION_ID_IN_USE',
      violations: [{ field: 'invocation_id', description: `used by ${record.executionId}` }],
      metadata: { execution_id: record.executionId, invocation_id: invocationId },
    },
  );
}
