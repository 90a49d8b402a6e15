/** Who may write. Leases count by the clock of the engine, which all nodes share. */
export const membershipFunctions = `
-- Takes the right to write from an incarnation, once its commits in flight have ended; false where it had none.
CREATE FUNCTION fence_node(other bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE next bigint;
BEGIN
  DELETE FROM fences f WHERE f.incarnation = other RETURNING f.next_position INTO next;
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE nodes n SET next_position = next WHERE n.incarnation = other;
  RETURN true;
END $$;

-- Begins an incarnation. What the same node was before is fenced, and so is whose lease is over; where another lives,
-- nothing is begun, and its name is in rival.
CREATE FUNCTION register_node(id text, ttl_ms int, OUT me bigint, OUT first_position bigint, OUT rival text)
LANGUAGE plpgsql AS $$
BEGIN
  LOCK TABLE nodes IN SHARE ROW EXCLUSIVE MODE;
  PERFORM fence_node(n.incarnation) FROM nodes n JOIN fences f USING (incarnation)
    WHERE n.node_id = id OR n.lease_until < clock_timestamp();
  SELECT n.node_id INTO rival FROM nodes n JOIN fences f USING (incarnation) ORDER BY n.incarnation LIMIT 1;
  IF rival IS NOT NULL THEN RETURN; END IF;
  first_position := greatest(1, (SELECT max(n.next_position) FROM nodes n));
  me := nextval('incarnations');
  INSERT INTO nodes (incarnation, node_id, lease_until)
    VALUES (me, id, clock_timestamp() + ttl_ms * interval '1 ms');
  INSERT INTO fences (incarnation, next_position) VALUES (me, first_position);
  -- What is long over is kept by its position alone.
  DELETE FROM nodes n WHERE n.next_position < first_position AND NOT EXISTS (
    SELECT 1 FROM fences f WHERE f.incarnation = n.incarnation);
END $$;

-- A late renewal counts while the fence stands; false where it does not.
CREATE FUNCTION renew_lease(me bigint, ttl_ms int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE nodes n SET lease_until = clock_timestamp() + ttl_ms * interval '1 ms'
    WHERE n.incarnation = me AND EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = me);
  RETURN FOUND;
END $$;
`;
