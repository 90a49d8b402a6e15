/** What a failed call says beside its text: the details of `google.rpc`, as docs/errors.md lists them. */
import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack, durationMs } from '@bufbuild/protobuf/wkt';
import { type ServiceError, status } from '@grpc/grpc-js';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from '../server/gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '../server/gen/google/rpc/status_pb.js';

export interface FieldViolation {
  /** Path of the field, such as `timeouts.total`. */
  readonly field: string;
  /** What it is, and what is allowed. */
  readonly description: string;
}

/** @internal */
export interface RpcDetails {
  /** ErrorInfo.reason; absent where the error is not one of Spear's. */
  readonly reason?: string;
  /** ErrorInfo.metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];
  readonly retryAfterMs?: number;
}

/** Whether a call failed with a gRPC status. @internal */
export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

/** The connection broke, or the server is going away: what it was asked to do goes on or is on record there. @internal */
export function isLostConnection(error: unknown): boolean {
  if (!isServiceError(error)) return false;
  // What grpc-js makes of a stream that a server closes as it goes away, before it has said anything.
  if (error.code === status.INTERNAL) return error.details.startsWith('Received RST_STREAM with code 0');
  return error.code === status.UNAVAILABLE || error.code === status.CANCELLED;
}

/** @internal */
export function readDetails(error: ServiceError): RpcDetails {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!(bytes instanceof Uint8Array)) return { violations: [], metadata: {} };
  let reason: string | undefined;
  let metadata: Readonly<Record<string, string>> = {};
  let retryAfterMs: number | undefined;
  const violations: FieldViolation[] = [];
  for (const packed of fromBinary(StatusSchema, bytes).details) {
    const info = anyUnpack(packed, ErrorInfoSchema);
    if (info !== undefined && reason === undefined) ({ reason, metadata } = info);
    const broken = anyUnpack(packed, BadRequestSchema)?.fieldViolations ?? [];
    violations.push(...broken.map(({ field, description }) => ({ field, description })));
    const delay = anyUnpack(packed, RetryInfoSchema)?.retryDelay;
    if (delay !== undefined) retryAfterMs = durationMs(delay);
  }
  return {
    violations,
    metadata,
    ...(reason !== undefined && { reason }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}
