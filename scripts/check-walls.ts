/** Fails where a source imports what its room does not allow; see `walls.ts`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path/posix';
import { violationsOf } from './walls.ts';

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((name) => join('src', name))
  .filter((file) => /\.tsx?$/.test(file) && !file.includes('/gen/'));

const violations = sources.flatMap((file) => violationsOf(file, readFileSync(file, 'utf8')));
for (const { file, specifier, rule } of violations) console.error(`${file} imports ${specifier}: ${rule}`);
if (violations.length > 0) process.exitCode = 1;
