/**
 * Builds `dist/`, which is what the package ships: Node strips no types under node_modules. JavaScript for every
 * source file, and the generated code and the visualizer's page as they are.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const modules = join(root, 'node_modules');

rmSync(dist, { recursive: true, force: true });
execFileSync(join(modules, '.bin', 'tsc'), ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });

// tsc compiles against the declarations of the generated code and does not copy what they declare.
cpSync(join(root, 'src/server/gen'), join(dist, 'src/server/gen'), {
  recursive: true,
  filter: (path) => !path.endsWith('.d.ts'),
});
cpSync(join(root, 'src/visualizer/gen'), join(dist, 'src/visualizer/gen'), { recursive: true });

const main = join(dist, 'src/cli/main.js');
if (!existsSync(main)) throw new Error(`the build has no ${main}`);
process.stdout.write(`built ${dirname(main)}\n`);
