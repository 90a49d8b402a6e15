import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

/** Of this program, such as `0.1.0`. */
export function packageVersion(): string {
  const file = findPackageJSON('..', import.meta.url);
  if (file === undefined) return 'unknown';
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}
