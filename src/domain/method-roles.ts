/** The role that each method and path needs, for whoever serves it and for a page that offers it. */
import type { Role } from './access.ts';

/** By service and method. */
export const methodRoles = {
  'AccessService/CreatePageCode': 'admin',
  'AccessService/CreateToken': 'admin',
  'AccessService/ListTenants': 'admin',
  'AccessService/ListTokens': 'admin',
  'AccessService/RevokeToken': 'admin',
  'BatchService/CancelBatch': 'invoke',
  'BatchService/GetBatch': 'observe',
  'BatchService/InvokeBatch': 'invoke',
  'BatchService/InvokeBatchFromStream': 'invoke',
  'BatchService/ListBatchMembers': 'observe',
  'BatchService/ListBatches': 'observe',
  'BatchService/WaitBatch': 'observe',
  'BatchService/WatchBatch': 'observe',
  'FunctionService/CancelExecution': 'invoke',
  'FunctionService/DeleteExecution': 'develop',
  'FunctionService/GetExecutionStatus': 'observe',
  'FunctionService/InvokeFunction': 'invoke',
  'FunctionService/ListExecutions': 'observe',
  'FunctionService/ResumeExecution': 'invoke',
  'FunctionService/StreamFunction': 'invoke',
  'FunctionService/SuspendExecution': 'invoke',
  'FunctionService/WaitExecution': 'observe',
  'FunctionService/WatchExecution': 'observe',
  'InstanceService/ListInstances': 'observe',
  'NodeService/DeleteBreakpoint': 'develop',
  'NodeService/DescribeMachines': 'observe',
  'NodeService/ExplainExecution': 'observe',
  'NodeService/GetActivity': 'observe',
  'NodeService/GetInvocation': 'observe',
  'NodeService/GetNode': 'observe',
  'NodeService/GetQueue': 'observe',
  'NodeService/ListBreakpoints': 'observe',
  'NodeService/SetBreakpoint': 'develop',
  'NodeService/SetLogging': 'admin',
  'NodeService/WatchNode': 'observe',
  'QuotaService/GetQuota': 'admin',
  'QuotaService/ListQuotas': 'admin',
  'QuotaService/SetQuota': 'admin',
  'RevisionService/CompareRevisions': 'observe',
  'RevisionService/DeleteAlias': 'operate',
  'RevisionService/DeleteRevision': 'develop',
  'RevisionService/ListRevisions': 'observe',
  'RevisionService/RollbackAlias': 'operate',
  'RevisionService/SetAlias': 'operate',
  'SnapshotService/RestoreExecution': 'operate',
  'SnapshotService/SnapshotExecution': 'operate',
  'TaskService/DeleteTask': 'develop',
  'TaskService/GetTask': 'observe',
  'TaskService/ListTasks': 'observe',
  'TaskService/RegisterTask': 'develop',
  'TaskService/RegisterTaskWithProgress': 'develop',
  'TaskService/ResetTask': 'operate',
  'TaskService/UpdateTask': 'operate',
} as const satisfies Record<string, Role>;

/** SERVICE/METHOD. */
export type MethodName = keyof typeof methodRoles;

/** Of what HTTP has beside the methods: paths that read, by what they begin with. The rest of HTTP is for everybody. */
export const pathRoles = {
  status: 'observe',
  events: 'observe',
  history: 'observe',
  snapshots: 'operate',
  inspect: 'observe',
  tasks: 'invoke',
  /** Of all tenants. */
  metrics: 'observe',
  caller: 'observe',
  /** Who may have a ticket; the file that it is for needs its own role. */
  tickets: 'observe',
} as const satisfies Record<string, Role>;
