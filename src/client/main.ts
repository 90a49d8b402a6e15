/** The package's `spear/client`: run functions on a node, and follow them. docs/clients.md shows it. */
export type { Alias, Aliases, MoveAliasOptions, Revision } from './aliases.ts';
export type {
  Batch,
  Batches,
  BatchMember,
  BatchMemberState,
  BatchStatus,
  StartBatchOptions,
} from './batches.ts';
export { type ConnectOptions, connect, type TlsOptions } from './connect.ts';
export { ExecutionFailed, type RpcCode, SpearError } from './errors.ts';
export type { CallOptions, Change, Execution } from './execution.ts';
export type {
  ChunkEvent,
  ExecutionEvent,
  RefusalEvent,
  ResultEvent,
  TransitionEvent,
  UnknownEvent,
} from './execution-event.ts';
export type { ExecutionResult, ResourceUse } from './execution-result.ts';
export type { Dependency, InvokeOptions } from './invocation.ts';
export type { FieldViolation } from './rpc-details.ts';
export type { Firing, Schedule, ScheduleDefinition, Schedules } from './schedules.ts';
export type { ListOptions, Spear } from './spear.ts';
export type {
  ListTasksOptions,
  RegisterOptions,
  Task,
  TaskChanges,
  TaskDefinition,
  Tasks,
  UpdateOptions,
} from './tasks.ts';
export type { ErrorCodeName, ErrorOriginName, ModeName, PriorityName, StatusName } from './wire-names.ts';
