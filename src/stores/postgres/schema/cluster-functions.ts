/** Several nodes on one database: who they are, what each does for all, and who has what. */
import { commitFunction } from './commit-function.ts';
import { patched } from './patched.ts';

/** Any number that no other program takes for its own lock, and that is not that of migrations. */
const joining = 0x53_70_65_61_73;

/** A batch belongs to whoever has accepted it. */
export const ownedCommitFunction = patched(commitFunction, [
  ['CREATE FUNCTION commit_entries(', 'CREATE OR REPLACE FUNCTION commit_entries('],
  [
    'INSERT INTO batches (batch_id, tenant, invocation_id, members, batch)',
    'INSERT INTO batches (owner, batch_id, tenant, invocation_id, members, batch)',
  ],
  ['VALUES (made[1], made[2],', 'VALUES (me, made[1], made[2],'],
]);

/** Several nodes hear of the ends of a supervised batch: who was not the first reads again what is said of it. */
export const supervisingCommitFunction = patched(ownedCommitFunction, [
  [
    'UPDATE batches b SET batch = supervised[2] WHERE b.batch_id = supervised[1];',
    `UPDATE batches b SET batch = supervised[2] WHERE b.batch_id = supervised[1] AND b.batch = supervised[3];
    IF NOT FOUND THEN RAISE EXCEPTION '["changed"]' USING ERRCODE = 'SP003'; END IF;`,
  ],
]);

