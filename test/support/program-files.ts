import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const built = process.env.SPEAR_TEST_PROGRAM;

/** The command, as `program.ts` made it; in a checkout where nobody did, as in a bench. */
export const launcher =
  built === undefined ? fileURLToPath(new URL('../../bin/spear', import.meta.url)) : join(built, 'bin/spear');

/** The server alone, for Node. */
export const serverMain =
  built === undefined
    ? fileURLToPath(new URL('../../src/main.ts', import.meta.url))
    : join(built, 'dist/node.js');

/** The command, for Node. */
export const commandMain =
  built === undefined
    ? fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
    : join(built, 'dist/spear.js');
