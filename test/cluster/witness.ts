/** What programs say of themselves beside their output: who ran when, by a clock that all processes of a machine share. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `beat FILE BEATS PAUSE`: writes its execution, its attempt, and the time since the machine was started, in hundredths
 * of a second, once for each beat; each line in one write that goes behind all others.
 */
const program = `#!/bin/sh
file=$1 beats=$2 pause=$3
read -r me </proc/sys/kernel/random/uuid
beat=0
while [ $beat -lt "$beats" ]; do
  beat=$((beat + 1))
  read -r up rest </proc/uptime
  echo "$me $up" >>"$file"
  echo "$beat"
  sleep "$pause"
done
`;

export interface Beat {
  /** Of each attempt its own. */
  readonly attempt: string;
  /** Seconds since the machine was started. */
  readonly at: number;
}

export class Witness {
  readonly folder: string;
  readonly program: string;
  #files = 0;

  private constructor(folder: string) {
    this.folder = folder;
    this.program = join(folder, 'beat');
  }

  static async make(): Promise<Witness> {
    const witness = new Witness(await mkdtemp(join(tmpdir(), 'spear-cluster-')));
    await writeFile(witness.program, program);
    // A process task runs as a user that owns nothing.
    for (const path of [witness.folder, witness.program]) await chmod(path, 0o755);
    return witness;
  }

  /** A file for the beats of one execution, which every user may write to. */
  file(): string {
    this.#files += 1;
    const path = join(this.folder, `beats-${this.#files}`);
    writeFileSync(path, '');
    chmodSync(path, 0o666);
    return path;
  }

  beats(file: string): Beat[] {
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => {
      const [attempt = '', up = ''] = line.split(' ');
      return { attempt, at: Number(up) };
    });
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/** Attempts of which one was not over when the next began; in words. */
export function overlaps(beats: readonly Beat[]): string[] {
  const wrong: string[] = [];
  const over = new Set<string>();
  let now = '';
  for (const { attempt, at } of beats) {
    if (attempt === now) continue;
    if (over.has(attempt)) wrong.push(`${attempt} went on at ${at}, after ${now} had begun`);
    if (now !== '') over.add(now);
    now = attempt;
  }
  return wrong;
}
