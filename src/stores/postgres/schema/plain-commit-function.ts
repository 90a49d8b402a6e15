/**
 * The commit of most calls, in four statements: entries that hang on nothing else than their own log, record, input and
 * invocation id. Each entry, segment, input and claim is a row of its kind, as a parameter costs its own time, also where
 * it is empty.
 *
 * It does all of a commit or nothing: where anything is in the way, `commit_entries` says what. So an entry that is not
 * where its writer thinks, and one that another execution waits for, are refused here as a whole.
 */
export const plainCommitFunction = `
-- Texts and bytes are places in the blob, and lengths there.
CREATE TYPE plain_entry AS (
  id text, before int, events int, size bigint, record_at int, record_length int, tenant text, task text, revision int,
  status text, created float8, kept float8, ended text, line text, since float8, wakes float8);
CREATE TYPE plain_segment AS (
  id text, first int, last int, "position" bigint, meta_at int, meta_length int, data_at int, data_length int);
CREATE TYPE plain_input AS (id text, text_at int, text_length int, input_at int, input_length int);
CREATE TYPE plain_claim AS (tenant text, key text, id text);

-- False where the right to write is gone, or the commit has been made, or does not follow the last one.
CREATE FUNCTION commit_plain(me bigint, no bigint, next bigint, moved plain_entry[], fresh plain_entry[],
  segments plain_segment[], inputs plain_input[], claims plain_claim[], blob bytea) RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE done int;
BEGIN
  UPDATE fences f SET commit_no = no, answer = '', next_position = next
    WHERE f.incarnation = me AND f.commit_no = no - 1;
  IF NOT FOUND THEN RETURN false; END IF;

  IF cardinality(claims) > 0 THEN
    -- In one order: batches of several nodes would wait for each other otherwise.
    INSERT INTO claims (tenant, invocation_id, execution_id)
      SELECT c.tenant, c.key, c.id FROM unnest(claims) c ORDER BY 1, 2;
  END IF;

  IF cardinality(moved) > 0 THEN
    UPDATE executions x SET last_sequence = e.before + e.events, bytes = x.bytes + e.size,
      record = CASE WHEN e.record_at IS NULL THEN x.record
        ELSE convert_from(substr(blob, e.record_at, e.record_length), 'UTF8') END,
      tenant = coalesce(e.tenant, x.tenant), task_id = coalesce(e.task, x.task_id),
      task_revision = coalesce(e.revision, x.task_revision), status = coalesce(e.status, x.status),
      created_at = coalesce(e.created, x.created_at),
      kept_since = CASE WHEN e.record_at IS NULL THEN x.kept_since ELSE e.kept END,
      ended_as = CASE WHEN e.record_at IS NULL THEN x.ended_as ELSE e.ended END,
      line = CASE WHEN e.record_at IS NULL THEN x.line ELSE e.line END,
      waits_since = CASE WHEN e.record_at IS NULL THEN x.waits_since ELSE e.since END,
      wakes_at = CASE WHEN e.record_at IS NULL THEN x.wakes_at ELSE e.wakes END
    FROM (SELECT * FROM unnest(moved) m ORDER BY m.id) e
    WHERE x.execution_id = e.id AND x.last_sequence = e.before AND x.owner = me AND x.record IS NOT NULL;
    GET DIAGNOSTICS done = ROW_COUNT;
    -- Who begins to follow one of them meanwhile waits for this commit; who has begun to is seen from here on.
    IF done < cardinality(moved) OR EXISTS (
      SELECT 1 FROM unnest(moved) e JOIN dependencies d ON d.dependency_id = e.id AND d.active WHERE e.ended IS NOT NULL
    ) THEN RAISE EXCEPTION 'not plain' USING ERRCODE = 'SP005'; END IF;
  END IF;

  IF cardinality(fresh) > 0 THEN
    INSERT INTO executions (execution_id, owner, last_sequence, bytes, tenant, task_id, task_revision, status, created_at,
      kept_since, ended_as, line, waits_since, wakes_at, record)
    SELECT e.id, me, e.events, e.size, e.tenant, e.task, e.revision, e.status, e.created, e.kept, e.ended, e.line, e.since,
      e.wakes, convert_from(substr(blob, e.record_at, e.record_length), 'UTF8')
    FROM unnest(fresh) e;
  END IF;

  INSERT INTO segments (execution_id, first_sequence, last_sequence, writer, "position", meta, data)
  SELECT s.id, s.first, s.last, me, s.position, convert_from(substr(blob, s.meta_at, s.meta_length), 'UTF8'),
    CASE WHEN s.data_at IS NOT NULL THEN substr(blob, s.data_at, s.data_length) END
  FROM unnest(segments) s;

  IF cardinality(inputs) > 0 THEN
    INSERT INTO inputs (execution_id, invocation, input)
    SELECT i.id, convert_from(substr(blob, i.text_at, i.text_length), 'UTF8'), substr(blob, i.input_at, i.input_length)
    FROM unnest(inputs) i;
  END IF;
  RETURN true;
END $$;
`;
