import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type Breakpoint, type BreakpointState, breakpointStates } from '../../domain/breakpoint.ts';
import { invalidArgument, quote } from '../../domain/errors.ts';
import { BreakpointSchema, type Breakpoint as WireBreakpoint } from '../gen/spearlet/node_pb.js';

export function breakpointToWire({
  breakpointId,
  of,
  before,
  once,
  createdAt,
  hits,
}: Breakpoint): WireBreakpoint {
  return create(BreakpointSchema, {
    breakpointId,
    task: of.kind === 'task' ? of.name : '',
    executionId: of.kind === 'execution' ? of.executionId : '',
    before,
    once,
    createdAt: timestampFromMs(createdAt),
    hits: BigInt(hits),
  });
}

/** Throws invalid_argument for a state before which nothing can be held. */
export function beforeFromWire(before: string): BreakpointState {
  const known = breakpointStates.find((each) => each === before);
  if (known !== undefined) return known;
  throw invalidArgument(
    'breakpoint.before',
    `is ${quote(before)}; allowed are ${breakpointStates.join(', ')}`,
  );
}