export const clusterFunctions = `
ALTER TABLE nodes
  ADD COLUMN name text COLLATE "C" NOT NULL DEFAULT '',
  -- JSON, which only nodes read.
  ADD COLUMN labels text NOT NULL DEFAULT '{}',
  ADD COLUMN capacity text NOT NULL DEFAULT '{}',
  ADD COLUMN load text NOT NULL DEFAULT '{}',
  ADD COLUMN fenced_at timestamptz,
  -- It was told to stop.
  ADD COLUMN planned boolean NOT NULL DEFAULT false;
UPDATE nodes n SET name = n.node_id, fenced_at =
  CASE WHEN NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = n.incarnation) THEN clock_timestamp() END;

ALTER TABLE batches ADD COLUMN owner bigint;
UPDATE batches SET owner = (SELECT max(n.incarnation) FROM nodes n);

CREATE INDEX executions_by_owner ON executions (owner, execution_id) WHERE status IN ('pending', 'running');
-- Each node reads its own lines.
DROP INDEX executions_waiting;
CREATE INDEX executions_waiting ON executions (owner, line, waits_since, execution_id) WHERE line IS NOT NULL;
DROP INDEX executions_waking;
CREATE INDEX executions_waking ON executions (owner, wakes_at, execution_id) WHERE wakes_at IS NOT NULL;

-- Work that one node does for all: its holder has it as long as it may write.
CREATE TABLE leases (name text COLLATE "C" PRIMARY KEY, holder bigint NOT NULL, epoch bigint NOT NULL);

-- Its lease first: a renewal that comes at the same time either counts before, or finds that it is over.
CREATE OR REPLACE FUNCTION fence_node(other bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE next bigint;
BEGIN
  PERFORM 1 FROM nodes n WHERE n.incarnation = other FOR UPDATE;
  DELETE FROM fences f WHERE f.incarnation = other RETURNING f.next_position INTO next;
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE nodes n SET next_position = next, fenced_at = clock_timestamp() WHERE n.incarnation = other;
  RETURN true;
END $$;

-- Takes the right to write from those whose lease is over; says who they were.
CREATE FUNCTION fence_expired(me bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE other bigint; gone text[] := '{}';
BEGIN
  PERFORM assert_writer(me);
  FOR other IN SELECT n.incarnation FROM nodes n JOIN fences f USING (incarnation)
    WHERE n.lease_until < clock_timestamp() AND n.incarnation <> me ORDER BY 1
  LOOP
    PERFORM 1 FROM nodes n WHERE n.incarnation = other AND n.lease_until < clock_timestamp() FOR UPDATE;
    IF FOUND AND fence_node(other) THEN
      gone := gone || (SELECT json_build_array(n.incarnation, n.name)::text FROM nodes n WHERE n.incarnation = other);
    END IF;
  END LOOP;
  RETURN '[' || array_to_string(gone, ',') || ']';
END $$;

-- Makes those of the executions its own that have nobody; says which of them are. It may be asked twice.
CREATE FUNCTION claim_orphans(me bigint, ids text[])
RETURNS TABLE (record text, line text, waits_since float8, wakes_at float8, last_position bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM assert_writer(me);
  UPDATE executions x SET owner = me FROM (
    SELECT y.execution_id FROM executions y
    WHERE y.execution_id = ANY (ids) AND y.owner IS NOT NULL AND y.status IN ('pending', 'running')
      AND NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = y.owner)
    ORDER BY y.execution_id FOR UPDATE SKIP LOCKED
  ) free WHERE x.execution_id = free.execution_id;
  RETURN QUERY SELECT x.record, x.line, x.waits_since, x.wakes_at, (
      SELECT s.position + s.last_sequence - s.first_sequence FROM segments s WHERE s.execution_id = x.execution_id
      ORDER BY s.first_sequence DESC LIMIT 1)
    FROM executions x
    WHERE x.execution_id = ANY (ids) AND x.owner = me AND x.status IN ('pending', 'running')
    ORDER BY x.execution_id;
END $$;

-- Makes unfinished batches its own that have nobody; false where there are none.
CREATE FUNCTION claim_batches(me bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  UPDATE batches b SET owner = me FROM (
    SELECT o.batch_id FROM batches o WHERE o.completed_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = o.owner)
    ORDER BY o.batch_id FOR UPDATE SKIP LOCKED
  ) free WHERE b.batch_id = free.batch_id;
  RETURN FOUND;
END $$;

-- Gives the right to write back; what it leaves was not lost by accident.
CREATE FUNCTION leave_cluster(me bigint, was_told boolean) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE nodes n SET planned = was_told WHERE n.incarnation = me;
  RETURN fence_node(me);
END $$;

DROP FUNCTION register_node(text, int);

-- For what only the holder of a lease may write: nobody else gets it before this transaction has ended.
CREATE FUNCTION assert_lease(called text, me bigint, number bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  PERFORM 1 FROM leases l WHERE l.name = called AND l.holder = me AND l.epoch = number FOR SHARE;
  IF NOT FOUND THEN RAISE EXCEPTION 'lease % is not held', called USING ERRCODE = 'SP004'; END IF;
END $$;

-- Begins an incarnation. What the same node was before is fenced, and what it had is this one's. Where another node of
-- that name has its right to write, nothing is begun, and its id is in rival.
CREATE FUNCTION join_cluster(id text, called text, at_address text, its_labels text, its_capacity text, ttl_ms int,
  OUT me bigint, OUT first_position bigint, OUT rival text)
LANGUAGE plpgsql AS $$
DECLARE before bigint[];
BEGIN
  -- Not the table: the others renew their leases meanwhile.
  PERFORM pg_advisory_xact_lock(${joining});
  SELECT n.node_id INTO rival FROM nodes n JOIN fences f USING (incarnation)
    WHERE n.name = called AND n.node_id <> id AND n.lease_until >= clock_timestamp() LIMIT 1;
  IF rival IS NOT NULL THEN RETURN; END IF;
  SELECT coalesce(array_agg(n.incarnation), '{}') INTO before FROM nodes n WHERE n.node_id = id;
  PERFORM fence_node(n) FROM unnest(before) n;
  first_position := greatest(1, (SELECT max(n.next_position) FROM nodes n), (SELECT max(f.next_position) FROM fences f));
  me := nextval('incarnations');
  INSERT INTO nodes (incarnation, node_id, name, address, labels, capacity, lease_until)
    VALUES (me, id, called, at_address, its_labels, its_capacity, clock_timestamp() + ttl_ms * interval '1 ms');
  INSERT INTO fences (incarnation, next_position) VALUES (me, first_position);
  UPDATE executions x SET owner = me WHERE x.owner = ANY (before) AND x.status IN ('pending', 'running');
  UPDATE batches b SET owner = me WHERE b.owner = ANY (before) AND b.completed_at IS NULL;
  -- What is long over, and left nothing, is kept by its position alone.
  DELETE FROM nodes n WHERE n.next_position < first_position
    AND NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = n.incarnation)
    AND NOT EXISTS (
      SELECT 1 FROM executions x WHERE x.owner = n.incarnation AND x.status IN ('pending', 'running'));
END $$;

-- A late renewal counts while the fence stands; nothing where it does not. Those of the wanted leases that nobody holds
-- are taken. Says who may write, and the epochs of the leases that this node holds.
CREATE FUNCTION renew_node(me bigint, ttl_ms int, told text, wanted text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  UPDATE nodes n SET lease_until = clock_timestamp() + ttl_ms * interval '1 ms', load = told
    WHERE n.incarnation = me AND n.fenced_at IS NULL;
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF EXISTS (
    SELECT 1 FROM unnest(wanted) w LEFT JOIN leases l ON l.name = w
    WHERE l.name IS NULL OR NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = l.holder)
  ) THEN
    INSERT INTO leases AS l (name, holder, epoch) SELECT w, me, 1 FROM unnest(wanted) w ORDER BY w
      ON CONFLICT (name) DO UPDATE SET holder = me, epoch = l.epoch + 1
      WHERE NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = l.holder);
  END IF;
  RETURN json_build_object(
    'peers', (SELECT json_agg(json_build_array(n.incarnation, n.node_id, n.name, n.address, n.labels, n.capacity, n.load,
        n.lease_until >= clock_timestamp()) ORDER BY n.incarnation)
      FROM nodes n JOIN fences f USING (incarnation)),
    'leases', (SELECT coalesce(json_agg(json_build_array(l.name, l.epoch)), '[]') FROM leases l WHERE l.holder = me)
  )::text;
END $$;
`;
