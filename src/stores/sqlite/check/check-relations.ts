/**
 * Whether the rows of what follows what, and of batches, agree with each other and with the executions: by them is found
 * who goes on when something has ended. Each question is one statement, as a server may write meanwhile.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Checked, Report } from './check.ts';

/** Rows that are not as they should be; `subject` is what a finding is about. */
type Question = readonly [sql: string, message: string];

const hasEnded = `NOT IN ('pending', 'running')`;

const questions: readonly Question[] = [
  [
    `SELECT DISTINCT dependant_id AS subject FROM dependencies AS d WHERE NOT EXISTS
       (SELECT 1 FROM executions WHERE execution_id = d.dependant_id)`,
    'a row says what it follows, and there is no such execution',
  ],
  [
    `SELECT DISTINCT dependant_id AS subject FROM dependencies AS d WHERE active = 1 AND NOT EXISTS
       (SELECT 1 FROM executions WHERE execution_id = d.dependency_id)`,
    'it follows an execution that is not there any more',
  ],
  [
    `SELECT execution_id AS subject FROM blocked AS b WHERE NOT EXISTS
       (SELECT 1 FROM executions AS e WHERE e.execution_id = b.execution_id AND e.status = 'pending')`,
    'a row says that it waits for others, and it does not wait',
  ],
  [
    `SELECT execution_id AS subject FROM executions AS e WHERE status = 'pending' AND json_valid(record)
       AND record ->> '$.blocked' = 1
       AND NOT EXISTS (SELECT 1 FROM blocked WHERE blocked.execution_id = e.execution_id)`,
    'it waits for others, and no row says for how many: nothing would let it go on',
  ],
  [
    `SELECT b.execution_id AS subject FROM blocked AS b WHERE b.open <>
       (SELECT count(*) FROM dependencies AS d JOIN executions AS e ON e.execution_id = d.dependency_id
        WHERE d.dependant_id = b.execution_id AND NOT e.status ${hasEnded})
       OR b.released <> (b.open <= 0 OR b.failed_by IS NOT NULL)`,
    'the row of how many others it waits for says another number than there are',
  ],
  [
    `SELECT DISTINCT batch_id AS subject FROM batch_members AS m WHERE NOT EXISTS
       (SELECT 1 FROM batches WHERE batches.batch_id = m.batch_id)`,
    'there are members of it, and no such batch',
  ],
  [`SELECT batch_id AS subject FROM batches WHERE NOT json_valid(batch)`, 'the batch is damaged'],
  [
    `SELECT batch_id AS subject FROM batches AS b WHERE staged = 0 AND (
       members <> (SELECT count(*) FROM batch_members AS m WHERE m.batch_id = b.batch_id)
       OR ended <> completed + failed + cancelled + timed_out
       OR ended <> (SELECT count(*) FROM batch_members AS m WHERE m.batch_id = b.batch_id AND sequence IS NOT NULL)
       OR ended <> (SELECT coalesce(max(sequence), 0) FROM batch_members AS m WHERE m.batch_id = b.batch_id)
       OR (ended >= members) <> (completed_at IS NOT NULL))`,
    'its counts are not those of its members',
  ],
];

export function checkRelations(db: DatabaseSync, _checked: Checked, report: Report): void {
  for (const [sql, message] of questions) {
    for (const { subject } of db.prepare(sql).iterate()) report(String(subject), message);
  }
}
