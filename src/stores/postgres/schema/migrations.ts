import { clusterFunctions, ownedCommitFunction, supervisingCommitFunction } from './cluster-functions.ts';
import { commitFunction } from './commit-function.ts';
import { givingFunctions } from './giving-functions.ts';
import { heirFunctions } from './heir-functions.ts';
import { keyedFunctions } from './keyed-functions.ts';
import { membershipFunctions } from './membership-functions.ts';
import { plainCommitFunction } from './plain-commit-function.ts';
import { positionFunctions } from './position-functions.ts';
import { queueFunctions, repeatableQueueFunctions, reservingQueueFunctions } from './queue-functions.ts';
import { quickerTakeoverFunctions } from './quicker-takeover-functions.ts';
import { lostStages, removalFunctions } from './removal-functions.ts';
import { rowFunctions } from './row-functions.ts';
import { sharedBreakpoints, sharedFunctions, sharedQuarantines } from './shared-functions.ts';
import { takeoverFunctions } from './takeover-functions.ts';
import { taskFunctions } from './task-functions.ts';
import { turnFunctions } from './turn-functions.ts';

/**
 * Migration i leads from version i to i + 1. What has been released is never edited. Texts that are compared are so by
 * their bytes, as everywhere else: ids and names do not sort by a language.
 */
