// Rebuilds the WebAssembly of the examples from their sources.
//
//   node examples/build.ts            rebuild everything
//   node examples/build.ts noop typed rebuild only these
//   node examples/build.ts --check    change nothing, fail when a committed file is not what its source gives
//
// 1. The outputs are committed: nobody needs a compiler to try Spear, and tests do not depend on one.
// 2. A rebuild gives the same bytes: no debug, name or producer sections of the compiler, no paths, no dates.
//    That holds for one version of the compiler; `PINNED` says which.
// 3. Every output is described by one line of `targets`.

import { execFile } from 'node:child_process';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools';

const PINNED = {
  clang: '14.0.6',
  debian: ['clang', 'lld', 'wasi-libc', 'libclang-rt-14-dev-wasm32'],
  assemblyscript: 'assemblyscript@0.28.20',
};

const here = import.meta.dirname;
const root = dirname(here);
const run = promisify(execFile);
const scratch = await mkdtemp(join(tmpdir(), 'spear-examples-'));

/** A program with `main`, for WASI preview 1, linked with wasi-libc. */
const command = (source: string) => () => clang(source, { compile: ['-Oz'], link: ['-mexec-model=command'] });

/** The same program as a WASI 0.2 component (`wasi:cli/run`), through the public preview-1 adapter. */
const commandComponent = (source: string) => async () => {
  const core = await command(source)();
  return componentNew(core, [['wasi_snapshot_preview1', await adapter('command')]]);
};

/** A component written by hand against the canonical ABI: no libc, no imports but those that its WIT names. */
const typedComponent = (source: string, wit: string, world: string) => async () => {
  const core = await clang(source, {
    // Freestanding: no calls of memcpy and memset behind our back, as there is no libc to hold them.
    compile: ['-O2', '-ffreestanding', '-fno-builtin'],
    // Stack first: an overflow of the stack then traps instead of overwriting data.
    link: ['-nostdlib', '-Wl,--no-entry', '-Wl,--stack-first', '-Wl,-z,stack-size=16384'],
  });
  const witSource = await readFile(join(here, wit), 'utf8');
  return componentNew(await componentEmbed({ binary: core, witSource, world }));
};

const wat = (source: string) => async () => parse(await readFile(join(here, source), 'utf8'));

const assemblyScript = (source: string) => async () => {
  const output = join(scratch, 'assemblyscript.wasm');
  const args = ['--yes', '-p', PINNED.assemblyscript, 'asc', join('examples', source), '--outFile', output];
  const options = ['-Oz', '--noAssert', '--runtime', 'stub', '--use', 'abort='];
  await run('npx', [...args, ...options], { cwd: root });
  return readFile(output);
};

const targets: Record<string, () => Promise<Uint8Array>> = {
  'wordcount/wordcount.wasm': command('wordcount/wordcount.c'),
  'wordcount/wordcount.component.wasm': commandComponent('wordcount/wordcount.c'),
  'typed/typed.wasm': typedComponent('typed/typed.c', 'typed/typed.wit', 'typed'),
  'noop/noop.wasm': typedComponent('noop/noop.c', 'noop/noop.wit', 'noop'),
  'sleeper/sleeper.wasm': typedComponent('sleeper/sleeper.c', 'sleeper/sleeper.wit', 'sleeper'),
  'ticker/ticker.wasm': command('ticker/ticker.c'),
  'rot13/rot13.wasm': assemblyScript('rot13/assembly/rot13.ts'),
  ...Object.fromEntries(
    'cat env exit flood flood-bytes hog loop recurse stderr-mix trap'
      .split(' ')
      .map((name) => [`misbehaving/${name}.wasm`, command(`misbehaving/${name}.c`)]),
  ),
  'misbehaving/net.wasm': typedComponent('misbehaving/net.c', 'misbehaving/net.wit', 'net'),
  'misbehaving/fetch.wasm': typedComponent('misbehaving/fetch.c', 'misbehaving/fetch.wit', 'fetch'),
  'misbehaving/table-bomb.wasm': wat('misbehaving/table-bomb.wat'),
};

async function clang(
  source: string,
  { compile, link }: { compile: string[]; link: string[] },
): Promise<Uint8Array> {
  const object = join(scratch, 'clang.o');
  const output = join(scratch, 'clang.wasm');
  const common = ['--target=wasm32-wasi', '--sysroot=/usr'];
  const strict = ['-std=gnu11', '-Wall', '-Wextra', '-Werror'];
  await run('clang', [...common, ...strict, ...compile, '-c', '-o', object, source], { cwd: here });
  // Linked in a step of its own, without -O: given one, clang sends its output through any wasm-opt on the
  // PATH.
  await run('clang', [...common, ...link, '-Wl,--strip-all', '-o', output, object]);
  return readFile(output);
}

async function adapter(kind: 'command' | 'reactor'): Promise<Uint8Array> {
  // By path: the package exports neither its adapters nor its package.json.
  const lib = join(root, 'node_modules/@bytecodealliance/jco/lib');
  return readFile(join(lib, `wasi_snapshot_preview1.${kind}.wasm`));
}

/** Names what is missing before the first compilation fails with something obscure. */
async function checkToolchain(): Promise<void> {
  const install = `On Debian 12: apt-get install ${PINNED.debian.join(' ')}`;
  const version = await run('clang', ['--version']).then(
    ({ stdout }) => /version (\S+)/.exec(stdout)?.[1] ?? 'unknown',
    () => fail(`clang is missing. ${install}`),
  );
  await run('wasm-ld', ['--version']).catch(() => fail(`wasm-ld is missing. ${install}`));
  await access('/usr/lib/wasm32-wasi/libc.a').catch(() => fail(`wasi-libc is missing. ${install}`));
  if (!version.startsWith(PINNED.clang)) {
    console.error(
      `clang ${version} is here; the committed files are made by ${PINNED.clang} and may differ.`,
    );
  }
}

function fail(message: string): never {
  throw new Error(message);
}

const check = process.argv.includes('--check');
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const isWanted = (path: string) => wanted.length === 0 || wanted.some((word) => path.includes(word));

const differing: string[] = [];
try {
  await checkToolchain();
  for (const [path, build] of Object.entries(targets)) {
    if (!isWanted(path)) continue;
    const bytes = await build();
    const committed = await readFile(join(here, path)).catch(() => Buffer.alloc(0));
    const same = committed.equals(bytes);
    if (!same) differing.push(path);
    if (!same && !check) await writeFile(join(here, path), bytes);
    console.log(`${same ? 'same   ' : check ? 'DIFFERS' : 'built  '} ${path} ${bytes.length} bytes`);
  }
  if (check && differing.length > 0) throw new Error(`not what the sources give: ${differing.join(', ')}`);
} catch (error) {
  // A compiler's message is in the error's message: the stack of this script would only bury it.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await rm(scratch, { recursive: true });
}
