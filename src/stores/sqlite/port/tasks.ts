import type { DatabaseSync } from 'node:sqlite';
import type { KeptTasks } from '../../store.ts';
import { AliasRows } from '../read/aliases.ts';
import type { Reading } from '../read/reading.ts';
import type { Tasks } from '../read/tasks.ts';
import type { Writes } from '../write/writes.ts';

export function keptTasks(db: DatabaseSync, tasks: Tasks, reading: Reading, writes: Writes): KeptTasks {
  const aliases = new AliasRows(db);
  return {
    saveTask: (task) => writes.send('cannot save a task', { kind: 'saveTask', task }),
    saveRevision: (task) => writes.send('cannot save a task', { kind: 'saveRevision', task }),
    deleteTask: (taskId) => writes.send('cannot delete a task', { kind: 'deleteTask', taskId }),
    taskByName: async (tenant, name) => reading.now('cannot read a task', () => tasks.byName(tenant, name)),
    taskById: async (taskId) => reading.now('cannot read a task', () => tasks.byId(taskId)),
    taskRevision: async (taskId, revision) =>
      reading.now('cannot read a task', () => tasks.revision(taskId, revision)),
    taskRevisions: async (taskId, before, limit) =>
      reading.now('cannot read a task', () => tasks.revisions(taskId, before, limit)),
    deleteRevision: (taskId, revision) =>
      writes.send('cannot delete a revision', { kind: 'dropRevision', revision: { taskId, revision } }),
    taskAliases: async (taskId) => reading.now('cannot read the aliases of a task', () => aliases.of(taskId)),
    saveAlias: (taskId, name, alias) =>
      writes.send('cannot save an alias', { kind: 'saveAlias', taskId, name, alias }),
    tasks: async (tenant, afterName, limit, labels) =>
      reading.now('cannot list tasks', () => tasks.list(tenant, afterName, limit, labels)),
    taskTenants: async () => reading.now('cannot list tenants', () => tasks.tenants()),
    hasArtifact: async (tenant, sha256) =>
      reading.now('cannot read a task', () => tasks.hasArtifact(tenant, sha256)),
  };
}
