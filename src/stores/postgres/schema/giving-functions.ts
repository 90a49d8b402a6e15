/** How a node that is told to stop gives away what it has. */
export const givingFunctions = `
-- What it still has in its hands; all else that it has is for others to take. Nothing where it was not told to stop.
ALTER TABLE nodes ADD COLUMN keeps text[];

CREATE FUNCTION keep_only(me bigint, ids text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  UPDATE nodes n SET keeps = ids, planned = true WHERE n.incarnation = me;
  PERFORM pg_notify('spear', '{"kind":"gone"}');
END $$;

-- Takes those of the executions that have nobody, or whose node has given them away, and says which they are: each that
-- waits in no line, and of each line how many. Those that wait for a slot are nobody's then, the others this node's: their
-- lines have the names that restingLineOf gives. It may be asked twice, but for those that are nobody's. No event of any
-- of them has a later position than the one it tells.
CREATE OR REPLACE FUNCTION take_orphans(me bigint, ids text[])
RETURNS TABLE (record text, line text, waiting bigint, since float8, wakes_at float8, "position" bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE last bigint; queued json;
BEGIN
  PERFORM assert_writer(me);
  WITH free AS (
    SELECT y.execution_id FROM executions y
    WHERE y.execution_id = ANY (ids) AND y.owner IS NOT NULL AND y.status IN ('pending', 'running')
      AND (NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = y.owner)
        OR EXISTS (SELECT 1 FROM nodes n WHERE n.incarnation = y.owner AND n.incarnation <> me
          AND NOT y.execution_id = ANY (n.keeps)))
    ORDER BY y.execution_id FOR UPDATE SKIP LOCKED
  ), taken AS (
    UPDATE executions x SET owner = CASE WHEN x.line LIKE '[%' OR x.line LIKE '%/%' THEN NULL ELSE me END
    FROM free WHERE x.execution_id = free.execution_id
    RETURNING x.execution_id, x.owner, x.line, x.waits_since
  ), forgotten AS (
    DELETE FROM grants g USING taken t WHERE g.execution_id = t.execution_id
  )
  SELECT json_agg(json_build_array(q.line, q.count)) INTO queued FROM (
    SELECT t.line, count(*) FROM taken t WHERE t.owner IS NULL GROUP BY t.line
  ) q;
  -- Whoever wrote them has noted, with each commit, what it goes on with.
  last := greatest((SELECT max(f.next_position) FROM fences f), (SELECT max(n.next_position) FROM nodes n)) - 1;
  RETURN QUERY SELECT x.record, NULL::text, NULL::bigint, NULL::float8, NULL::float8, last FROM executions x
    WHERE x.execution_id = ANY (ids) AND x.owner = me AND x.status IN ('pending', 'running') AND x.line IS NULL
    ORDER BY x.execution_id;
  RETURN QUERY SELECT NULL::text, x.line, count(*), min(x.waits_since), min(x.wakes_at), last FROM executions x
    WHERE x.execution_id = ANY (ids) AND x.owner = me AND x.status IN ('pending', 'running') AND x.line IS NOT NULL
    GROUP BY x.line;
  IF queued IS NOT NULL THEN
    PERFORM say_queued(array(SELECT q ->> 0 FROM json_array_elements(queued) q));
    RETURN QUERY SELECT NULL::text, NULL::text, sum((q ->> 1)::int)::bigint, NULL::float8, NULL::float8, last
      FROM json_array_elements(queued) q;
  END IF;
END $$;
`;
