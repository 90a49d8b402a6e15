/**
 * What waits for a node of the cluster: executions in a line that nobody owns. A grant says which node has one that was
 * given to it, until that holds no slot any more.
 */
export const queueFunctions = `
CREATE TABLE grants (
  execution_id text COLLATE "C" PRIMARY KEY,
  node bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX grants_by_node ON grants (node);
CREATE INDEX executions_unowned ON executions (line, waits_since, execution_id)
  WHERE owner IS NULL AND line IS NOT NULL;
CREATE INDEX executions_unowned_waking ON executions (wakes_at, execution_id)
  WHERE owner IS NULL AND wakes_at IS NOT NULL;

-- Lines are long where keys are: then they are not named.
CREATE FUNCTION say_queued(lines text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE said text := json_build_object('kind', 'queued', 'lines', lines)::text;
BEGIN
  IF octet_length(said) > 7000 THEN said := '{"kind":"queued"}'; END IF;
  PERFORM pg_notify('spear', said);
END $$;

CREATE FUNCTION release_queued(me bigint, ids text[]) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE released text[]; lines text[];
BEGIN
  PERFORM assert_writer(me);
  DELETE FROM grants g WHERE g.execution_id = ANY (ids);
  WITH gone AS (
    UPDATE executions x SET owner = NULL
      WHERE x.execution_id = ANY (ids) AND x.owner = me AND x.line IS NOT NULL
      RETURNING x.execution_id, x.line
  ) SELECT coalesce(array_agg(execution_id), '{}'), coalesce(array_agg(DISTINCT line), '{}') INTO released, lines FROM gone;
  IF cardinality(released) > 0 THEN PERFORM say_queued(lines); END IF;
  RETURN released;
END $$;

-- Members that wait for something else than a slot stay: their lines have the names that restingLineOf gives.
CREATE FUNCTION release_batch(me bigint, id text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE lines text[];
BEGIN
  PERFORM assert_writer(me);
  WITH gone AS (
    UPDATE executions x SET owner = NULL
      WHERE x.batch_id = id AND x.owner = me AND (x.line LIKE '[%' OR x.line LIKE '%/%')
      RETURNING x.line
  ) SELECT coalesce(array_agg(DISTINCT line), '{}') INTO lines FROM gone;
  IF cardinality(lines) > 0 THEN PERFORM say_queued(lines); END IF;
END $$;

CREATE FUNCTION last_position_of(id text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT s.position + s.last_sequence - s.first_sequence FROM segments s WHERE s.execution_id = id
    ORDER BY s.first_sequence DESC LIMIT 1
$$;

-- The position of its last event; nothing where another was first.
CREATE FUNCTION claim_queued(me bigint, id text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  UPDATE executions x SET owner = me WHERE x.execution_id = id AND x.owner IS NULL AND x.line IS NOT NULL;
  IF NOT FOUND THEN RETURN NULL; END IF;
  RETURN coalesce(last_position_of(id), 0);
END $$;

-- One line after the other, each found by its index.
CREATE FUNCTION unowned_lines() RETURNS SETOF text LANGUAGE sql STABLE AS $$
  WITH RECURSIVE l AS (
    (SELECT x.line FROM executions x WHERE x.owner IS NULL AND x.line IS NOT NULL ORDER BY x.line LIMIT 1)
    UNION ALL
    SELECT (SELECT x.line FROM executions x WHERE x.owner IS NULL AND x.line > l.line ORDER BY x.line LIMIT 1)
      FROM l WHERE l.line IS NOT NULL
  ) SELECT line FROM l WHERE line IS NOT NULL
$$;

-- The fence of each node is locked: who fences it waits, and then finds what was given to it.
CREATE FUNCTION give_queued(me bigint, ids text[], nodes bigint[], meters text[], fulls float8[]) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE given text[]; told bigint[];
BEGIN
  PERFORM assert_writer(me);
  PERFORM 1 FROM fences f WHERE f.incarnation = ANY (nodes) ORDER BY f.incarnation FOR KEY SHARE;
  WITH gone AS (
    UPDATE executions x SET owner = g.node FROM unnest(ids, nodes) g (id, node)
      WHERE x.execution_id = g.id AND x.owner IS NULL AND x.line IS NOT NULL
        AND EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = g.node)
      RETURNING x.execution_id, g.node
  ), noted AS (
    INSERT INTO grants (execution_id, node) SELECT execution_id, node FROM gone
      ON CONFLICT (execution_id) DO UPDATE SET node = excluded.node
  ) SELECT coalesce(array_agg(execution_id), '{}'), coalesce(array_agg(DISTINCT node), '{}') INTO given, told FROM gone;
  IF cardinality(meters) > 0 THEN
    INSERT INTO rates (meter, full_at) SELECT m.meter, max(m.full_at) FROM unnest(meters, fulls) m (meter, full_at)
      GROUP BY m.meter ORDER BY m.meter
      ON CONFLICT (meter) DO UPDATE SET full_at = excluded.full_at WHERE excluded.full_at > rates.full_at;
  END IF;
  IF cardinality(given) > 0 THEN
    PERFORM pg_notify('spear', json_build_object('kind', 'granted', 'nodes', told)::text);
  END IF;
  RETURN given;
END $$;

CREATE FUNCTION leave_grants(me bigint, ids text[], own int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  DELETE FROM grants g WHERE g.execution_id = ANY (ids) AND g.node = me;
  PERFORM pg_notify('spear', json_build_object('kind', 'freed', 'node', me, 'own', own, 'ids', ids)::text);
END $$;

CREATE FUNCTION forget_lost_grants(me bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  DELETE FROM grants g WHERE NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = g.node)
    OR NOT EXISTS (SELECT 1 FROM executions x WHERE x.execution_id = g.execution_id AND x.owner = g.node
      AND x.status IN ('pending', 'running'));
END $$;
`;

