/** What each node has written, in its order, for those that follow all of them. */
export const positionFunctions = `
CREATE UNIQUE INDEX segments_by_writer ON segments (writer, position);

-- Of each other node: what it has written from a position of its own on, at most so many parts, and the next position.
-- One that is not named is followed from the end of what it has written.
CREATE FUNCTION changes_of_others(me bigint, writers bigint[], firsts bigint[], most int)
RETURNS TABLE (writer bigint, execution_id text, next bigint) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT n.incarnation, s.execution_id, coalesce(s.next, w.first, n.next_position, f.next_position)
    FROM nodes n
    LEFT JOIN fences f USING (incarnation)
    LEFT JOIN unnest(writers, firsts) w (writer, first) ON w.writer = n.incarnation
    LEFT JOIN LATERAL (
      SELECT t.execution_id, t.position + t.last_sequence - t.first_sequence + 1 AS next
      FROM segments t WHERE t.writer = w.writer AND t.position >= w.first ORDER BY t.position LIMIT most
    ) s ON true
    WHERE n.incarnation <> me
      AND (f.incarnation IS NOT NULL OR n.fenced_at > clock_timestamp() - interval '1 min');
END $$;
`;
