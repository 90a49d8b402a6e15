import type { DatabaseSync } from 'node:sqlite';

function pragma(db: DatabaseSync, name: 'page_count' | 'freelist_count' | 'page_size'): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** Bytes of the database file that are in use, free pages not counted. */
export function bytesInUse(db: DatabaseSync): number {
  return (pragma(db, 'page_count') - pragma(db, 'freelist_count')) * pragma(db, 'page_size');
}

/** Bytes of free pages: what is written next can use them before the file grows. */
export function freeBytes(db: DatabaseSync): number {
  return pragma(db, 'freelist_count') * pragma(db, 'page_size');
}
