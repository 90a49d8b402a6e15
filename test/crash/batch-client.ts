import type { MessageInitShape } from '@bufbuild/protobuf';
import type { InvokeBatchRequestSchema } from '../../src/server/gen/spearlet/batch_pb.js';
import { readRefusal } from '../server/refusal.ts';
import type { Peer } from '../support/server.ts';
import { type BatchPlan, batchLabel } from './history.ts';
import type { Scribe } from './scribe.ts';

export type BatchRequest = Omit<MessageInitShape<typeof InvokeBatchRequestSchema>, '$typeName'>;

/** Calls a server about batches as `Client` does about executions. */
export class BatchClient {
  readonly #peer: Pick<Peer, 'batches' | 'functions'>;
  readonly #scribe: Scribe;

  constructor(peer: Pick<Peer, 'batches' | 'functions'>, scribe: Scribe) {
    this.#peer = peer;
    this.#scribe = scribe;
  }

  /** The id of the batch; undefined where the server did not say. */
  async invoke(plan: BatchPlan, request: BatchRequest): Promise<string | undefined> {
    let batchId: string | undefined;
    await this.#say('invokeBatch', plan.number, async () => {
      const answer = await this.#peer.batches.invokeBatch(request);
      batchId = answer.batch?.batchId ?? '';
      this.#scribe.batchAdmitted(plan, batchId, answer.executionIds, answer.joined);
    });
    return batchId;
  }

  /** How many of its members are there for whoever lists executions. */
  async look({ number }: BatchPlan): Promise<void> {
    await this.#say('list', undefined, async () => {
      const labels = { [batchLabel]: String(number) };
      const { executions } = await this.#peer.functions.listExecutions({ labels, pageSize: 1000 });
      this.#scribe.tell({ kind: 'batchSeen', batch: number, members: executions.length });
    });
  }

  async status(batchId: string): Promise<void> {
    await this.#say('getBatch', undefined, async () => {
      const { batch } = await this.#peer.batches.getBatch({ batchId });
      if (batch !== undefined) this.#scribe.tell({ kind: 'batchView', batchId, batch });
    });
  }

  async wait(batchId: string): Promise<void> {
    await this.#say('waitBatch', undefined, async () => {
      const { batch } = await this.#peer.batches.waitBatch({ batchId });
      if (batch !== undefined) this.#scribe.tell({ kind: 'batchView', batchId, batch });
    });
  }

  async watch(batchId: string, fromSequence: bigint): Promise<void> {
    await this.#say('watchBatch', undefined, async () => {
      for await (const { event } of this.#peer.batches.watchBatch({ batchId, fromSequence })) {
        if (event.case === 'member') {
          this.#scribe.tell({ kind: 'batchEnding', batchId, member: event.value });
        } else if (event.case === 'batch') {
          this.#scribe.tell({ kind: 'batchView', batchId, batch: event.value });
        }
      }
    });
  }

  async cancel(batchId: string): Promise<void> {
    this.#scribe.cancelledBatches.add(batchId);
    await this.#say('cancelBatch', undefined, async () => {
      const { changed } = await this.#peer.batches.cancelBatch({ batchId, reason: 'enough' });
      this.#scribe.tell({ kind: 'batchCancelled', batchId, changed, at: Date.now() });
    });
  }

  /** A call that the death of the server cut off says nothing; one that the server refused says why. */
  async #say(call: string, batch: number | undefined, talk: () => Promise<void>): Promise<void> {
    try {
      await talk();
    } catch (error) {
      const { code, reason, message } = readRefusal(error);
      if (reason === '') return;
      this.#scribe.tell({
        kind: 'refused',
        call,
        ...(batch !== undefined && { batch }),
        code,
        reason,
        message,
      });
    }
  }
}
