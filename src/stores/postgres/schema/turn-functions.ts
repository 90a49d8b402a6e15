/** What nodes do to one thing, one after the other. */
export const turnFunctions = `
CREATE TABLE turns (key text COLLATE "C" PRIMARY KEY, holder bigint NOT NULL) WITH (fillfactor = 50);

-- False while another node has it that may write.
CREATE FUNCTION take_turn(me bigint, called text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  INSERT INTO turns AS t (key, holder) VALUES (called, me)
    ON CONFLICT (key) DO UPDATE SET holder = me
    WHERE t.holder = me OR NOT EXISTS (SELECT 1 FROM fences f WHERE f.incarnation = t.holder);
  RETURN FOUND;
END $$;

CREATE FUNCTION give_turn_back(me bigint, called text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  DELETE FROM turns t WHERE t.key = called AND t.holder = me;
END $$;
`;
