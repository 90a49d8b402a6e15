/** Holds what is in the database of a cluster against what has to be so whatever has happened to its nodes. */
import type { PostgresServer } from '../support/postgres.ts';

/** Times of commits are what rights to write are held against. */
export const settings = ['track_commit_timestamp = on'];

/** A rule, and a statement that lists what breaks it, one name a row. */
const rules: readonly (readonly [rule: string, text: string])[] = [
  [
    // By the time of the commit, and not by the number of the transaction: whoever takes the right away gets a number
    // first, and then waits for what is being written.
    'was written after the right of its writer was taken',
    `SELECT s.execution_id || ' from ' || s.first_sequence || ' by ' || s.writer AS name
     FROM spear.segments s JOIN spear.nodes n ON n.incarnation = s.writer
     WHERE n.fenced_at IS NOT NULL AND pg_xact_commit_timestamp(s.xmin) > pg_xact_commit_timestamp(n.xmin)`,
  ],
  [
    'has a log that is not where its record says',
    `SELECT x.execution_id AS name FROM spear.executions x
     JOIN (SELECT execution_id, max(last_sequence) AS last, sum(last_sequence - first_sequence + 1) AS count
       FROM spear.segments GROUP BY execution_id) s USING (execution_id)
     WHERE x.record IS NOT NULL AND (s.last <> x.last_sequence OR s.count <> s.last)`,
  ],
  [
    'belongs to no invocation that anybody made',
    `SELECT x.execution_id AS name FROM spear.executions x LEFT JOIN spear.claims c USING (execution_id)
     WHERE x.record IS NOT NULL AND c.execution_id IS NULL`,
  ],
  [
    'is claimed by an invocation, and not there',
    `SELECT c.invocation_id AS name FROM spear.claims c LEFT JOIN spear.executions x USING (execution_id)
     WHERE x.record IS NULL`,
  ],
];

/** Where nobody has asked for anything that has not ended. */
const rulesOfRest: typeof rules = [
  [
    'has not ended, and nobody waits for it',
    `SELECT execution_id AS name FROM spear.executions WHERE status IN ('pending', 'running')`,
  ],
];

/** What has to be so in a while, when nothing happens any more. */
const rulesOfTheEnd: typeof rules = [
  ['is still given to a node', 'SELECT execution_id AS name FROM spear.grants'],
  ['has no node, and waits', `SELECT execution_id AS name FROM spear.executions WHERE line IS NOT NULL`],
];

async function broken(database: PostgresServer, name: string, all: typeof rules): Promise<string[]> {
  const wrong: string[] = [];
  for (const [rule, text] of all) {
    for (const row of await database.query(text, name)) wrong.push(`${String(row.name)} ${rule}`);
  }
  return wrong;
}

/** In words, what does not hold when all that was asked for has ended. */
export function judgeDatabase(database: PostgresServer, name: string): Promise<string[]> {
  return broken(database, name, [...rules, ...rulesOfRest]);
}

/** The same, for what comes about by itself when all is quiet. */
export function judgeRest(database: PostgresServer, name: string): Promise<string[]> {
  return broken(database, name, rulesOfTheEnd);
}
