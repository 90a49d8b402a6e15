/**
 * A program for the crash test: commits to the store in `argv[2]` for ever, two executions a commit, and
 * prints after each commit the last position that was acknowledged.
 */
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import { bytesOf, chunk, executionId, recordOf, transition } from './samples.ts';

const store = await openSqliteStore({ dataDir: process.argv[2] ?? '' });
for (let turn = 1; ; turn++) {
  const results = await store.commit(
    [1, 2].map((number) => {
      const id = executionId(number);
      const lastSequence = turn * 2;
      return {
        executionId: id,
        expectedLastSequence: lastSequence - 2,
        events: [transition(lastSequence - 1, 'a', 'b'), chunk(lastSequence, bytesOf(500, turn))],
        record: recordOf(id, 'running', { lastSequence }),
      };
    }),
  );
  const last = results[1];
  if (last?.ok !== true) throw new Error('conflict');
  writeSync(1, `${last.position + 1}\n`);
}