/** What a node runs of its own reserves so much of what it may hand out. */
export const reservingQueueFunctions = `
CREATE FUNCTION leave_grants(me bigint, ids text[], own int, memory float8, processors float8) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  DELETE FROM grants g WHERE g.execution_id = ANY (ids) AND g.node = me;
  PERFORM pg_notify('spear', json_build_object('kind', 'freed', 'node', me, 'own', own, 'memory', memory,
    'processors', processors, 'ids', ids)::text);
END $$;
`;

/** Whose answer was lost with its connection is called again, maybe after others have gone on. */
export const repeatableQueueFunctions = `
-- A grant that another node has by now stays.
CREATE OR REPLACE FUNCTION release_queued(me bigint, ids text[]) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE released text[]; lines text[];
BEGIN
  PERFORM assert_writer(me);
  WITH gone AS (
    UPDATE executions x SET owner = NULL
      WHERE x.execution_id = ANY (ids) AND x.owner = me AND x.line IS NOT NULL
      RETURNING x.execution_id, x.line
  ), taken AS (
    DELETE FROM grants g USING gone WHERE g.execution_id = gone.execution_id
  ) SELECT coalesce(array_agg(execution_id), '{}'), coalesce(array_agg(DISTINCT line), '{}') INTO released, lines FROM gone;
  IF cardinality(released) > 0 THEN PERFORM say_queued(lines); END IF;
  RETURN released;
END $$;

-- The position of its last event; nothing where another was first.
CREATE OR REPLACE FUNCTION claim_queued(me bigint, id text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  UPDATE executions x SET owner = me
    WHERE x.execution_id = id AND (x.owner IS NULL OR x.owner = me) AND x.line IS NOT NULL;
  IF NOT FOUND THEN RETURN NULL; END IF;
  RETURN coalesce(last_position_of(id), 0);
END $$;

-- What a node has in a line for a slot, and was not given: it may have lost the answer that said so.
CREATE FUNCTION strays_of(me bigint, most int) RETURNS SETOF text LANGUAGE sql STABLE AS $$
  SELECT x.execution_id FROM executions x
    WHERE x.owner = me AND (x.line LIKE '[%' OR x.line LIKE '%/%')
      AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.execution_id = x.execution_id AND g.node = me)
    LIMIT most
$$;
`;
