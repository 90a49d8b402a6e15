/** Instants by the clocks of a time zone. */
import { durationText } from '../model/quantity.ts';

/** The reader's own zone, as the browser has it. */
export function readerZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** `Tue, 1 Dec 2026, 02:30:00 GMT+01:00`; a zone that the browser does not know is told in UTC. */
export function zonedText(instant: number, zone: string): string {
  const known = formats.get(zone) ?? formatOf(zone);
  formats.set(zone, known);
  return known.format(instant);
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const fields: Intl.DateTimeFormatOptions = {
    ...{ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
    timeZoneName: zone === 'UTC' ? 'short' : 'longOffset',
  };
  try {
    return new Intl.DateTimeFormat('en-GB', { ...fields, timeZone: zone });
  } catch {
    // The node has newer zones than the browser.
    return new Intl.DateTimeFormat('en-GB', { ...fields, timeZone: 'UTC', timeZoneName: 'short' });
  }
}

/** `in 5 m 20 s`; what should have come already is `now`. */
export function untilText(ms: number): string {
  return ms < 1000 ? 'now' : `in ${durationText(Math.floor(ms / 1000) * 1000)}`;
}
