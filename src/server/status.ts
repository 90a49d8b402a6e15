/** RequestError → gRPC status with google.rpc details, in one place (https://google.aip.dev/193). */
import type { OutgoingHttpHeaders } from 'node:http2';
import { create, type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { anyPack, durationFromMs } from '@bufbuild/protobuf/wkt';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { RequestError, RequestErrorKind } from '../domain/errors.ts';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from './gen/google/rpc/error_details_pb.js';
import { StatusSchema } from './gen/google/rpc/status_pb.js';

export const grpcCodes = {
  invalid_argument: status.INVALID_ARGUMENT,
  not_found: status.NOT_FOUND,
  already_exists: status.ALREADY_EXISTS,
  resource_exhausted: status.RESOURCE_EXHAUSTED,
  failed_precondition: status.FAILED_PRECONDITION,
  out_of_range: status.OUT_OF_RANGE,
  aborted: status.ABORTED,
  unimplemented: status.UNIMPLEMENTED,
  permission_denied: status.PERMISSION_DENIED,
  unauthenticated: status.UNAUTHENTICATED,
  unavailable: status.UNAVAILABLE,
  deadline_exceeded: status.DEADLINE_EXCEEDED,
  cancelled: status.CANCELLED,
  internal: status.INTERNAL,
} as const satisfies Record<RequestErrorKind, status>;

export const errorDomain = 'spear';
/** Of a message or one text in the details; grpc-js breaks the connection on large ones. */
const mostTextLength = 1024;
const mostDetailsBytes = 7 * 1024;

/** A lone surrogate would throw in grpc-js's own percent-encoding, and end the server. */
export function safeText(text: string): string {
  const whole = text.toWellFormed();
  return whole.length <= mostTextLength ? whole : `${whole.slice(0, mostTextLength - 1).toWellFormed()}…`;
}

export function statusOf(error: RequestError): ServiceError {
  const metadata = new Metadata();
  const bytes = details(error);
  if (bytes.byteLength <= mostDetailsBytes) metadata.set('grpc-status-details-bin', bytes);
  const message = safeText(error.message);
  return Object.assign(new Error(message), { code: grpcCodes[error.kind], details: message, metadata });
}

/** The same as the only headers of a response, for a call that no handler of grpc-js has. */
export function trailersOf(error: RequestError): OutgoingHttpHeaders {
  const bytes = details(error);
  return {
    ':status': 200,
    'content-type': 'application/grpc+proto',
    'grpc-status': grpcCodes[error.kind],
    'grpc-message': encodeURI(safeText(error.message)),
    ...(bytes.byteLength <= mostDetailsBytes && { 'grpc-status-details-bin': bytes.toString('base64') }),
  };
}

/** A message of google.rpc that says more about an error. */
export interface ErrorDetail {
  readonly desc: DescMessage;
  readonly message: MessageShape<DescMessage>;
}

export function errorDetails(error: RequestError): ErrorDetail[] {
  const found = [
    detail(ErrorInfoSchema, {
      reason: error.reason,
      domain: errorDomain,
      metadata: Object.fromEntries(
        Object.entries(error.metadata).map(([key, value]) => [key, safeText(value)]),
      ),
    }),
  ];
  if (error.violations.length > 0) {
    found.push(
      detail(BadRequestSchema, {
        fieldViolations: error.violations
          .slice(0, 16)
          .map(({ field, description }) => ({ field: safeText(field), description: safeText(description) })),
      }),
    );
  }
  if (error.quota !== undefined) {
    found.push(
      detail(QuotaFailureSchema, {
        violations: [{ subject: error.quota, description: safeText(error.message) }],
      }),
    );
  }
  if (error.retryAfterMs !== undefined) {
    found.push(detail(RetryInfoSchema, { retryDelay: durationFromMs(error.retryAfterMs) }));
  }
  return found;
}

function details(error: RequestError): Buffer {
  return Buffer.from(
    toBinary(
      StatusSchema,
      create(StatusSchema, {
        code: grpcCodes[error.kind],
        message: safeText(error.message),
        details: errorDetails(error).map(({ desc, message }) => anyPack(desc, message)),
      }),
    ),
  );
}

function detail<Desc extends DescMessage>(desc: Desc, init: Parameters<typeof create<Desc>>[1]): ErrorDetail {
  return { desc, message: create(desc, init) };
}