export const migrations: readonly string[] = [
  `
  CREATE SEQUENCE incarnations;

  -- Each start of a node is an incarnation, which is never used again.
  CREATE TABLE nodes (
    incarnation bigint PRIMARY KEY,
    node_id text COLLATE "C" NOT NULL,
    address text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_until timestamptz NOT NULL,
    -- When its fence went: the first position that none of its events has.
    next_position bigint
  ) WITH (fillfactor = 50);

  -- The right to write: who deletes the row has fenced the incarnation, once its commits in flight have ended.
  CREATE TABLE fences (
    incarnation bigint PRIMARY KEY,
    -- The last commit and its answer, for a writer that has not heard it.
    commit_no bigint NOT NULL DEFAULT 0,
    answer text NOT NULL DEFAULT '',
    next_position bigint NOT NULL
  ) WITH (fillfactor = 20);

  -- One row for each log. It has a record, or is staged, or waits for one.
  CREATE TABLE executions (
    execution_id text COLLATE "C" PRIMARY KEY,
    owner bigint,
    last_sequence int NOT NULL,
    staged boolean NOT NULL DEFAULT false,
    -- Of log and input, and 2048 for its record and what it is found by.
    bytes bigint NOT NULL,
    tenant text COLLATE "C",
    task_id text COLLATE "C",
    task_revision int,
    status text COLLATE "C",
    created_at float8,
    -- From when on a finished one counts as kept.
    kept_since float8,
    -- How it counts for those that follow it: completed, failed or moved.
    ended_as text COLLATE "C",
    line text COLLATE "C",
    waits_since float8,
    wakes_at float8,
    batch_id text COLLATE "C",
    record text
  ) WITH (fillfactor = 70);
  CREATE INDEX executions_by_task ON executions (task_id, execution_id, task_revision);
  CREATE INDEX executions_by_tenant ON executions (tenant, execution_id);
  CREATE INDEX executions_by_status ON executions (status, execution_id) WHERE status <> 'completed';
  CREATE INDEX executions_waiting ON executions (line, waits_since, execution_id) WHERE line IS NOT NULL;
  CREATE INDEX executions_waking ON executions (wakes_at, execution_id) WHERE wakes_at IS NOT NULL;
  CREATE INDEX executions_by_batch ON executions (batch_id, status, execution_id) WHERE batch_id IS NOT NULL;
  CREATE INDEX executions_staged ON executions (execution_id) WHERE staged;

  CREATE TABLE execution_labels (
    tenant text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    execution_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, key, value, execution_id)
  );
  CREATE INDEX execution_labels_by_execution ON execution_labels (execution_id);

  -- Event i of a row has first_sequence + i and position + i. A writer's positions have no gap, and begin behind all
  -- that there were when it was registered.
  CREATE TABLE segments (
    execution_id text COLLATE "C" NOT NULL,
    first_sequence int NOT NULL,
    last_sequence int NOT NULL,
    writer bigint NOT NULL,
    position bigint NOT NULL,
    meta text NOT NULL,
    data bytea,
    PRIMARY KEY (execution_id, first_sequence)
  );
  ALTER TABLE segments ALTER COLUMN data SET STORAGE EXTERNAL;
  CREATE UNIQUE INDEX segments_by_position ON segments (position, writer);

  CREATE TABLE claims (
    tenant text COLLATE "C" NOT NULL,
    invocation_id text COLLATE "C" NOT NULL,
    execution_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, invocation_id)
  );
  CREATE INDEX claims_by_execution ON claims (execution_id);

  -- Who follows whom, until who follows is deleted, and the ends that it fails for; active until it has ended. And who
  -- waits for that.
  CREATE TABLE dependencies (
    dependency_id text COLLATE "C" NOT NULL,
    dependant_id text COLLATE "C" NOT NULL,
    fails_for text NOT NULL,
    active boolean NOT NULL,
    PRIMARY KEY (dependency_id, dependant_id)
  );
  CREATE INDEX dependencies_active ON dependencies (dependency_id) WHERE active;
  CREATE INDEX dependencies_by_dependant ON dependencies (dependant_id);
  CREATE TABLE blocked (
    execution_id text COLLATE "C" PRIMARY KEY,
    open int NOT NULL,
    failed_by text COLLATE "C",
    released boolean NOT NULL
  );
  CREATE INDEX blocked_released ON blocked (execution_id) WHERE released;

  -- Batches. The members say how they ended, also when their records are gone.
  CREATE TABLE batches (
    batch_id text COLLATE "C" PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    invocation_id text COLLATE "C",
    members int NOT NULL,
    ended int NOT NULL DEFAULT 0,
    completed int NOT NULL DEFAULT 0,
    failed int NOT NULL DEFAULT 0,
    cancelled int NOT NULL DEFAULT 0,
    timed_out int NOT NULL DEFAULT 0,
    completed_at float8,
    batch text NOT NULL
  );
  CREATE UNIQUE INDEX batches_by_invocation ON batches (tenant, invocation_id) WHERE invocation_id IS NOT NULL;
  CREATE INDEX batches_by_tenant ON batches (tenant, batch_id);
  CREATE INDEX batches_unfinished ON batches (batch_id) WHERE completed_at IS NULL;
  CREATE INDEX batches_by_end ON batches (completed_at) WHERE completed_at IS NOT NULL;
  CREATE TABLE batch_members (
    batch_id text COLLATE "C" NOT NULL,
    member int NOT NULL,
    execution_id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    layer int NOT NULL,
    follows text NOT NULL,
    status text COLLATE "C",
    error_code text COLLATE "C",
    ended_at float8,
    sequence int,
    PRIMARY KEY (batch_id, member)
  );
  CREATE UNIQUE INDEX batch_endings ON batch_members (batch_id, sequence) WHERE sequence IS NOT NULL;

  CREATE TABLE inputs (
    execution_id text COLLATE "C" PRIMARY KEY,
    invocation text NOT NULL,
    input bytea NOT NULL
  );
  ALTER TABLE inputs ALTER COLUMN input SET STORAGE EXTERNAL;

  CREATE TABLE tasks (
    task_id text COLLATE "C" NOT NULL,
    revision int NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    -- Of what runs: its digest, and, of WebAssembly, its bytes.
    artifact text COLLATE "C",
    artifact_bytes bigint,
    task text NOT NULL,
    PRIMARY KEY (task_id, revision)
  );
  CREATE INDEX tasks_by_artifact ON tasks (artifact);
  -- A deleted task is one without a name.
  CREATE TABLE task_names (
    tenant text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    task_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, name)
  );
  CREATE INDEX task_names_by_task ON task_names (task_id);

  -- Names for revisions of tasks, and the revisions that each names, or has named in the moves that it remembers.
  CREATE TABLE task_aliases (
    task_id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    alias text NOT NULL,
    PRIMARY KEY (task_id, name)
  );
  CREATE TABLE alias_revisions (
    task_id text COLLATE "C" NOT NULL,
    revision int NOT NULL,
    name text COLLATE "C" NOT NULL,
    PRIMARY KEY (task_id, revision, name)
  );

  -- What makes executions or follows from them, as its owner writes it: a row each, found by its key or when it is due.
  CREATE TABLE side_rows (
    kind text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    due_at float8,
    value text NOT NULL,
    PRIMARY KEY (kind, tenant, key)
  );
  CREATE INDEX side_rows_due ON side_rows (kind, due_at, tenant, key) WHERE due_at IS NOT NULL;

  CREATE TABLE quotas (tenant text COLLATE "C" PRIMARY KEY, quota text NOT NULL);

  -- What the order of runs remembers. The rate without a name says when those that have no row were empty.
  CREATE TABLE order_nodes (node text COLLATE "C" PRIMARY KEY, use text NOT NULL);
  CREATE TABLE rates (meter text COLLATE "C" PRIMARY KEY, full_at float8 NOT NULL);
  CREATE INDEX rates_by_instant ON rates (full_at);

  -- In parts of 1 MiB.
  CREATE TABLE artifacts (
    sha256 text COLLATE "C" NOT NULL,
    part int NOT NULL,
    put_at timestamptz NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (sha256, part)
  );
  ALTER TABLE artifacts ALTER COLUMN bytes SET STORAGE EXTERNAL;

  -- Every write but a commit begins with it: nobody can take this node's right away before it has ended.
  CREATE FUNCTION assert_writer(me bigint) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM 1 FROM fences WHERE incarnation = me FOR KEY SHARE;
    IF NOT FOUND THEN RAISE EXCEPTION 'fenced' USING ERRCODE = 'SP001'; END IF;
  END $$;
  ${membershipFunctions}
  ${commitFunction}
  ${removalFunctions}
  ${taskFunctions}
  ${rowFunctions}
  `,
  `
  ${clusterFunctions}
  ${ownedCommitFunction}
  `,
  `
  ${sharedFunctions}
  ${queueFunctions}
  `,
  positionFunctions,
  repeatableQueueFunctions,
  reservingQueueFunctions,
  takeoverFunctions,
  supervisingCommitFunction,
  givingFunctions,
  sharedBreakpoints,
  heirFunctions,
  turnFunctions,
  keyedFunctions,
  plainCommitFunction,
  quickerTakeoverFunctions,
  sharedQuarantines,
  lostStages,
];

/** The version that this program writes. */
export const schemaVersion = migrations.length;
