import { create } from '@bufbuild/protobuf';
import { invalidArgument } from '../../domain/errors.ts';
import { noOutput, syncResponse } from '../../domain/response.ts';
import type {
  RestoredExecution,
  RestoreOptions,
  TakenSnapshot,
  TakeOptions,
} from '../../domain/snapshot/port.ts';
import {
  type RestoreExecutionRequest,
  type RestoreExecutionResponse,
  RestoreExecutionResponseSchema,
  type SnapshotExecutionRequest,
  type SnapshotExecutionResponse,
  SnapshotExecutionResponseSchema,
} from '../gen/spearlet/snapshot_pb.js';
import { statusToWire } from './enums.ts';
import { resultToWire } from './execution.ts';
import { environment } from './fields.ts';

export function takeOptionsFromWire(request: SnapshotExecutionRequest): TakeOptions {
  const { detach, includeEnvironment, includeArtifact } = request;
  return { detach, includeEnvironment, includeArtifact };
}

export function summaryToWire({
  record,
  detached,
  carried,
  notCarried,
}: TakenSnapshot): SnapshotExecutionResponse {
  return create(SnapshotExecutionResponseSchema, {
    step: {
      case: 'summary',
      value: {
        executionId: record.executionId,
        status: statusToWire[record.status],
        state: record.state,
        lastSequence: BigInt(record.lastSequence),
        detached,
        carried: [...carried],
        notCarried: [...notCarried],
      },
    },
  });
}

export function dataToWire(value: Uint8Array): SnapshotExecutionResponse {
  return create(SnapshotExecutionResponseSchema, { step: { case: 'data', value } });
}

/** Options are the first message, and no other. */
export function restoreOptionsFromWire(
  first: RestoreExecutionRequest | undefined,
): Omit<RestoreOptions, 'principal' | 'scope'> {
  if (first?.step.case !== 'options') {
    throw invalidArgument(
      'step',
      `is ${first?.step.case ?? 'nothing'}; allowed first are options, then data`,
    );
  }
  const { hold, asNew, allowCopy, environment: given } = first.step.value;
  return { hold, asNew, allowCopy, environment: environment('options.environment', given) };
}

export function dataFromWire({ step }: RestoreExecutionRequest): Uint8Array {
  if (step.case === 'data') return step.value;
  throw invalidArgument('step', `is ${step.case ?? 'nothing'}; allowed after the options is data`);
}

export function restoredToWire(
  { record, originId, signedBy, notes }: RestoredExecution,
  estimateMs: number,
  now: number,
): RestoreExecutionResponse {
  const response = syncResponse(record, noOutput, estimateMs, now);
  return create(RestoreExecutionResponseSchema, {
    result: resultToWire(response),
    statusEndpoint: response.statusEndpoint,
    lastSequence: BigInt(record.lastSequence),
    originExecutionId: originId,
    signedBy,
    notes: [...notes],
  });
}
