import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** What a page of a tenant's executions keeps in the database, and which files beside it. */
interface StoredPage {
  readonly bytes: number;
  /** Digests of inputs that are files. */
  readonly files: readonly string[];
  /** The last of the page; undefined where there is none behind it. */
  readonly last: string | undefined;
}

/** Counts what tenants keep. Of a log it believes what the record says of its output. */
export class StoredBytesReader {
  readonly #blobs: string;
  readonly #page: StatementSync;
  readonly #artifacts: StatementSync;

  /** `blobs` is the folder of large inputs. */
  constructor(db: DatabaseSync, blobs: string) {
    this.#blobs = blobs;
    this.#page = db.prepare(
      `SELECT e.execution_id, i.invocation_sha256, i.input_sha256,
         octet_length(e.record) + coalesce(octet_length(i.invocation), 0) + coalesce(octet_length(i.input), 0)
         + CASE WHEN json_valid(e.record) AND e.record ->> '$.oldestSequence' IS NULL
             THEN coalesce(e.record ->> '$.outputBytes', 0) ELSE 0 END AS bytes
       FROM executions AS e LEFT JOIN inputs AS i USING (execution_id)
       WHERE e.tenant = ? AND e.execution_id > ? ORDER BY e.execution_id LIMIT ?`,
    );
    this.#artifacts = db.prepare(
      `SELECT sum(bytes) AS bytes FROM (
         SELECT DISTINCT artifact, task ->> '$.definition.artifact.sizeBytes' AS bytes FROM tasks
         WHERE tenant = ? AND artifact IS NOT NULL AND task ->> '$.definition.artifact.kind' = 'wasm')`,
    );
  }

  /** Of at most `limit` executions behind `afterId`. */
  page(tenant: string, afterId: string, limit: number): StoredPage {
    const rows = this.#page.all(tenant, afterId, limit);
    const files = rows.flatMap(({ invocation_sha256, input_sha256 }) =>
      [invocation_sha256, input_sha256].filter((sha256) => typeof sha256 === 'string'),
    );
    const bytes = rows.reduce((sum, row) => sum + Number(row.bytes), 0);
    const last = rows.length < limit ? undefined : String(rows.at(-1)?.execution_id);
    return { bytes, files, last };
  }

  artifacts(tenant: string): number {
    return Number(this.#artifacts.get(tenant)?.bytes ?? 0);
  }

  /** Of files that may be gone meanwhile. */
  async files(digests: readonly string[]): Promise<number> {
    const sizes = digests.map((sha256) =>
      stat(join(this.#blobs, sha256)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }
}
