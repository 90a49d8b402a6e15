/** `describe` and `it` of what needs a Docker engine: skipped, with the reason, where none answers. */
import { it } from 'vitest';
import { describeWhere, dockerEngine } from '../../support/needs.ts';

const missing = await dockerEngine();

export function describeDocker(name: string, tests: () => void): void {
  describeWhere([missing], name, tests);
}

export function itDocker(name: string, test: () => Promise<void>, timeoutMs?: number): void {
  if (missing === '') it(name, test, timeoutMs);
  else it.skip(`${name} (skipped: ${missing})`, test);
}
