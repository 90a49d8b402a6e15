/** What deletes: executions, their logs, and what is staged. Each is one statement, and asks for the right to write first. */
export const removalFunctions = `
-- Deletes executions with all that hangs on them, but for those that one that has not ended follows; says which, and how
-- many bytes they had.
CREATE FUNCTION remove_executions(me bigint, wanted text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE freed bigint; gone text[];
BEGIN
  PERFORM assert_writer(me);
  PERFORM 1 FROM executions WHERE execution_id = ANY (wanted) ORDER BY execution_id FOR UPDATE;
  SELECT coalesce(array_agg(w), '{}') INTO gone FROM unnest(wanted) w
    WHERE NOT EXISTS (SELECT 1 FROM dependencies d WHERE d.dependency_id = w AND d.active);
  DELETE FROM dependencies WHERE dependant_id = ANY (gone);
  DELETE FROM segments WHERE execution_id = ANY (gone);
  DELETE FROM inputs WHERE execution_id = ANY (gone);
  DELETE FROM claims WHERE execution_id = ANY (gone);
  DELETE FROM execution_labels WHERE execution_id = ANY (gone);
  WITH removed AS (DELETE FROM executions WHERE execution_id = ANY (gone) RETURNING bytes)
    SELECT coalesce(sum(bytes), 0) INTO freed FROM removed;
  RETURN json_build_object('bytes', freed, 'ids', gone)::text;
END $$;

-- Deletes logs but for the row with their result, which is written anew, with that alone; their records say so.
CREATE FUNCTION shorten_logs(
  me bigint, ids text[], records text[], firsts int[], positions bigint[], metas text[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE freed bigint;
BEGIN
  PERFORM assert_writer(me);
  DELETE FROM segments s USING unnest(ids, firsts) e (id, first)
    WHERE s.execution_id = e.id AND (e.first IS NULL OR s.last_sequence < e.first);
  UPDATE segments s SET first_sequence = e.first, position = e.position, meta = e.meta, data = NULL
    FROM unnest(ids, firsts, positions, metas) e (id, first, position, meta) WHERE s.execution_id = e.id;
  WITH before AS (SELECT execution_id, bytes FROM executions WHERE execution_id = ANY (ids)),
    now AS (
      UPDATE executions x SET record = e.record,
        bytes = 2048 + coalesce((SELECT octet_length(i.input) + octet_length(i.invocation) FROM inputs i
          WHERE i.execution_id = x.execution_id), 0) + coalesce(octet_length(e.meta), 0)
      FROM unnest(ids, records, metas) e (id, record, meta) WHERE x.execution_id = e.id
      RETURNING x.execution_id, x.bytes)
    SELECT coalesce(sum(b.bytes - n.bytes), 0) INTO freed FROM before b JOIN now n USING (execution_id);
  RETURN freed;
END $$;

CREATE FUNCTION unstage_log(me bigint, id text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  DELETE FROM executions WHERE execution_id = id AND staged;
  IF FOUND THEN DELETE FROM segments WHERE execution_id = id; END IF;
END $$;
`;

export const lostStages = `
-- What nodes have staged that may not write any more is nobody's, and its ids are free again.
CREATE FUNCTION drop_lost_stages(me bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE lost text[];
BEGIN
  PERFORM assert_writer(me);
  WITH gone AS (
    DELETE FROM executions x
      WHERE x.staged AND x.record IS NULL AND NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = x.owner)
      RETURNING x.execution_id
  ) SELECT coalesce(array_agg(execution_id), '{}') INTO lost FROM gone;
  DELETE FROM segments s WHERE s.execution_id = ANY (lost);
END $$;
`;
