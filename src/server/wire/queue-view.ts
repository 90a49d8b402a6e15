import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { QueueClass, QueueHead, QueueLine, QueueView } from '../../domain/queue-view.ts';
import { type GetQueueResponse, GetQueueResponseSchema } from '../gen/spearlet/node_pb.js';
import { gateToWire } from './node-view.ts';

export function queueToWire({ lines, time, ...counts }: QueueView): GetQueueResponse {
  const { waiting, held, otherLines, otherWaiting, silentNodes = [], ...rest } = counts;
  return create(GetQueueResponseSchema, {
    ...rest,
    waiting: BigInt(waiting),
    held: BigInt(held),
    lines: lines.map(lineToWire),
    otherLines: BigInt(otherLines),
    otherWaiting: BigInt(otherWaiting),
    silentNodes: [...silentNodes],
    time: timestampFromMs(time),
  });
}

function lineToWire({ waiting, held, shareUsed, shareDue, next, classes, otherClasses, ...line }: QueueLine) {
  return {
    ...line,
    waiting: BigInt(waiting),
    held: BigInt(held),
    shareUsed: rounded(shareUsed),
    shareDue: rounded(shareDue),
    ...headToWire(next),
    classes: classes.map(classToWire),
    otherClasses: BigInt(otherClasses),
  };
}

function classToWire({ waiting, next, gate, heldBy, summary, freedBy }: QueueClass) {
  return {
    ...{ waiting: BigInt(waiting), summary, freedBy, heldBy: [...heldBy] },
    ...headToWire(next),
    ...(gate !== undefined && { gate: gateToWire(gate) }),
  };
}

function headToWire(head: QueueHead | undefined) {
  return {
    nextExecutionId: head?.executionId ?? '',
    ...(head?.since !== undefined && { nextSince: timestampFromMs(head.since) }),
  };
}

/** Nobody sees more of a share. */
function rounded(share: number): number {
  return Math.round(share * 1e4) / 1e4;
}
