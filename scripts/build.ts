/** Builds `dist/`, which is what the package ships: Node strips no types under node_modules. */
import { fileURLToPath } from 'node:url';
import { buildClient } from './client-package.ts';
import { buildProgram } from './program.ts';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
await buildProgram(dist);
await buildClient(dist);
process.stdout.write(`built ${dist}\n`);
