/** A node that is drained to another one: what it leaves is that one's alone, as long as that may write. */
import { clusterFunctions } from './cluster-functions.ts';
import { givingFunctions } from './giving-functions.ts';
import { patched, replaced } from './patched.ts';

export const heirFunctions = `
-- The run of a node to which an administrator has this one give what it has.
ALTER TABLE nodes ADD COLUMN heir bigint;

-- False where that node may not write any more.
CREATE FUNCTION name_heir(me bigint, other bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_writer(me);
  PERFORM 1 FROM fences f WHERE f.incarnation = other FOR KEY SHARE;
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE nodes n SET heir = other WHERE n.incarnation = me;
  RETURN true;
END $$;

-- Whether what a run of a node leaves is somebody else's.
CREATE FUNCTION is_of_another(run bigint, me bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM nodes n JOIN fences f ON f.incarnation = n.heir
    WHERE n.incarnation = run AND n.heir <> me)
$$;

${patched(replaced(givingFunctions, 'take_orphans'), [
  [
    "y.owner IS NOT NULL AND y.status IN ('pending', 'running')",
    "y.owner IS NOT NULL AND y.status IN ('pending', 'running') AND NOT is_of_another(y.owner, me)",
  ],
])}

${patched(replaced(clusterFunctions, 'claim_batches'), [
  ['WHERE o.completed_at IS NULL', 'WHERE o.completed_at IS NULL AND NOT is_of_another(o.owner, me)'],
])}

-- What runs as it begins anew it may be able to follow again.
${patched(replaced(clusterFunctions, 'join_cluster'), [
  [
    "WHERE x.owner = ANY (before) AND x.status IN ('pending', 'running');",
    "WHERE x.owner = ANY (before) AND (x.status = 'running' OR x.status = 'pending' AND NOT is_of_another(x.owner, me));",
  ],
  [
    'WHERE b.owner = ANY (before) AND b.completed_at IS NULL;',
    'WHERE b.owner = ANY (before) AND b.completed_at IS NULL AND NOT is_of_another(b.owner, me);',
  ],
])}
`;
