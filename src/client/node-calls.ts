import { status } from '@grpc/grpc-js';
import type { BatchService } from '../server/gen/spearlet/batch_pb.js';
import type { RevisionService } from '../server/gen/spearlet/revision_pb.js';
import type { ScheduleService } from '../server/gen/spearlet/schedule_pb.js';
import type { TaskService } from '../server/gen/spearlet/task_pb.js';
import type { ServiceClient } from './channel.ts';
import { errorFor, SpearError } from './errors.ts';
import type { Functions } from './follow.ts';
import { handshakeFault } from './handshake-fault.ts';
import { Reattachment } from './reattachment.ts';
import { isLostConnection, isServiceError, readDetails } from './rpc-details.ts';

export interface NodeCallsOptions {
  readonly address: string;
  readonly functions: Functions;
  readonly tasks: ServiceClient<typeof TaskService>;
  readonly batches: ServiceClient<typeof BatchService>;
  readonly schedules: ServiceClient<typeof ScheduleService>;
  readonly revisions: ServiceClient<typeof RevisionService>;
  /** How long a call is tried again while the node cannot be reached. */
  readonly patienceMs: number;
}

/** The calls of one node, tried again where that is safe, and with the errors of the client. */
export class NodeCalls {
  readonly functions: Functions;
  readonly tasks: ServiceClient<typeof TaskService>;
  readonly batches: ServiceClient<typeof BatchService>;
  readonly schedules: ServiceClient<typeof ScheduleService>;
  readonly revisions: ServiceClient<typeof RevisionService>;
  readonly #address: string;
  readonly #patienceMs: number;

  constructor(options: NodeCallsOptions) {
    const { address, functions, tasks, batches, schedules, revisions, patienceMs } = options;
    this.functions = functions;
    this.tasks = tasks;
    this.batches = batches;
    this.schedules = schedules;
    this.revisions = revisions;
    this.#address = address;
    this.#patienceMs = patienceMs;
  }

  /** What holds on to the node for one purpose. */
  reattachment(signal?: AbortSignal): Reattachment {
    return new Reattachment({
      patienceMs: this.#patienceMs,
      signal,
      isLoss: mayComeBack,
      gaveUp: (cause) => this.#unreachable(cause),
    });
  }

  /** For what does the same when it is done twice. */
  async repeated<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const reattachment = this.reattachment(signal);
    return this.once(async () => {
      for (;;) {
        try {
          return await call();
        } catch (error) {
          await reattachment.afterLoss(error);
        }
      }
    }, signal);
  }

  /** For what may not be done twice. */
  async once<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      signal?.throwIfAborted();
      return await call();
    } catch (error) {
      throw errorFor(error, signal);
    }
  }

  #unreachable(cause: unknown): Error {
    const known = errorFor(cause);
    // A server that answers with a reason says itself what it is.
    if (known instanceof SpearError && known.reason !== '') return known;
    const why = known instanceof Error ? known.message : String(known);
    return new SpearError(`cannot reach the server at ${this.#address}: ${why}`, {
      code: 'UNAVAILABLE',
      cause,
    });
  }
}

/** Not a wrong address or certificate: those stay what they are. */
function mayComeBack(error: unknown): boolean {
  if (!isServiceError(error) || !isLostConnection(error)) return false;
  if (error.code !== status.UNAVAILABLE) return true;
  if (readDetails(error).reason === 'TLS_NEEDED') return false;
  // A server that goes away in the middle of a handshake fails it, too.
  return [undefined, 'failed'].includes(handshakeFault(error.details)?.kind);
}
