/** What writes tasks, quotas and what the order of runs remembers, and keeps artifacts. */
export const taskFunctions = `
-- Whether a revision is kept neither for its own sake, as the newest ten of a task with a name are, nor for an alias.
CREATE FUNCTION is_spare(id text, number int) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT NOT EXISTS (SELECT 1 FROM task_names n WHERE n.task_id = id)
    OR ((SELECT count(*) FROM tasks t WHERE t.task_id = id AND t.revision > number) >= 10
      AND NOT EXISTS (SELECT 1 FROM alias_revisions a WHERE a.task_id = id AND a.revision = number))
$$;

CREATE FUNCTION save_revision(
  me bigint, id text, number int, whose text, digest text, size bigint, content text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  INSERT INTO tasks (task_id, revision, tenant, artifact, artifact_bytes, task)
    VALUES (id, number, whose, digest, size, content)
    ON CONFLICT (task_id, revision) DO UPDATE SET tenant = excluded.tenant, artifact = excluded.artifact,
      artifact_bytes = excluded.artifact_bytes, task = excluded.task;
END $$;

-- The name goes to the task, whoever of its tenant had it.
CREATE FUNCTION save_task(
  me bigint, id text, number int, whose text, digest text, size bigint, content text, called text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM save_revision(me, id, number, whose, digest, size, content);
  DELETE FROM task_names WHERE task_id = id;
  INSERT INTO task_names (tenant, name, task_id) VALUES (whose, called, id)
    ON CONFLICT (tenant, name) DO UPDATE SET task_id = excluded.task_id;
END $$;

CREATE FUNCTION delete_task(me bigint, id text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  DELETE FROM task_names WHERE task_id = id;
  DELETE FROM task_aliases WHERE task_id = id;
  DELETE FROM alias_revisions WHERE task_id = id;
END $$;

-- Only one that no execution uses, and that is not the newest; of one that is spare also that.
CREATE FUNCTION delete_revision(me bigint, id text, number int, spare boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  DELETE FROM tasks t WHERE t.task_id = id AND t.revision = number
    AND CASE WHEN spare THEN is_spare(id, number)
      ELSE t.revision < (SELECT max(revision) FROM tasks WHERE task_id = id) END
    AND NOT EXISTS (SELECT 1 FROM executions WHERE task_id = id AND task_revision = number);
  RETURN FOUND;
END $$;

CREATE FUNCTION save_quota(me bigint, whose text, content text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  IF content IS NULL THEN DELETE FROM quotas WHERE tenant = whose;
  ELSE
    INSERT INTO quotas (tenant, quota) VALUES (whose, content)
      ON CONFLICT (tenant) DO UPDATE SET quota = excluded.quota;
  END IF;
END $$;

-- Forgets first, and then writes; says how many buckets were forgotten, a thousand at most.
CREATE FUNCTION save_order(
  me bigint, forgotten text[], nodes text[], uses text[], empty_at float8, full_before float8
) RETURNS int LANGUAGE plpgsql AS $$
DECLARE count int := 0;
BEGIN
  PERFORM assert_writer(me);
  DELETE FROM order_nodes WHERE node = ANY (forgotten);
  INSERT INTO order_nodes (node, use) SELECT * FROM unnest(nodes, uses)
    ON CONFLICT (node) DO UPDATE SET use = excluded.use;
  IF empty_at IS NOT NULL THEN
    INSERT INTO rates (meter, full_at) VALUES ('', empty_at)
      ON CONFLICT (meter) DO UPDATE SET full_at = excluded.full_at WHERE excluded.full_at > rates.full_at;
  END IF;
  IF full_before IS NOT NULL THEN
    DELETE FROM rates WHERE meter IN (
      SELECT meter FROM rates WHERE full_at <= full_before AND meter <> '' LIMIT 1000);
    GET DIAGNOSTICS count = ROW_COUNT;
  END IF;
  RETURN count;
END $$;

CREATE FUNCTION put_artifact_part(me bigint, digest text, number int, content bytea) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  INSERT INTO artifacts (sha256, part, put_at, bytes) VALUES (digest, number, clock_timestamp(), content)
    ON CONFLICT (sha256, part) DO UPDATE SET put_at = excluded.put_at, bytes = excluded.bytes;
END $$;

-- Those that no revision names, and that were last put so long ago.
CREATE FUNCTION remove_artifacts(me bigint, unused_ms float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  DELETE FROM artifacts a WHERE NOT EXISTS (SELECT 1 FROM tasks t WHERE t.artifact = a.sha256)
    AND NOT EXISTS (SELECT 1 FROM artifacts p WHERE p.sha256 = a.sha256
      AND extract(epoch FROM clock_timestamp() - p.put_at) * 1000 < unused_ms);
END $$;
`;
