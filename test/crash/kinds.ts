/** The tasks of the load, and what can be asked of them. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { InvokeFunctionRequestSchema } from '../../src/server/gen/spearlet/function_pb.js';
import type { Peer } from '../support/server.ts';
import type { Terms } from './history.ts';
import type { Random } from './random.ts';

export type Request = Omit<MessageInitShape<typeof InvokeFunctionRequestSchema>, '$typeName'>;

/** Where the load keeps what it needs on the host. */
export interface Site {
  readonly peer: Peer;
  /** A program for the process runtime. */
  readonly program: string;
  /** The folder of the marks. */
  readonly marks: string;
}

/** One way to call a task. */
export interface Kind {
  readonly name: string;
  /** How often it is drawn, against the others. */
  readonly weight: number;
  readonly register: (site: Site) => Promise<unknown>;
  /** `marks` is the file for the marks of this call's attempts. */
  readonly draw: (random: Random, marks: string) => Drawn;
}

export interface Drawn {
  readonly request: Request;
  readonly terms: Terms;
}

/** Of every task of the load. */
export const graceMs = 300;

/** What a plan is without anything special. */
export const plain = {
  onInterrupt: 'rerun',
  maxRecoveries: 3,
  maxAttempts: 1,
  graceMs,
  totalMs: 9000,
  startAfterMs: 0,
  exitCode: 0,
  marks: false,
} as const;

/** The waits and limits of a call, drawn for any task. */
export function withTimes(random: Random, { request, terms }: Drawn): Drawn {
  const totalMs = random.chance(0.1) ? random.whole(200, 900) : random.whole(5000, 9000);
  const startAfterMs = random.chance(0.15) ? random.whole(50, 900) : 0;
  const queueMs = random.chance(0.1) ? random.whole(100, 600) : undefined;
  return {
    request: {
      ...request,
      timeouts: {
        ...request.timeouts,
        total: durationFromMs(totalMs),
        ...(queueMs !== undefined && { queue: durationFromMs(queueMs) }),
      },
      ...(startAfterMs > 0 && { startAfter: durationFromMs(startAfterMs) }),
    },
    terms: { ...terms, totalMs, startAfterMs, ...(queueMs !== undefined && { queueMs }) },
  };
}
