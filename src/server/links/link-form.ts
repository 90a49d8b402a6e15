/** What goes over a link, as messages: records, events and refusals. */
import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack, durationMs } from '@bufbuild/protobuf/wkt';
import type { ServiceError, status } from '@grpc/grpc-js';
import { type NodeOrder, nodeOrders } from '../../domain/cluster.ts';
import { RequestError, type RequestErrorKind } from '../../domain/errors.ts';
import type { LogEvent } from '../../domain/event.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import { LinkBroken, notHere } from '../../domain/links.ts';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from '../gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '../gen/google/rpc/status_pb.js';
import { NodeOrder as OrderMessage } from '../gen/spearlet/link/node_link_pb.js';
import { grpcCodes } from '../status.ts';

export interface EventMessage {
  readonly body: string;
  readonly data: Uint8Array;
}

const noBytes = new Uint8Array();

export function eventToLink(event: LogEvent): EventMessage {
  if (event.kind !== 'chunk') return { body: JSON.stringify(event), data: noBytes };
  const { data, ...body } = event;
  return { body: JSON.stringify(body), data };
}

/** Of a node that is trusted: it has the secret of the cluster. */
export function eventFromLink({ body, data }: EventMessage): LogEvent {
  const event = JSON.parse(body) as LogEvent;
  // As the store gives it: a view that is no Buffer.
  return event.kind === 'chunk'
    ? { ...event, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }
    : event;
}

export function recordFromLink(text: string): ExecutionRecord {
  return JSON.parse(text) as ExecutionRecord;
}

export const orderToLink = {
  cordon: OrderMessage.CORDON,
  uncordon: OrderMessage.UNCORDON,
  drain: OrderMessage.DRAIN,
} as const satisfies Record<NodeOrder, OrderMessage>;

/** Undefined for one that this node does not know. */
export function orderFromLink(message: OrderMessage): NodeOrder | undefined {
  return nodeOrders.find((order) => orderToLink[order] === message);
}

const kinds = new Map<status, RequestErrorKind>(
  Object.entries(grpcCodes).map(([kind, code]) => [code, kind as RequestErrorKind]),
);

/** What a call over a link has failed with, for the caller of this node. */
export function linkFailure(error: unknown): Error {
  if (!isServiceError(error)) return error instanceof Error ? error : new Error(String(error));
  const refusal = refusalOf(error);
  if (refusal === undefined || refusal.reason === notHere)
    return new LinkBroken(error.message, { cause: error });
  return refusal;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'metadata' in error;
}

/** Undefined where it is not a refusal of the other node, but of the way there. */
function refusalOf(error: ServiceError): RequestError | undefined {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const kind = kinds.get(error.code);
  if (!(bytes instanceof Uint8Array) || kind === undefined) return undefined;
  const found: {
    reason: string;
    metadata: Readonly<Record<string, string>>;
    violations: { field: string; description: string }[];
    retryAfterMs?: number;
    quota?: string;
  } = { reason: '', metadata: {}, violations: [] };
  for (const packed of fromBinary(StatusSchema, bytes).details) {
    const info = anyUnpack(packed, ErrorInfoSchema);
    if (info !== undefined) Object.assign(found, { reason: info.reason, metadata: info.metadata });
    const broken = anyUnpack(packed, BadRequestSchema)?.fieldViolations ?? [];
    found.violations.push(...broken.map(({ field, description }) => ({ field, description })));
    const delay = anyUnpack(packed, RetryInfoSchema)?.retryDelay;
    if (delay !== undefined) found.retryAfterMs = durationMs(delay);
    const [quota] = anyUnpack(packed, QuotaFailureSchema)?.violations ?? [];
    if (quota !== undefined) found.quota = quota.subject;
  }
  return found.reason === '' ? undefined : new RequestError(kind, error.details, found);
}
