/** What a failed call means to the user: one line and an exit code. */
import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack, durationMs } from '@bufbuild/protobuf/wkt';
import { type ServiceError, status } from '@grpc/grpc-js';
import { defaultGrpcAddress as defaultAddress, splitAddress } from '../config.ts';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from '../server/gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '../server/gen/google/rpc/status_pb.js';
import { durationText } from './duration.ts';
import { exitCodes } from './exit-codes.ts';
import { handshakeText } from './handshake-words.ts';

interface Explanation {
  /** One line, without the program's name. */
  readonly message: string;
  readonly exitCode: number;
}

interface Details {
  /** ErrorInfo.reason; absent where the error is not one of Spear's. */
  readonly reason?: string;
  readonly violations: readonly { readonly field: string; readonly description: string }[];
  readonly retryAfterMs?: number;
  /** ErrorInfo's; the first event that a log still has, where the one asked for is gone. */
  readonly oldestSequence?: string;
}

/** Whether a call failed with a gRPC status. */
export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

/** The connection broke, or the server is going away: what it was asked to do goes on or is on record there. */
export function isLostConnection(error: unknown): boolean {
  return isServiceError(error) && (error.code === status.UNAVAILABLE || error.code === status.CANCELLED);
}

/** `address` is where the call went. */
export function explain(error: ServiceError, address: string): Explanation {
  const details = readDetails(error);
  const exitCode = exitCodeOf(error, details);
  if (exitCode === exitCodes.unreachable.code) {
    const handshake = handshakeText(error.details, address);
    if (handshake !== undefined) return { message: handshake, exitCode };
    // What answers there is no gRPC server: most often a node's own HTTP address.
    if (/Protocol error|Parse Error/.test(error.details)) {
      const message = `what listens at ${address} does not speak gRPC; --address is the server's gRPC address, not that of its page`;
      return { message, exitCode };
    }
    return {
      message: `cannot reach the server at ${address}: ${connectionText(error.details)}; is it running? (${serveCommand(address)})`,
      exitCode,
    };
  }
  if (error.code === status.RESOURCE_EXHAUSTED && isTooLarge(details)) {
    const hint = 'a server takes larger ones with --max-request-bytes';
    return { message: `the request is too large: ${oneLine(error.details)}; ${hint}`, exitCode };
  }
  const { retryAfterMs, oldestSequence } = details;
  const again = retryAfterMs === undefined ? '' : `; try again in ${durationText(retryAfterMs)}`;
  const rest =
    oldestSequence === undefined ? '' : `; what is left can be watched with --from ${oldestSequence}`;
  return { message: oneLine(describe(error, details) + again + rest), exitCode };
}

/** What would start one there; elsewhere than on this machine's loopback, that is not ours to say. */
function serveCommand(address: string): string {
  const { host } = splitAddress('--address', address);
  const isHere = host === 'localhost' || host === '::1' || host.startsWith('127.');
  if (!isHere) return 'spear serve, on that machine';
  return address === defaultAddress ? 'spear serve' : `spear serve --grpc-address ${address}`;
}

/** Ours says so; without details it is grpc-js's own check of the size. */
function isTooLarge({ reason }: Details): boolean {
  return reason === undefined || reason === 'REQUEST_TOO_LARGE';
}

/** Every field that was wrong. The status message names the first of them only. */
function describe(error: ServiceError, { violations }: Details): string {
  if (violations.length < 2) return error.details || status[error.code];
  return violations.map(({ field, description }) => `${field}: ${description}`).join('; ');
}

/** grpc-js's text without what is around its cause. */
function connectionText(details: string): string {
  return oneLine(
    details.replace(/^No connection established\. Last error: (?:Error: )?|\. Resolution note: *$/g, ''),
  );
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}

function exitCodeOf({ code }: ServiceError, { reason, retryAfterMs }: Details): number {
  switch (code) {
    case status.NOT_FOUND:
      return exitCodes.unknown.code;
    case status.UNAVAILABLE:
      // Ours says why; grpc-js's own means that there was no answer at all.
      return reason === undefined || reason === 'TLS_NEEDED'
        ? exitCodes.unreachable.code
        : exitCodes.refused.code;
    case status.RESOURCE_EXHAUSTED:
      // What never fits is not worth another try.
      return retryAfterMs === undefined ? exitCodes.usage.code : exitCodes.refused.code;
    case status.DEADLINE_EXCEEDED:
    case status.ABORTED:
      return exitCodes.refused.code;
    case status.CANCELLED:
      return exitCodes.cancelled.code;
    case status.INVALID_ARGUMENT:
    case status.OUT_OF_RANGE:
    case status.ALREADY_EXISTS:
    case status.FAILED_PRECONDITION:
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return exitCodes.usage.code;
    default:
      return exitCodes.platform.code;
  }
}

function readDetails(error: ServiceError): Details {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!(bytes instanceof Uint8Array)) return { violations: [] };
  let reason: string | undefined;
  let retryAfterMs: number | undefined;
  let oldestSequence: string | undefined;
  const violations: { field: string; description: string }[] = [];
  for (const packed of fromBinary(StatusSchema, bytes).details) {
    const info = anyUnpack(packed, ErrorInfoSchema);
    reason ??= info?.reason;
    oldestSequence ??= info?.metadata.oldest_sequence;
    violations.push(...(anyUnpack(packed, BadRequestSchema)?.fieldViolations ?? []));
    const delay = anyUnpack(packed, RetryInfoSchema)?.retryDelay;
    if (delay !== undefined) retryAfterMs = durationMs(delay);
  }
  return {
    violations,
    ...(reason !== undefined && { reason }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(oldestSequence !== undefined && { oldestSequence }),
  };
}
