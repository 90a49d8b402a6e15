/** Builds `dist/`, which is what the package ships, with the manual page: Node strips no types under node_modules. */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { manual } from './manual.ts';
import { buildProgram } from './program.ts';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
await buildProgram(dist);
await mkdir(`${dist}/man`);
await writeFile(`${dist}/man/spear.1`, manual());
process.stdout.write(`built ${dist}\n`);
