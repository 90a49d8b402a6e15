/**
 * What nodes keep in memory of what any of them may change: each change has a number, in the order of their commits, and
 * each node says up to which it has seen them.
 */
export const sharedFunctions = `
CREATE TABLE shared (one boolean PRIMARY KEY DEFAULT true CHECK (one), revision bigint NOT NULL);
INSERT INTO shared (revision) VALUES (0);
CREATE TABLE shared_changes (
  revision bigint PRIMARY KEY,
  kind text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE shared_seen (incarnation bigint PRIMARY KEY, revision bigint NOT NULL) WITH (fillfactor = 20);

-- The row of the counter is locked until the commit: who has seen a number has seen all before it.
CREATE FUNCTION note_change(what text, which text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE next bigint;
BEGIN
  UPDATE shared SET revision = revision + 1 RETURNING revision INTO next;
  INSERT INTO shared_changes (revision, kind, key) VALUES (next, what, which);
  PERFORM pg_notify('spear', '{"kind":"shared"}');
END $$;

CREATE FUNCTION note_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN PERFORM note_change('task', OLD.task_id); END IF;
  IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND OLD.task_id <> NEW.task_id) THEN
    PERFORM note_change('task', NEW.task_id);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER shared_names AFTER INSERT OR UPDATE OR DELETE ON task_names
  FOR EACH ROW EXECUTE FUNCTION note_task();
CREATE TRIGGER shared_aliases AFTER INSERT OR UPDATE OR DELETE ON task_aliases
  FOR EACH ROW EXECUTE FUNCTION note_task();

CREATE FUNCTION note_quota() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM note_change('quota', CASE WHEN TG_OP = 'DELETE' THEN OLD.tenant ELSE NEW.tenant END);
  RETURN NULL;
END $$;
CREATE TRIGGER shared_quotas AFTER INSERT OR UPDATE OR DELETE ON quotas
  FOR EACH ROW EXECUTE FUNCTION note_quota();

-- Only if its name has what it is to follow, or nothing: false where another node was first. What was saved so already
-- is saved again: an answer may have been lost.
CREATE FUNCTION save_task_after(
  me bigint, id text, number int, whose text, digest text, size bigint, content text, called text,
  before_id text, before_revision int
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE has_id text; has_revision int;
BEGIN
  PERFORM assert_writer(me);
  PERFORM 1 FROM shared FOR UPDATE;
  SELECT n.task_id, max(t.revision) INTO has_id, has_revision FROM task_names n JOIN tasks t USING (task_id)
    WHERE n.tenant = whose AND n.name = called GROUP BY n.task_id;
  IF (has_id, has_revision) IS DISTINCT FROM (before_id, before_revision) AND NOT (
    has_id = id AND has_revision = number AND EXISTS (
      SELECT 1 FROM tasks t WHERE t.task_id = id AND t.revision = number AND t.task = content)
  ) THEN RETURN false; END IF;
  PERFORM save_task(me, id, number, whose, digest, size, content, called);
  RETURN true;
END $$;

CREATE FUNCTION say_seen(me bigint, upto bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO shared_seen (incarnation, revision) VALUES (me, upto)
    ON CONFLICT (incarnation) DO UPDATE SET revision = excluded.revision;
  DELETE FROM shared_seen s WHERE NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = s.incarnation);
  DELETE FROM shared_changes WHERE changed_at < clock_timestamp() - interval '1 hour';
END $$;

-- Whether all that live have seen that one. Who has not said anything yet has read nothing yet; who has not renewed its
-- lease looks before it acts again.
CREATE FUNCTION all_have_seen(upto bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT NOT EXISTS (SELECT 1 FROM shared_seen s JOIN fences f USING (incarnation) JOIN nodes n USING (incarnation)
    WHERE s.revision < upto AND n.lease_until > clock_timestamp())
$$;
`;

/** Nodes hear of changes of the rows beside the executions that are of that kind. */
const notesOf = (kind: 'breakpoint' | 'quarantine') => `
CREATE FUNCTION note_${kind}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM note_change('${kind}', CASE WHEN TG_OP = 'DELETE' THEN OLD.key ELSE NEW.key END);
  RETURN NULL;
END $$;
CREATE TRIGGER shared_${kind}s AFTER INSERT OR UPDATE ON side_rows
  FOR EACH ROW WHEN (NEW.kind = '${kind}') EXECUTE FUNCTION note_${kind}();
CREATE TRIGGER shared_${kind}s_gone AFTER DELETE ON side_rows
  FOR EACH ROW WHEN (OLD.kind = '${kind}') EXECUTE FUNCTION note_${kind}();
`;

export const sharedBreakpoints = notesOf('breakpoint');
export const sharedQuarantines = notesOf('quarantine');
