/** The names by which callers know the numbers of the wire. */
import {
  ErrorCode,
  ErrorOrigin,
  ExecutionMode,
  ExecutionStatus,
  Priority,
} from '../server/gen/spearlet/function_pb.js';

type NameIn<Enum> = Exclude<keyof Enum & string, 'UNSPECIFIED'>;

/** Such as `COMPLETED`. */
export type StatusName = NameIn<typeof ExecutionStatus>;
/** Of the table of docs/errors.md, such as `FUNCTION_EXIT`. */
export type ErrorCodeName = NameIn<typeof ErrorCode>;
/** Such as `USER`. */
export type ErrorOriginName = NameIn<typeof ErrorOrigin>;
/** Such as `SYNC`. */
export type ModeName = NameIn<typeof ExecutionMode>;
/** Such as `HIGH`. */
export type PriorityName = NameIn<typeof Priority>;

/** Undefined for 0, and for one of a newer server. */
function nameOf<Enum extends object>(names: Enum, value: number): NameIn<Enum> | undefined {
  const name: unknown = value === 0 ? undefined : Reflect.get(names, value);
  // An enum of TypeScript has its names under its numbers.
  return typeof name === 'string' ? (name as NameIn<Enum>) : undefined;
}

/** One that this client does not know yet is no ending: PENDING. @internal */
export function statusName(value: ExecutionStatus): StatusName {
  return nameOf(ExecutionStatus, value) ?? 'PENDING';
}

/** @internal */
export function errorCodeName(value: ErrorCode): ErrorCodeName | undefined {
  return nameOf(ErrorCode, value);
}

/** @internal */
export function errorOriginName(value: ErrorOrigin): ErrorOriginName | undefined {
  return nameOf(ErrorOrigin, value);
}

/** @internal */
export function modeName(value: ExecutionMode): ModeName {
  return nameOf(ExecutionMode, value) ?? 'SYNC';
}

/** @internal */
export function priorityName(value: Priority): PriorityName {
  return nameOf(Priority, value) ?? 'NORMAL';
}

/** @internal */
export const statusValues: Readonly<Record<StatusName, ExecutionStatus>> = ExecutionStatus;
/** @internal */
export const priorityValues: Readonly<Record<PriorityName, Priority>> = Priority;
