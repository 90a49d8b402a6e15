/**
 * All of a commit in one statement: a writer that stops in the middle of it leaves nothing open, and its right to write
 * cannot be taken away in between.
 *
 * 1. Its fence row is locked. A commit that has been made already gets the answer that was lost.
 * 2. Entries are written in runs, in none of which an execution comes twice. Keys are claimed first, of logs that stand
 *    where their writer thinks; then logs that are there move on, by owner and sequence at once, and new ones begin.
 * 3. What hangs on an entry that was written follows.
 *
 * Texts and bytes of all entries come end to end in \`blob\`, each by its place and length: a parameter of bytes needs
 * no escapes on its way. The answer is a JSON array of the entries that were refused, empty where none was.
 */
export const commitFunction = `
CREATE FUNCTION commit_entries(
  me bigint, no bigint, base bigint, staging boolean,
  runs int[], ids text[], expected int[], counts int[], known boolean[], bytes bigint[],
  record_at int[], record_length int[], tenants text[], task_ids text[], revisions int[], statuses text[],
  created float8[], kept float8[], lines text[], since float8[], wakes float8[],
  keys text[], invocation_at int[], invocation_length int[], input_at int[], input_length int[],
  segment_entry int[], firsts int[], lasts int[], offsets int[],
  meta_at int[], meta_length int[], data_at int[], data_length int[],
  label_entry int[], label_keys text[], label_values text[],
  meter_entry int[], meters text[], full_at float8[],
  row_entry int[], row_kinds text[], row_tenants text[], row_keys text[], row_values text[], row_due float8[],
  row_deleted boolean[],
  ends text[], dependency_entry int[], dependency_ids text[], fails_for text[], blocks int[], unblocks int[],
  leaves int[], batch_ids text[], made text[], member_entry int[], member_numbers int[], member_names text[],
  member_layers int[], member_follows text[], ending_entry int[], ending_batches text[], ending_members int[],
  ending_statuses text[], ending_codes text[], ended_at float8[], supervised text[], blob bytea
) RETURNS text LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  mine fences%ROWTYPE;
  total int := coalesce((SELECT max(r) FROM unnest(runs) r), 0);
  keyed boolean := coalesce((SELECT bool_or(k IS NOT NULL) FROM unnest(keys) k), false);
  run int;
  candidates int[];
  lost int[] := '{}';
  missing int[] := '{}';
  follows int[];
  good int[];
  more int[];
  wrong int[];
  bad int[] := '{}';
  refused text[] := '{}';
  said text[];
  reply text;
BEGIN
  SELECT * INTO mine FROM fences f WHERE f.incarnation = me FOR NO KEY UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'fenced' USING ERRCODE = 'SP001'; END IF;
  IF mine.commit_no = no THEN RETURN mine.answer; END IF;
  IF mine.commit_no <> no - 1 THEN
    RAISE EXCEPTION 'commit % does not follow %', no, mine.commit_no USING ERRCODE = 'SP002';
  END IF;

  -- A batch: its id, tenant, key, how many members it has, and what is said of it. All of it is made, or nothing.
  IF cardinality(made) > 0 THEN
    SELECT json_build_array('batch', b.batch_id)::text INTO reply FROM batches b
      WHERE b.tenant = made[2] AND b.invocation_id = made[3];
    IF FOUND THEN RAISE EXCEPTION '%', reply USING ERRCODE = 'SP003'; END IF;
    INSERT INTO batches (batch_id, tenant, invocation_id, members, batch)
      VALUES (made[1], made[2], made[3], made[4]::int, made[5]);
  END IF;

  FOR run IN 1..total LOOP
    candidates := '{}';
    SELECT coalesce(array_agg(DISTINCT d), '{}') INTO follows FROM unnest(dependency_entry) d WHERE runs[d] = run;
    IF cardinality(follows) > 0 THEN
      -- Whoever ends one of them meanwhile waits for this commit, and finds then who follows it.
      PERFORM 1 FROM executions x WHERE x.execution_id IN (
        SELECT d.id FROM unnest(dependency_entry, dependency_ids) d (entry, id) WHERE d.entry = ANY (follows)
      ) ORDER BY x.execution_id FOR SHARE;
      SELECT coalesce(array_agg(DISTINCT d.entry), '{}') INTO missing
        FROM unnest(dependency_entry, dependency_ids) d (entry, id)
        LEFT JOIN executions x ON x.execution_id = d.id AND x.record IS NOT NULL
        WHERE d.entry = ANY (follows) AND x.execution_id IS NULL;
    END IF;
    IF keyed THEN
      SELECT coalesce(array_agg(e.i), '{}') INTO candidates
      FROM unnest(runs, ids, expected, keys) WITH ORDINALITY e (r, id, exp, key, i)
      LEFT JOIN executions x ON x.execution_id = e.id
      WHERE e.r = run AND e.key IS NOT NULL AND NOT e.i = ANY (missing)
        AND coalesce(x.last_sequence, 0) = e.exp
        AND (x.owner IS NULL OR x.owner = me OR NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = x.owner));
      -- In one order: batches of several nodes would wait for each other otherwise.
      INSERT INTO claims
        SELECT coalesce(tenants[c], 'default'), keys[c], ids[c] FROM unnest(candidates) c
        ORDER BY 1, 2, c ON CONFLICT DO NOTHING;
      SELECT coalesce(array_agg(c), '{}') INTO lost FROM unnest(candidates) c
        JOIN claims k ON k.tenant = coalesce(tenants[c], 'default') AND k.invocation_id = keys[c]
        WHERE k.execution_id <> ids[c];
    END IF;

    WITH moved AS (
      UPDATE executions x SET
        owner = me, last_sequence = e.exp + e.cnt, bytes = x.bytes + e.size, staged = x.staged AND e.at IS NULL,
        record = CASE WHEN e.at IS NULL THEN x.record ELSE convert_from(substr(blob, e.at, e.len), 'UTF8') END,
        tenant = coalesce(e.tenant, x.tenant), task_id = coalesce(e.task, x.task_id),
        task_revision = coalesce(e.revision, x.task_revision), status = coalesce(e.status, x.status),
        created_at = coalesce(e.created, x.created_at),
        kept_since = CASE WHEN e.at IS NULL THEN x.kept_since ELSE e.kept END,
        ended_as = CASE WHEN e.at IS NULL THEN x.ended_as ELSE e.ended END,
        line = CASE WHEN e.at IS NULL THEN x.line ELSE e.line END,
        waits_since = CASE WHEN e.at IS NULL THEN x.waits_since ELSE e.since END,
        wakes_at = CASE WHEN e.at IS NULL THEN x.wakes_at ELSE e.wakes END
      FROM (
        SELECT * FROM unnest(runs, ids, expected, counts, known, bytes, record_at, record_length, tenants, task_ids,
          revisions, statuses, created, kept, lines, since, wakes, ends)
          WITH ORDINALITY e (r, id, exp, cnt, known, size, at, len, tenant, task, revision, status, created, kept,
            line, since, wakes, ended, i)
        WHERE e.r = run AND e.known AND NOT e.i = ANY (lost || missing) ORDER BY e.id
      ) e
      WHERE x.execution_id = e.id AND x.last_sequence = e.exp AND (NOT staging OR (x.staged AND x.record IS NULL))
        AND (x.owner = me OR NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = x.owner))
      RETURNING e.i
    )
    SELECT coalesce(array_agg(i), '{}') INTO good FROM moved;

    WITH fresh AS (
      INSERT INTO executions (execution_id, owner, last_sequence, staged, bytes, tenant, task_id, task_revision, status,
        created_at, kept_since, ended_as, line, waits_since, wakes_at, batch_id, record)
      SELECT e.id, me, e.cnt, staging, e.size, e.tenant, e.task, e.revision, e.status, e.created, e.kept, e.ended, e.line,
        e.since, e.wakes, e.batch, CASE WHEN e.at IS NOT NULL THEN convert_from(substr(blob, e.at, e.len), 'UTF8') END
      FROM unnest(runs, ids, counts, known, bytes, record_at, record_length, tenants, task_ids, revisions, statuses,
        created, kept, lines, since, wakes, ends, batch_ids)
        WITH ORDINALITY e (r, id, cnt, known, size, at, len, tenant, task, revision, status, created, kept, line, since,
          wakes, ended, batch, i)
      WHERE e.r = run AND NOT e.known AND NOT e.i = ANY (lost || missing) ORDER BY e.id
      ON CONFLICT DO NOTHING RETURNING execution_id
    )
    SELECT coalesce(array_agg(e.i), '{}') INTO more FROM fresh f
      JOIN unnest(runs, ids, known) WITH ORDINALITY e (r, id, known, i)
        ON e.id = f.execution_id AND e.r = run AND NOT e.known;
    good := good || more;

    IF cardinality(good) < (SELECT count(*) FROM unnest(runs) r WHERE r = run) THEN
      SELECT coalesce(array_agg(e.i), '{}') INTO wrong FROM unnest(runs) WITH ORDINALITY e (r, i)
        WHERE e.r = run AND NOT e.i = ANY (good);
      -- Another node has begun the same one meanwhile: with that known, all of it is done again.
      IF EXISTS (SELECT 1 FROM unnest(wrong) w WHERE w = ANY (candidates) AND NOT w = ANY (lost)) THEN
        RAISE EXCEPTION 'begun meanwhile' USING ERRCODE = '40001';
      END IF;
      SELECT array_agg(CASE
          WHEN coalesce(x.last_sequence, 0) <> expected[w] OR staging
            THEN json_build_array(w - 1, 'sequence', coalesce(x.last_sequence, 0))
          WHEN k.execution_id <> ids[w] THEN json_build_array(w - 1, 'invocation', k.execution_id)
          WHEN w = ANY (missing) THEN json_build_array(w - 1, 'dependency', (
            SELECT d.id FROM unnest(dependency_entry, dependency_ids) WITH ORDINALITY d (entry, id, i)
            WHERE d.entry = w AND NOT EXISTS (
              SELECT 1 FROM executions y WHERE y.execution_id = d.id AND y.record IS NOT NULL)
            ORDER BY d.i LIMIT 1))
          ELSE json_build_array(w - 1, 'owner')
        END::text) INTO said
      FROM unnest(wrong) w
      LEFT JOIN executions x ON x.execution_id = ids[w]
      LEFT JOIN claims k ON k.tenant = coalesce(tenants[w], 'default') AND k.invocation_id = keys[w];
      refused := refused || said;
      bad := bad || wrong;
    END IF;

    IF cardinality(follows) > 0 THEN
      INSERT INTO dependencies (dependency_id, dependant_id, fails_for, active)
      SELECT d.id, ids[d.entry], d.fails, ends[d.entry] IS NULL
      FROM unnest(dependency_entry, dependency_ids, fails_for) d (entry, id, fails)
      WHERE d.entry = ANY (follows) AND d.entry = ANY (good) ON CONFLICT DO NOTHING;
      INSERT INTO blocked (execution_id, open, failed_by, released)
      SELECT id, open, failed_by, open = 0 OR failed_by IS NOT NULL FROM (
        SELECT ids[d.entry] AS id, count(*) FILTER (WHERE x.ended_as IS NULL) AS open,
          (array_agg(d.id ORDER BY d.i) FILTER (WHERE x.ended_as = ANY (string_to_array(d.fails, ','))))[1] AS failed_by
        FROM unnest(dependency_entry, dependency_ids, fails_for) WITH ORDINALITY d (entry, id, fails, i)
        JOIN executions x ON x.execution_id = d.id
        WHERE d.entry = ANY (follows) AND d.entry = ANY (good) AND d.entry = ANY (blocks) GROUP BY d.entry
      ) counted ON CONFLICT DO NOTHING;
    END IF;
    IF EXISTS (SELECT 1 FROM dependencies d WHERE d.active) THEN
      DELETE FROM blocked b USING unnest(unblocks) u
        WHERE runs[u] = run AND u = ANY (good) AND b.execution_id = ids[u];
      UPDATE dependencies d SET active = false FROM unnest(leaves) l
        WHERE runs[l] = run AND l = ANY (good) AND d.dependant_id = ids[l] AND d.active;
      UPDATE blocked b SET open = b.open - s.ended, failed_by = coalesce(b.failed_by, s.failed),
        released = b.open <= s.ended OR b.failed_by IS NOT NULL OR s.failed IS NOT NULL
      FROM (
        SELECT d.dependant_id, count(*) AS ended,
          (array_agg(e.id ORDER BY e.i) FILTER (WHERE e.ended = ANY (string_to_array(d.fails_for, ','))))[1] AS failed
        FROM unnest(runs, ids, ends) WITH ORDINALITY e (r, id, ended, i)
        JOIN dependencies d ON d.dependency_id = e.id AND d.active
        WHERE e.r = run AND e.ended IS NOT NULL AND e.i = ANY (good) GROUP BY d.dependant_id
      ) s WHERE b.execution_id = s.dependant_id;
    END IF;
  END LOOP;

  IF cardinality(made || supervised) > 0 AND cardinality(refused) > 0 THEN
    RAISE EXCEPTION '%', refused[1] USING ERRCODE = 'SP003';
  END IF;
  IF cardinality(supervised) > 0 THEN
    UPDATE batches b SET batch = supervised[2] WHERE b.batch_id = supervised[1];
  END IF;
  IF cardinality(member_entry) > 0 THEN
    INSERT INTO batch_members (batch_id, member, execution_id, name, layer, follows)
    SELECT batch_ids[m.entry], m.number, ids[m.entry], m.name, m.layer, m.follows
    FROM unnest(member_entry, member_numbers, member_names, member_layers, member_follows)
      m (entry, number, name, layer, follows)
    WHERE NOT m.entry = ANY (bad)
    -- A member that begins again.
    ON CONFLICT (batch_id, member) DO UPDATE SET execution_id = excluded.execution_id;
  END IF;
  -- A member's end is counted, and has its number in the log of the batch.
  IF cardinality(ending_entry) > 0 THEN
    PERFORM 1 FROM batches b WHERE b.batch_id = ANY (ending_batches)
      ORDER BY b.batch_id FOR UPDATE;
    WITH ending AS (
      SELECT m.batch_id, m.member, e.status, e.code, e.at,
        b.ended + row_number() OVER (PARTITION BY m.batch_id ORDER BY e.i) AS sequence
      FROM unnest(ending_entry, ending_batches, ending_members, ending_statuses, ending_codes, ended_at)
        WITH ORDINALITY e (entry, id, number, status, code, at, i)
      JOIN batches b ON b.batch_id = e.id
      JOIN batch_members m ON m.batch_id = b.batch_id AND m.member = e.number AND m.sequence IS NULL
      WHERE NOT e.entry = ANY (bad)
    ), told AS (
      UPDATE batch_members m SET status = e.status, error_code = e.code, ended_at = e.at, sequence = e.sequence
      FROM ending e WHERE m.batch_id = e.batch_id AND m.member = e.member
    )
    UPDATE batches b SET ended = b.ended + s.ended, completed = b.completed + s.completed,
      failed = b.failed + s.failed, cancelled = b.cancelled + s.cancelled, timed_out = b.timed_out + s.timed_out,
      completed_at = CASE WHEN b.ended + s.ended >= b.members THEN s.last END
    FROM (
      SELECT batch_id, count(*) AS ended, count(*) FILTER (WHERE status = 'completed') AS completed,
        count(*) FILTER (WHERE status = 'failed') AS failed,
        count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
        count(*) FILTER (WHERE status = 'timedOut') AS timed_out, (array_agg(at ORDER BY sequence DESC))[1] AS last
      FROM ending GROUP BY batch_id
    ) s WHERE b.batch_id = s.batch_id;
  END IF;

  INSERT INTO segments (execution_id, first_sequence, last_sequence, writer, position, meta, data)
  SELECT ids[s.entry], s.first, s.last, me,
    base + s.off - coalesce((SELECT sum(counts[b]) FROM unnest(bad) b WHERE b < s.entry), 0),
    convert_from(substr(blob, s.meta_at, s.meta_len), 'UTF8'),
    CASE WHEN s.data_at IS NOT NULL THEN substr(blob, s.data_at, s.data_len) END
  FROM unnest(segment_entry, firsts, lasts, offsets, meta_at, meta_length, data_at, data_length)
    s (entry, first, last, off, meta_at, meta_len, data_at, data_len)
  WHERE NOT s.entry = ANY (bad);

  -- The first input of an execution stays.
  INSERT INTO inputs (execution_id, invocation, input)
  SELECT e.id, convert_from(substr(blob, e.text_at, e.text_len), 'UTF8'), substr(blob, e.input_at, e.input_len)
  FROM unnest(ids, invocation_at, invocation_length, input_at, input_length)
    WITH ORDINALITY e (id, text_at, text_len, input_at, input_len, i)
  WHERE e.text_at IS NOT NULL AND NOT e.i = ANY (bad) ORDER BY e.i ON CONFLICT DO NOTHING;

  IF cardinality(label_entry) > 0 THEN
    INSERT INTO execution_labels (tenant, key, value, execution_id)
    SELECT tenants[l.entry], l.key, l.value, ids[l.entry]
    FROM unnest(label_entry, label_keys, label_values) l (entry, key, value)
    WHERE NOT l.entry = ANY (bad) ON CONFLICT DO NOTHING;
  END IF;
  -- A bucket is full no sooner than it was.
  IF cardinality(meter_entry) > 0 THEN
    INSERT INTO rates (meter, full_at)
    SELECT m.meter, max(m.full_at) FROM unnest(meter_entry, meters, full_at) m (entry, meter, full_at)
    WHERE NOT m.entry = ANY (bad) GROUP BY m.meter ORDER BY m.meter
    ON CONFLICT (meter) DO UPDATE SET full_at = excluded.full_at WHERE excluded.full_at > rates.full_at;
  END IF;

  IF EXISTS (SELECT 1 FROM unnest(row_entry) r WHERE NOT r = ANY (bad)) THEN
    PERFORM write_rows(array_agg(r.kind ORDER BY r.i), array_agg(r.tenant ORDER BY r.i), array_agg(r.key ORDER BY r.i),
      array_agg(r.value ORDER BY r.i), array_agg(r.due ORDER BY r.i), array_agg(r.gone ORDER BY r.i))
    FROM unnest(row_entry, row_kinds, row_tenants, row_keys, row_values, row_due, row_deleted)
      WITH ORDINALITY r (entry, kind, tenant, key, value, due, gone, i)
    WHERE NOT r.entry = ANY (bad);
  END IF;

  reply := CASE WHEN cardinality(refused) = 0 THEN '' ELSE '[' || array_to_string(refused, ',') || ']' END;
  UPDATE fences SET commit_no = no, answer = reply,
    next_position = base + (SELECT coalesce(sum(c), 0) FROM unnest(counts) c)
      - coalesce((SELECT sum(counts[b]) FROM unnest(bad) b), 0)
  WHERE incarnation = me;
  RETURN reply;
END $$;
`;
