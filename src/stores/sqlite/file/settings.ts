/** A backup or a check may hold the database for a moment, in milliseconds. */
export const busyTimeoutMs = 1000;
/** On the node's own thread, which nothing may hold up: what has to wait longer is given to the writer's. */
export const shortBusyTimeoutMs = 20;

/**
 * For every connection. No mmap: an I/O error on a mapped page is a SIGBUS, which ends the node instead of a call.
 */
export const settings = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA cache_size = -65536;
  PRAGMA temp_store = MEMORY;
  PRAGMA journal_size_limit = 67108864;
`;
