/** Durations, instants and sizes in words. Pure. */

/** `340 ms`, `4.2 s`, `1 m 05 s`, `2 h 03 m`, `3 d 04 h`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${ms < 10 && ms % 1 !== 0 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 9_995) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
  return `${Math.floor(minutes / 1440)} d ${two(Math.floor(minutes / 60) % 24)} h`;
}

/** The same for what goes on: `7 s`, without the digits that change faster than anyone reads. */
export function wholeSecondsText(ms: number): string {
  if (ms < 1000) return '< 1 s';
  return ms < 60_000 ? `${Math.floor(ms / 1000)} s` : durationText(Math.floor(ms / 1000) * 1000);
}

/** `now`, `12 s ago`, `5 m ago`, `3 h ago`, `2 d ago`; coarse, for it is read at a glance. */
export function agoText(ms: number): string {
  if (ms < 1500) return 'now';
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

// In the zone that the command and the log of the node have, whatever the reader's is: people compare them.

/** UTC time of day with milliseconds: `14:03:27.512`. Who shows it names the zone. */
export function timeText(instant: number): string {
  return new Date(instant).toISOString().slice(11, 23);
}

/** UTC date and time: `2026-11-22 14:03:27.512 UTC`. */
export function instantText(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 10)} ${timeText(instant)} UTC`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `512 B`, `1.5 KiB`, `64 MiB`. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${units[unit]}`;
}

/** `12,480`: digits in groups, the same for every reader. */
export function countText(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

const two = (value: number) => String(value).padStart(2, '0');
