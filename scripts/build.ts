/** Builds `dist/`, which is what the package ships: Node strips no types under node_modules. */
import { fileURLToPath } from 'node:url';
import { buildProgram } from './program.ts';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
await buildProgram(dist);
process.stdout.write(`built ${dist}\n`);
