import type { DatabaseSync } from 'node:sqlite';

/** Digests of the files in `blobs/` that executions need. */
export function inputNames(db: DatabaseSync): string[] {
  return digests(
    db,
    `SELECT input_sha256 AS sha256 FROM inputs WHERE input_sha256 IS NOT NULL
     UNION SELECT invocation_sha256 FROM inputs WHERE invocation_sha256 IS NOT NULL`,
  );
}

/** Digests of the files in `artifacts/` that revisions of tasks need: of wasm, as processes run files of the host. */
export function artifactNames(db: DatabaseSync): string[] {
  return digests(
    db,
    `SELECT DISTINCT artifact AS sha256 FROM tasks
     WHERE artifact IS NOT NULL AND task ->> '$.definition.artifact.kind' = 'wasm'`,
  );
}

function digests(db: DatabaseSync, sql: string): string[] {
  return db
    .prepare(sql)
    .all()
    .map((row) => row.sha256 as string);
}
