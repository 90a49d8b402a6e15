/** Whether executions and tasks are listed by the labels that they have, and by no others. */
import type { DatabaseSync } from 'node:sqlite';
import { scheduleLabel } from '../write/encoded-entry.ts';
import type { Checked, Report } from './check.ts';

/** The labels of a row's JSON; none where it is damaged, which is found elsewhere. */
function labelsIn(json: string, path: string): string {
  return `json_each(CASE WHEN json_valid(${json}) THEN ${json} END, '${path}')`;
}

const ofExecution = labelsIn('executions.record', '$.labels');
const ofTask = labelsIn('tasks.task', '$.definition.labels');
const newest = 'tasks.revision = (SELECT max(revision) FROM tasks AS t WHERE t.task_id = tasks.task_id)';

/** Each gives what is wrong, as `subject` and `key`. */
const checks: readonly (readonly [sql: string, message: string])[] = [
  [
    `SELECT l.execution_id AS subject, l.key FROM execution_labels AS l LEFT JOIN executions USING (execution_id)
     WHERE l.tenant IS NOT executions.tenant
       OR NOT EXISTS (SELECT 1 FROM ${ofExecution} AS j WHERE j.key = l.key AND j.value = l.value)
         AND NOT (l.key = '${scheduleLabel}' AND json_valid(executions.record)
           AND l.value IS executions.record ->> '$.schedule')`,
    'it is listed by a label that it does not have',
  ],
  [
    `SELECT executions.execution_id AS subject, j.key FROM executions, ${ofExecution} AS j
     WHERE NOT EXISTS (SELECT 1 FROM execution_labels AS l
       WHERE l.tenant = executions.tenant AND l.key = j.key AND l.value = j.value
         AND l.execution_id = executions.execution_id)`,
    'it is not listed by a label that it has',
  ],
  [
    `SELECT l.task_id AS subject, l.key FROM task_labels AS l
     LEFT JOIN tasks ON tasks.task_id = l.task_id AND ${newest}
     WHERE l.tenant IS NOT tasks.tenant
       OR NOT EXISTS (SELECT 1 FROM ${ofTask} AS j WHERE j.key = l.key AND j.value = l.value)`,
    'it is listed by a label that it does not have',
  ],
  [
    `SELECT tasks.task_id AS subject, j.key FROM task_names JOIN tasks USING (task_id), ${ofTask} AS j
     WHERE ${newest} AND NOT EXISTS (SELECT 1 FROM task_labels AS l
       WHERE l.tenant = task_names.tenant AND l.key = j.key AND l.value = j.value AND l.name = task_names.name)`,
    'it is not listed by a label that it has',
  ],
];

export function checkLabels(db: DatabaseSync, _checked: Checked, report: Report): void {
  for (const [sql, message] of checks) {
    for (const { subject, key } of db.prepare(sql).iterate()) report(String(subject), `${message}: ${key}`);
  }
}
