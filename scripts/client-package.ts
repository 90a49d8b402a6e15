/** Makes what `spear/client` is in the package: one file for the Node of whoever imports it, and its types. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { specifiersOf } from './walls.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Writes `client.js` and `types/`. Rejects where something does not build. */
export async function buildClient(dist: string): Promise<void> {
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    // Whoever imports it may have them, too.
    ssr: { noExternal: true, external: ['@bufbuild/protobuf', '@grpc/grpc-js'], target: 'node' },
    build: {
      ssr: true,
      // The oldest that package.json names.
      target: 'node20',
      outDir: dist,
      emptyOutDir: false,
      minify: false,
      rolldownOptions: {
        input: { client: join(root, 'src/client/main.ts') },
        output: { entryFileNames: '[name].js', codeSplitting: false },
      },
    },
  });
  const types = join(dist, 'types');
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.client.json', '--outDir', types], {
    cwd: root,
    stdio: 'inherit',
  });
  // tsc reads declarations that are there and does not copy them.
  cpSync(join(root, 'src/server/gen'), join(types, 'src/server/gen'), {
    recursive: true,
    filter: (path) => !path.endsWith('.js'),
  });
  keepReachable(types, join(types, 'src/client/main.d.ts'));
}

/**
 * Removes the declarations that a file does not lead to, which are those of what is behind its types, and lets the
 * others name what is in the package.
 */
function keepReachable(folder: string, entry: string): void {
  const reached = new Set([entry]);
  for (const file of reached) {
    const source = readFileSync(file, 'utf8').replaceAll(/(from '\.[^']*)\.ts'/g, "$1.js'");
    writeFileSync(file, source);
    for (const specifier of specifiersOf(source.replaceAll('"', "'"))) {
      if (specifier?.startsWith('.') !== true) continue;
      const target = join(dirname(file), specifier.replace(/\.js$/, '.d.ts'));
      if (!existsSync(target))
        throw new Error(`${relative(folder, file)} needs ${specifier}, which is not there`);
      reached.add(target);
    }
  }
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !reached.has(path)) rmSync(path);
  }
}
