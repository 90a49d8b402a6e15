import type { Membership } from '../../stores/membership.ts';
import type { Block } from '../explain/explanation.ts';
import type { Committer } from '../log/committer.ts';
import type { AdmissionGate } from './admission-gate.ts';

/** Results not yet durable beyond which no new attempt starts. */
const mostUncommitted = 4096;

/** Whether attempts start now. */
export class DispatchGate {
  readonly #admission: AdmissionGate;
  readonly #committer: Committer;
  readonly #membership: Pick<Membership, 'mayAct'>;
  /** Nothing starts before all is recovered. */
  recovering = false;

  constructor(admission: AdmissionGate, committer: Committer, membership: Pick<Membership, 'mayAct'>) {
    this.#membership = membership;
    this.#admission = admission;
    this.#committer = committer;
  }

  /** What keeps them from it. */
  get block(): Block | undefined {
    if (this.#admission.closed) return 'draining';
    if (this.recovering) return 'recovering';
    if (!this.#committer.healthy || !this.#membership.mayAct()) return 'store failing';
    return this.#committer.backlog < mostUncommitted ? undefined : 'store behind';
  }
}
