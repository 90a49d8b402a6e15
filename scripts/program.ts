/**
 * Makes the program out of its sources. The command and the server are bundled: a start then reads a few files instead
 * of eight hundred, which takes a fifth of the time. What runs elsewhere (guest hosts, threads, the spawner) stays one
 * file a module, because its code is sent to where there are no files.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';
import { copyTranspiler } from './transpiler-package.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Found by their folders. */
const external = ['@bytecodealliance/jco-transpile', '@bytecodealliance/preview2-shim', 'pg'];

/**
 * What packages load for what we do not have, by the packages: dockerode for engines behind SSH and for builds, which is
 * most of what its load takes; grpc-js for the services of its own (channelz, orca), of which all of protobufjs is read.
 */
const unused = [
  { of: /\/(dockerode|docker-modem)\//, names: [/^ssh2$/, /\/session(\.js)?$/] },
  { of: /\/@grpc\/grpc-js\//, names: [/^@grpc\/proto-loader$/] },
];

/**
 * Writes `spear.js` (the command), `node.js` (the server alone), their chunks, and `src/` with the rest. Rejects where
 * something does not build.
 */
export async function buildProgram(dist: string): Promise<void> {
  rmSync(dist, { recursive: true, force: true });
  const tsc = join(root, 'node_modules/.bin/tsc');
  execFileSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', dist], { cwd: root, stdio: 'inherit' });
  // tsc compiles against the declarations of the generated code and does not copy what they declare.
  cpSync(join(root, 'src/server/gen'), join(dist, 'src/server/gen'), {
    recursive: true,
    filter: (path) => !path.endsWith('.d.ts'),
  });
  cpSync(join(root, 'src/visualizer/gen'), join(dist, 'src/visualizer/gen'), { recursive: true });
  copyTranspiler(join(root, 'node_modules'), dist);
  await bundle(dist);
}

async function bundle(dist: string): Promise<void> {
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    plugins: [moduleUrls(), plainBuiltins(), withoutUnused()],
    ssr: { noExternal: true, external, target: 'node' },
    build: {
      ssr: true,
      target: 'node24',
      outDir: dist,
      emptyOutDir: false,
      minify: false,
      rolldownOptions: {
        input: { spear: join(root, 'src/cli/main.ts'), node: join(root, 'src/main.ts') },
        output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js' },
      },
    },
  });
}

/** A module of ours finds its neighbours where the build has put them, wherever its own code went. */
function moduleUrls(): Plugin {
  return {
    name: 'module-urls',
    enforce: 'pre',
    transform(code, id) {
      const path = relative(root, id);
      if (!path.startsWith('src/') || !code.includes('import.meta.url')) return;
      const built = path.replace(/\.ts$/, '.js');
      return { code: code.replaceAll('import.meta.url', `$moduleUrl(${JSON.stringify(built)})`), map: null };
    },
    renderChunk(code, { fileName }) {
      if (!code.includes('$moduleUrl(')) return;
      const up = fileName.includes('/') ? '../' : './';
      return {
        code: `const $moduleUrl = (path) => new URL(${JSON.stringify(up)} + path, import.meta.url).href;\n${code}`,
        map: null,
      };
    },
  };
}

/**
 * An import of these reads all that they export, and what they export on demand then costs a start a tenth: Node loads
 * its HTTP client for WebSocket.
 */
function plainBuiltins(): Plugin {
  const builtins: Readonly<Record<string, object>> = { 'node:http': http, 'node:https': https };
  const prefix = '\0plain:';
  return {
    name: 'plain-builtins',
    enforce: 'pre',
    resolveId(id, importer) {
      return id in builtins && importer?.includes('/src/') === true ? prefix + id : undefined;
    },
    load(id) {
      if (!id.startsWith(prefix)) return;
      const name = id.slice(prefix.length);
      const names = Object.entries(Object.getOwnPropertyDescriptors(builtins[name]))
        .filter(([key, { value }]) => value !== undefined && key !== 'default')
        .map(([key]) => key);
      return `const all = process.getBuiltinModule('${name}');
export default all;
export const { ${names.join(', ')} } = all;\n`;
    },
  };
}

function withoutUnused(): Plugin {
  const empty = '\0unused';
  return {
    name: 'without-unused',
    enforce: 'pre',
    resolveId(id, importer) {
      const isUnused = unused.some(
        ({ of, names }) => importer !== undefined && of.test(importer) && names.some((name) => name.test(id)),
      );
      return isUnused ? empty : undefined;
    },
    load(id) {
      return id === empty ? 'export default {};' : undefined;
    },
  };
}
