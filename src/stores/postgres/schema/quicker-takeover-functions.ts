/**
 * Takeover with less for each execution: whose are free is asked once, and rows are found by their ids alone, which is what
 * `OFFSET 0` is for. A plan that goes by the owner instead, as one that is made on an empty table does, compares each of
 * the ids with each row that the node has: more with every page that it takes.
 */
import { givingFunctions } from './giving-functions.ts';
import { patched, replaced } from './patched.ts';

export const quickerTakeoverFunctions = patched(replaced(givingFunctions, 'take_orphans'), [
  ['DECLARE last bigint; queued json;', 'DECLARE last bigint; queued json; gone bigint[]; giving bigint[];'],
  [
    '  WITH free AS (',
    `  -- Those that may not write any more, and those that keep some of what they have. The former stay so, and the latter keep
  -- ever less.
  SELECT coalesce(array_agg(n.incarnation) FILTER (WHERE f.incarnation IS NULL), '{}'),
      coalesce(array_agg(n.incarnation) FILTER (WHERE f.incarnation IS NOT NULL), '{}') INTO gone, giving
    FROM nodes n LEFT JOIN fences f ON f.incarnation = n.incarnation
    WHERE (f.incarnation IS NULL OR n.keeps IS NOT NULL AND n.incarnation <> me) AND NOT is_of_another(n.incarnation, me);
  WITH free AS (`,
  ],
  [
    `SELECT y.execution_id FROM executions y
    WHERE y.execution_id = ANY (ids) AND y.owner IS NOT NULL AND y.status IN ('pending', 'running')
      AND (NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = y.owner)
        OR EXISTS (SELECT 1 FROM nodes n WHERE n.incarnation = y.owner AND n.incarnation <> me
          AND NOT y.execution_id = ANY (n.keeps)))
    ORDER BY y.execution_id FOR UPDATE SKIP LOCKED`,
    `SELECT y.execution_id FROM unnest(ids) i JOIN executions y ON y.execution_id = i
    WHERE y.status IN ('pending', 'running') AND (y.owner = ANY (gone) OR y.owner = ANY (giving)
      AND EXISTS (SELECT 1 FROM nodes n WHERE n.incarnation = y.owner AND NOT y.execution_id = ANY (n.keeps)))
    ORDER BY y.execution_id FOR UPDATE OF y SKIP LOCKED`,
  ],
  [
    `NULL::float8, NULL::float8, last FROM executions x
    WHERE x.execution_id = ANY (ids) AND x.owner = me`,
    `NULL::float8, NULL::float8, last FROM unnest(ids) i CROSS JOIN LATERAL (
      SELECT * FROM executions y WHERE y.execution_id = i OFFSET 0) x
    WHERE x.owner = me`,
  ],
  [
    `min(x.wakes_at), last FROM executions x
    WHERE x.execution_id = ANY (ids) AND x.owner = me`,
    `min(x.wakes_at), last FROM unnest(ids) i CROSS JOIN LATERAL (
      SELECT * FROM executions y WHERE y.execution_id = i OFFSET 0) x
    WHERE x.owner = me`,
  ],
]);
