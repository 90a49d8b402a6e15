/** Rows beside the executions, and aliases of tasks. */
export const rowFunctions = `
-- Of several changes of one row the last counts.
CREATE FUNCTION write_rows(
  kinds text[], tenants text[], keys text[], contents text[], dues float8[], gone boolean[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM side_rows s USING unnest(kinds, tenants, keys, gone) c (kind, tenant, key, gone)
    WHERE c.gone AND s.kind = c.kind AND s.tenant = c.tenant AND s.key = c.key;
  INSERT INTO side_rows (kind, tenant, key, due_at, value)
  SELECT kind, tenant, key, due, content FROM (
    SELECT DISTINCT ON (c.kind, c.tenant, c.key) c.* FROM unnest(kinds, tenants, keys, contents, dues, gone)
      WITH ORDINALITY c (kind, tenant, key, content, due, gone, i) ORDER BY c.kind, c.tenant, c.key, c.i DESC
  ) last WHERE NOT last.gone
  ON CONFLICT (kind, tenant, key) DO UPDATE SET due_at = excluded.due_at, value = excluded.value;
END $$;

CREATE FUNCTION save_rows(
  me bigint, kinds text[], tenants text[], keys text[], contents text[], dues float8[], gone boolean[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  PERFORM write_rows(kinds, tenants, keys, contents, dues, gone);
END $$;

-- With the revisions that it names, or has named in the moves that it remembers; no content takes it away.
CREATE FUNCTION save_alias(me bigint, id text, called text, content text, numbers int[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  DELETE FROM alias_revisions WHERE task_id = id AND name = called;
  IF content IS NULL THEN
    DELETE FROM task_aliases WHERE task_id = id AND name = called;
    RETURN;
  END IF;
  INSERT INTO task_aliases (task_id, name, alias) VALUES (id, called, content)
    ON CONFLICT (task_id, name) DO UPDATE SET alias = excluded.alias;
  INSERT INTO alias_revisions (task_id, revision, name) SELECT id, n, called FROM unnest(numbers) n
    ON CONFLICT DO NOTHING;
END $$;

CREATE FUNCTION save_batch(me bigint, id text, content text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  UPDATE batches SET batch = content WHERE batch_id = id;
END $$;

-- Those all of whose members ended before; their executions stay.
CREATE FUNCTION forget_batches(me bigint, ended_before float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  WITH gone AS (DELETE FROM batches WHERE completed_at < ended_before RETURNING batch_id)
    DELETE FROM batch_members m USING gone WHERE m.batch_id = gone.batch_id;
END $$;
`;
