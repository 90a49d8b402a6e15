/** Instants as dates and texts: nothing here asks what time it is. */

/** `instant` is in milliseconds since the epoch. */
export function dateAt(instant: number): Date {
  return new Date(instant);
}

/** ISO 8601 in UTC, with milliseconds: `2026-05-31T12:00:00.000Z`. */
export function isoInstant(instant: number): string {
  return dateAt(instant).toISOString();
}
