import type { DatabaseSync } from 'node:sqlite';

function pragma(db: DatabaseSync, name: 'page_count' | 'freelist_count' | 'page_size'): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** Of the database, without pages that are free for what comes. */
export function bytesInUse(db: DatabaseSync): number {
  return (pragma(db, 'page_count') - pragma(db, 'freelist_count')) * pragma(db, 'page_size');
}

/** Of pages that what comes can use without that the file grows. */
export function freeBytes(db: DatabaseSync): number {
  return pragma(db, 'freelist_count') * pragma(db, 'page_size');
}
