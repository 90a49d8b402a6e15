/** How what nodes leave becomes the others'. */
export const takeoverFunctions = `
-- In place of claim_orphans, which nodes of before still call. Makes those of the executions its own that have nobody, and says which of them are: each that waits in no line, and
-- of each line how many. It may be asked twice. No event of any of them has a later position than the one it tells.
CREATE FUNCTION take_orphans(me bigint, ids text[])
RETURNS TABLE (record text, line text, waiting bigint, since float8, wakes_at float8, "position" bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE last bigint;
BEGIN
  PERFORM assert_writer(me);
  UPDATE executions x SET owner = me FROM (
    SELECT y.execution_id FROM executions y
    WHERE y.execution_id = ANY (ids) AND y.owner IS NOT NULL AND y.status IN ('pending', 'running')
      AND NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = y.owner)
    ORDER BY y.execution_id FOR UPDATE SKIP LOCKED
  ) free WHERE x.execution_id = free.execution_id;
  -- Whoever wrote them has noted, with each commit, what it goes on with.
  last := greatest((SELECT max(f.next_position) FROM fences f), (SELECT max(n.next_position) FROM nodes n)) - 1;
  RETURN QUERY SELECT x.record, NULL::text, NULL::bigint, NULL::float8, NULL::float8, last FROM executions x
    WHERE x.execution_id = ANY (ids) AND x.owner = me AND x.status IN ('pending', 'running') AND x.line IS NULL
    ORDER BY x.execution_id;
  RETURN QUERY SELECT NULL::text, x.line, count(*), min(x.waits_since), min(x.wakes_at), last FROM executions x
    WHERE x.execution_id = ANY (ids) AND x.owner = me AND x.status IN ('pending', 'running') AND x.line IS NOT NULL
    GROUP BY x.line;
END $$;
`;
