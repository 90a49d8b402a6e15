/**
 * Makes the messages of the Python client out of `proto/`, with Debian's protoc: `npm run generate:python`. With
 * `--check` it fails where those that are committed are others. The files are put under the package's own path, and
 * `google.rpc` under a name of its own: one process may have each file and message once, and others bring theirs.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'clients/python/src');
const generated = 'spear_client/gen';
/** What its verbs need. */
const files: readonly string[] = [
  'spearlet/function',
  'spearlet/task',
  'spearlet/gate',
  'spearlet/batch',
  'spearlet/schedule',
  'spearlet/revision',
  'google/rpc/status',
  'google/rpc/error_details',
];

/** Writes the folder anew, under `target`. */
function generate(target: string): void {
  const protos = mkdtempSync(join(tmpdir(), 'spear-python-'));
  try {
    for (const file of files) {
      const path = join(protos, generated, `${basename(file)}.proto`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, ours(readFileSync(join(root, 'proto', `${file}.proto`), 'utf8')));
    }
    const names = files.map((file) => `${generated}/${basename(file)}.proto`);
    // buf brings the well-known types, which a protoc alone may lack.
    const image = join(protos, 'image.binpb');
    execFileSync(
      join(root, 'node_modules/.bin/buf'),
      ['build', protos, '--as-file-descriptor-set', '--output', image],
      { stdio: 'inherit' },
    );
    const out = [`--python_out=${target}`, `--pyi_out=${target}`];
    execFileSync('protoc', [`--descriptor_set_in=${image}`, ...out, ...names], { stdio: 'inherit' });
    writeFileSync(join(target, generated, '__init__.py'), '');
  } finally {
    rmSync(protos, { recursive: true, force: true });
  }
}

function basename(file: string): string {
  return file.replace(/^.*\//, '');
}

function ours(text: string): string {
  return text
    .replaceAll(/^import "(?:spearlet|google\/rpc)\/(\w+)\.proto";/gm, `import "${generated}/$1.proto";`)
    .replace(/^package google\.rpc;/m, 'package spearlet.rpc;')
    .replaceAll('google.rpc.', 'spearlet.rpc.');
}

function contents(folder: string): Map<string, string> {
  const names = readdirSync(join(folder, generated)).filter((name) => /\.pyi?$/.test(name));
  return new Map(names.map((name) => [name, readFileSync(join(folder, generated, name), 'utf8')]));
}

const fresh = mkdtempSync(join(tmpdir(), 'spear-python-'));
try {
  generate(fresh);
  if (process.argv.includes('--check')) {
    const [old, now] = [contents(source), contents(fresh)];
    const stale = [...new Set([...old.keys(), ...now.keys()])].filter(
      (name) => old.get(name) !== now.get(name),
    );
    if (stale.length > 0) {
      process.stderr.write(`run \`npm run generate:python\`: not current are ${stale.join(', ')}\n`);
      process.exitCode = 1;
    }
  } else {
    rmSync(join(source, generated), { recursive: true, force: true });
    cpSync(join(fresh, generated), join(source, generated), { recursive: true });
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
