/** `spear db check` of what follows what, and of batches. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { checkDataDir } from '../../src/stores/sqlite/check/check.ts';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import { batchOf, member } from './contract/batch-entries.ts';
import { appending } from './contract/entries.ts';
import { temporaryFolder } from './folder.ts';
import { executionId, recordOf, shortLog } from './samples.ts';

const [first, second, waits, anew] = [1, 2, 3, 50].map(executionId);
const batch = batchOf(1, 3);
const batchOfNone = 'batch_00000000000000000000000099';

async function damaged(sql: string): Promise<{ subject: string; message: string }[]> {
  const dataDir = await temporaryFolder();
  const store = await openSqliteStore({ dataDir, reserveBytes: 4096 });
  onTestFinished(() => store.close());
  const running = (id: string) => ({ ...appending(id, 0, shortLog()), record: recordOf(id, 'running') });
  const dependsOn = [first, second].map((id = '') => ({ executionId: id }));
  const blocked = recordOf(waits ?? '', 'pending', { dependsOn, blocked: true, lastSequence: 3 });
  await store.commit([
    running(first ?? ''),
    running(second ?? ''),
    { ...appending(waits ?? '', 0, shortLog()), record: blocked },
  ]);
  await store.admitBatch(
    batch,
    [0, 1, 2].map((place) => member(batch, 10, place)),
  );
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  db.exec(sql);
  db.close();
  const { findings } = await checkDataDir(dataDir);
  return findings.filter(({ message }) => /follow|wait|batch|counts/.test(message));
}

test.each<[string, string, string | undefined, RegExp]>([
  ['nothing is wrong', '', undefined, /^$/],
  ['a count of what it waits for is another', 'UPDATE blocked SET open = 1', waits, /another number/],
  ['it is released, and waits', 'UPDATE blocked SET released = 1', waits, /another number/],
  ['nobody knows that it waits', 'DELETE FROM blocked', waits, /nothing would let it go on/],
  [
    'what does not wait has a row',
    `INSERT INTO blocked VALUES ('${first}', 0, NULL, 1)`,
    first,
    /does not wait/,
  ],
  [
    'who follows is not there',
    `INSERT INTO dependencies VALUES ('${first}', '${anew}', 'failed', 0)`,
    anew,
    /no such execution/,
  ],
  [
    'what is followed is not there',
    `INSERT INTO dependencies VALUES ('${anew}', '${waits}', 'failed', 1)`,
    waits,
    /not there any more/,
  ],
  ['a member is missing', 'DELETE FROM batch_members WHERE member = 1', batch.batchId, /counts/],
  ['an end is counted that was none', 'UPDATE batches SET ended = 1, completed = 1', batch.batchId, /counts/],
  ['a batch cannot be read', `UPDATE batches SET batch = '{'`, batch.batchId, /damaged/],
  [
    'a member has no batch',
    `INSERT INTO batch_members (batch_id, member, execution_id, name, layer, follows)
       VALUES ('${batchOfNone}', 0, '${first}', '', 0, '[]')`,
    batchOfNone,
    /no such batch/,
  ],
])('where %s, the check says so of that alone', async (_what, sql, subject, message) => {
  const findings = await damaged(sql);
  expect(findings.map((finding) => finding.subject)).toEqual(subject === undefined ? [] : [subject]);
  for (const finding of findings) expect(finding.message).toMatch(message);
});
