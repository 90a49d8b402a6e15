/**
 * Executions that have not ended and whose task says what becomes of others with the same value of a key: each value of
 * a key of theirs, as a digest of its JSON, which holds any text.
 */
const isKeyed = (row: string) => `${row}.record LIKE '%"whenFull":"%'`;

export const keyedFunctions = `
CREATE TABLE keyed_executions (
  key text COLLATE "C" NOT NULL,
  execution_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (key, execution_id)
);
CREATE INDEX keyed_executions_by_id ON keyed_executions (execution_id);

CREATE FUNCTION key_digest(tenant json, key json, value json) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT md5(coalesce(tenant::text, '"default"') || '/' || key::text || '=' || value::text)
$$;

CREATE FUNCTION note_keyed(id text, content text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO keyed_executions (key, execution_id)
  SELECT key_digest(content::json -> 'tenant', g -> 'key', g -> 'value'), id
  FROM json_array_elements(content::json -> 'gates') g WHERE g -> 'whenFull' IS NOT NULL
  ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION keyed_comes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM note_keyed(NEW.execution_id, NEW.record);
  RETURN NULL;
END $$;
CREATE FUNCTION keyed_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM keyed_executions k WHERE k.execution_id = NEW.execution_id;
  RETURN NULL;
END $$;
CREATE TRIGGER keyed_comes AFTER INSERT ON executions FOR EACH ROW WHEN (${isKeyed('NEW')})
  EXECUTE FUNCTION keyed_comes();
-- One that was staged has its record later.
CREATE TRIGGER keyed_is_there AFTER UPDATE ON executions FOR EACH ROW
  WHEN (OLD.record IS NULL AND ${isKeyed('NEW')}) EXECUTE FUNCTION keyed_comes();
CREATE TRIGGER keyed_goes AFTER UPDATE ON executions FOR EACH ROW
  WHEN (NEW.status NOT IN ('pending', 'running') AND ${isKeyed('NEW')}) EXECUTE FUNCTION keyed_goes();

SELECT note_keyed(x.execution_id, x.record) FROM executions x
  WHERE x.status IN ('pending', 'running') AND ${isKeyed('x')};
`;
