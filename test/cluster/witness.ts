/** What programs say of themselves beside their output: who ran when, in the order in which it happened. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/**
 * `beat FILE BEATS PAUSE FAILURES LANE`: each line goes behind all others in one write, and has the name of the attempt,
 * the time since the machine was started in seconds, and `begin`, `beat`, `end` or `fail`. So many attempts fail. What
 * goes into the file of the execution goes into that of the lane, if there is one.
 */
export const beatScript = `file=$1 beats=$2 pause=$3 failures=\${4:-0} lane=\${5:-}
read -r me </proc/sys/kernel/random/uuid
say() {
  read -r up rest </proc/uptime
  [ -z "$lane" ] || echo "$me $up $1" >>"$lane"
  echo "$me $up $1" >>"$file"
}
say begin
beat=0
while [ $beat -lt "$beats" ]; do
  beat=$((beat + 1))
  say beat
  echo "$beat"
  sleep "$pause"
done
if [ "$(grep -c 'fail$' "$file")" -lt "$failures" ]; then
  say fail
  exit 3
fi
say end
`;

export interface Beat {
  /** Of each attempt its own. */
  readonly attempt: string;
  /** Seconds since the machine was started. */
  readonly at: number;
  /** `begin`, `beat`, `end` or `fail`. */
  readonly what: string;
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
    await writeFile(witness.program, `#!/bin/sh\n${beatScript}`);
    // A process task runs as a user that owns nothing.
    for (const path of [witness.folder, witness.program]) await chmod(path, 0o755);
    return witness;
  }

  /** A file for the beats of one execution, or of a lane, which every user may write to. */
  file(): string {
    this.#files += 1;
    const path = join(this.folder, `beats-${this.#files}`);
    writeFileSync(path, '');
    chmodSync(path, 0o666);
    return path;
  }

  /** The same file as a guest has it whose folder is given as `/witness`. */
  inside(file: string): string {
    return `/witness/${basename(file)}`;
  }

  beats(file: string): Beat[] {
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => {
      const [attempt = '', up = '', what = ''] = line.split(' ');
      return { attempt, at: Number(up), what };
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
