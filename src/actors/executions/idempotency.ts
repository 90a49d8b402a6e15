import { RequestError } from '../../domain/errors.ts';
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import { type InvocationKey, invocationKey, type Scope, sees, wholeNode } from '../../domain/scope.ts';
import type { Store } from '../../stores/store.ts';
import { LiveLog } from '../log/live-log.ts';

/** Who owns an invocation id: an execution of this node's run, or one that the store knows. */
export interface KeyOwner {
  readonly execution: LiveLog | ExecutionRecord;
  /** This very request made it. */
  readonly created: boolean;
}

/** An invocation id, whose it is, and what was asked with it. */
export interface KeyClaim {
  readonly tenant: string;
  readonly invocationId: string;
  readonly payloadDigest: string;
  /** Of who asks: no execution beyond is named. */
  readonly scope?: Scope | undefined;
}

/**
 * One execution for each invocation id of a tenant. A duplicate that comes before the first is durable waits for it; after a
 * restart, or when the execution has ended, the store answers.
 */
export class IdempotencyKeys {
  readonly #store: Store;
  /** An execution's log, of one that waits or runs. */
  readonly #live: (executionId: string) => Promise<LiveLog | undefined>;
  readonly #owners = new Map<InvocationKey, Promise<LiveLog | ExecutionRecord>>();

  constructor(store: Store, live: (executionId: string) => Promise<LiveLog | undefined>) {
    this.#store = store;
    this.#live = live;
  }

  /**
   * The owner of the key, which `create` makes where there is none. Rejects with already_exists where the owner has
   * another payload, and with what `create` or the admission rejects with.
   */
  async own(claim: KeyClaim, create: () => LiveLog): Promise<KeyOwner> {
    const key = invocationKey(claim.tenant, claim.invocationId);
    const known = this.#owners.get(key);
    if (known !== undefined) return joined(await known, claim);
    const finding = this.#findOrCreate(claim, create);
    const owner = finding.then(({ execution }) => execution);
    this.#owners.set(key, owner);
    // A live execution keeps the claim here until it is forgotten; for any other the store answers from now on.
    const done = (): void => {
      if (this.#owners.get(key) === owner) this.#owners.delete(key);
    };
    owner.then((execution) => {
      if (!(execution instanceof LiveLog)) done();
    }, done);
    const found = await finding;
    return found.created ? found : joined(found.execution, claim);
  }

  /** Who owns the key already; undefined for nobody. Rejects as `own`. */
  async find(claim: KeyClaim): Promise<ExecutionRecord | undefined> {
    const { tenant, invocationId } = claim;
    const known = this.#owners.get(invocationKey(tenant, invocationId));
    const owner = await (known ?? this.#store.executionByInvocation(tenant, invocationId));
    if (owner === undefined) return undefined;
    const { execution } = joined(owner, claim);
    return execution instanceof LiveLog ? execution.record : execution;
  }

  /** The execution that held the key here has ended, or never was. */
  release(tenant: string, invocationId: string): void {
    this.#owners.delete(invocationKey(tenant, invocationId));
  }

  async #findOrCreate({ tenant, invocationId }: KeyClaim, create: () => LiveLog): Promise<KeyOwner> {
    const existing = await this.#store.executionByInvocation(tenant, invocationId);
    if (existing !== undefined) {
      const live = isTerminal(existing.status) ? undefined : await this.#live(existing.executionId);
      return { execution: live ?? existing, created: false };
    }
    const log = create();
    try {
      await log.admitted();
    } catch (error) {
      // Another node has made one meanwhile.
      const other = isTaken(error)
        ? await this.#store.executionByInvocation(tenant, invocationId)
        : undefined;
      if (other === undefined || other.executionId === log.executionId) throw error;
      return { execution: other, created: false };
    }
    return { execution: log, created: true };
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof RequestError && error.reason === 'INVOCATION_ID_IN_USE';
}

function joined(execution: LiveLog | ExecutionRecord, claim: KeyClaim): KeyOwner {
  const { invocationId, payloadDigest, scope = wholeNode } = claim;
  const record = execution instanceof LiveLog ? execution.record : execution;
  if (record.payloadDigest === payloadDigest) return { execution, created: false };
  const named = sees(scope, record);
  const owner = named ? `by ${record.executionId} ` : '';
  throw new RequestError(
    'already_exists',
    `invocation_id: already used ${owner}with another payload; allowed is a new id, or the same task, function, parameters, input, content type, args and environment`,
    {
      reason: 'INVOCATION_ID_IN_USE',
      violations: [{ field: 'invocation_id', description: `used ${owner}`.trimEnd() }],
      metadata: { ...(named && { execution_id: record.executionId }), invocation_id: invocationId },
    },
  );
}
