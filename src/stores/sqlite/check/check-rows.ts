/** Whether the rows of the smaller tables are as they were written. Those of executions and logs are looked at with them. */
import type { DatabaseSync } from 'node:sqlite';
import { DamagedError } from '../../store.ts';
import { floorChecksum, stagedChecksum } from '../file/checksum.ts';
import { aliasColumns, aliasOf, revisionsOf } from '../read/aliases.ts';
import { meterOf, nodeOf } from '../read/order-rows.ts';
import { quotaColumns, quotaOf } from '../read/quotas.ts';
import { assertClaim, assertInput, assertName, type InputRow, type Row, taskOf } from '../read/row.ts';
import { sideRowColumns, sideRowOf } from '../read/side-rows.ts';
import type { Checked, Report } from './check.ts';

/** What is asked of each row, and what a finding is about. */
type RowCheck = readonly [sql: string, subject: string, assert: (row: Row) => unknown];

const checks: readonly RowCheck[] = [
  [
    `SELECT tenant AS claim_tenant, invocation_id, execution_id AS claimed_by, checksum AS claim_checksum
     FROM claims`,
    'claimed_by',
    assertClaim,
  ],
  ['SELECT * FROM inputs', 'execution_id', (row) => assertInput(row as unknown as InputRow)],
  ['SELECT task_id, revision, task, checksum FROM tasks', 'task_id', taskOf],
  ['SELECT tenant, name, task_id, checksum AS name_checksum FROM task_names', 'task_id', assertName],
  [
    `SELECT ${aliasColumns}, (SELECT json_group_array(revision) FROM (SELECT revision FROM alias_revisions AS a
       WHERE a.task_id = task_aliases.task_id AND a.name = task_aliases.name ORDER BY revision)) AS kept
     FROM task_aliases`,
    'task_id',
    assertKept,
  ],
  [`SELECT ${quotaColumns} FROM quotas`, 'quota_tenant', quotaOf],
  [`SELECT kind || ' ' || key AS subject, ${sideRowColumns} FROM side_rows`, 'subject', sideRowOf],
  [`SELECT 'order of runs' AS subject, node, use, checksum FROM order_nodes`, 'subject', nodeOf],
  [`SELECT 'order of runs' AS subject, meter, full_at, checksum FROM rates`, 'subject', meterOf],
  [
    'SELECT execution_id, checksum FROM staged',
    'execution_id',
    ({ execution_id, checksum }) =>
      assert(checksum === stagedChecksum(String(execution_id)), 'the mark of a log that is being restored'),
  ],
  [
    `SELECT 'database' AS subject, next, changes, checksum FROM position_floor`,
    'subject',
    ({ next, changes, checksum }) =>
      assert(checksum === floorChecksum(Number(next), Number(changes)), 'the count of its positions'),
  ],
];

export function checkRows(db: DatabaseSync, _checked: Checked, report: Report): void {
  for (const [sql, subject, assert] of checks) {
    for (const row of db.prepare(sql).iterate()) {
      try {
        assert(row);
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
        report(String(row[subject]), error.message);
      }
    }
  }
  const left = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'segments_to_sum'";
  if (db.prepare(left).get() !== undefined) {
    report('database', 'parts of logs could not be read when it was brought up to date, and were left out');
  }
}

/** What keeps the revisions of an alias fits to it. */
function assertKept(row: Row): void {
  const revisions = [...revisionsOf(aliasOf(row))].sort((a, b) => a - b);
  assert(row.kept === JSON.stringify(revisions), `what keeps the revisions of the alias ${String(row.name)}`);
}

function assert(whole: boolean, what: string): void {
  if (!whole) throw new DamagedError(`${what} is damaged`);
}
