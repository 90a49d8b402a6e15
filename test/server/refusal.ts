import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack, durationMs } from '@bufbuild/protobuf/wkt';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from '../../src/server/gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '../../src/server/gen/google/rpc/status_pb.js';
import { collect } from './collect.ts';

/** What a caller hears of a call that was refused, details and all. */
export interface Refusal {
  /** The name of the gRPC code. */
  readonly code: string;
  readonly message: string;
  /** Of the ErrorInfo; empty where there is none. */
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Field → description, of the BadRequest. */
  readonly fields: Readonly<Record<string, string>>;
  /** Of the QuotaFailure. */
  readonly quota: string;
  readonly retryAfterMs: number | undefined;
}

/** Resolves with the refusal of a call; a call that is answered is a failure of the test. */
export async function refusal(call: Promise<unknown> | AsyncIterable<unknown>): Promise<Refusal> {
  const answer = Symbol.asyncIterator in call ? collect(call) : call;
  const error = await answer.then(
    (value: unknown) => {
      const text = JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? `${item}` : item));
      throw new Error(`the call was not refused but answered with ${text?.slice(0, 300)}`);
    },
    (thrown: unknown) => thrown,
  );
  return readRefusal(error);
}

/** Throws what is no gRPC status. */
export function readRefusal(error: unknown): Refusal {
  if (!(error instanceof Error && 'code' in error && 'metadata' in error)) throw error;
  const { code, details, metadata } = error as ServiceError;
  const [bytes] = (metadata ?? new Metadata()).get('grpc-status-details-bin');
  const packed = Buffer.isBuffer(bytes) ? fromBinary(StatusSchema, bytes).details : [];
  const find = <Schema extends Parameters<typeof anyUnpack>[1]>(schema: Schema) =>
    packed.map((any) => anyUnpack(any, schema)).find((message) => message !== undefined);
  const info = find(ErrorInfoSchema);
  const badRequest = find(BadRequestSchema);
  const retry = find(RetryInfoSchema)?.retryDelay;
  return {
    code: status[code] ?? String(code),
    message: details,
    reason: info?.reason ?? '',
    domain: info?.domain ?? '',
    metadata: info?.metadata ?? {},
    fields: Object.fromEntries(
      (badRequest?.fieldViolations ?? []).map(({ field, description }) => [field, description]),
    ),
    quota: find(QuotaFailureSchema)?.violations[0]?.subject ?? '',
    retryAfterMs: retry === undefined ? undefined : durationMs(retry),
  };
}
