/**
 * Builds `dist/`, which is what the package ships: Node strips no types under node_modules. JavaScript for every
 * source file, the generated code and the visualizer's page as they are, and the two preview-1 adapters with their
 * licence.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
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

const jco = join(modules, '@bytecodealliance/jco/lib');
const adapters = join(dist, 'adapters');
mkdirSync(adapters);
for (const kind of ['command', 'reactor']) {
  const file = `wasi_snapshot_preview1.${kind}.wasm`;
  copyFileSync(join(jco, file), join(adapters, file));
}
// jco's own package leaves the licence of its repository out; this one is from the same repository.
copyFileSync(join(modules, '@bytecodealliance/jco-transpile/LICENSE'), join(adapters, 'LICENSE'));

const main = join(dist, 'src/cli/main.js');
if (!existsSync(main)) throw new Error(`the build has no ${main}`);
process.stdout.write(`built ${dirname(main)} and ${adapters}\n`);
