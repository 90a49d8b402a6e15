/** The container image: the installed package without what its bundles hold already, on a Debian base. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install, pack } from './installed-package.ts';

const modulesHere = fileURLToPath(new URL('../node_modules', import.meta.url));
const dockerfile = fileURLToPath(new URL('../packaging/image/Dockerfile', import.meta.url));

/** What is looked up when it runs (decision 34); all else is in the bundles. Of Node, the program alone. */
const kept = /^(@bytecodealliance\/.+|node-linux-.+)$/;
const neededOfNode = /^(bin|package\.json|LICENSE)$/;
const licence = /^(licen[cs]e|copying|notice)/i;

/** Builds the image under the name. Without a base it is the Dockerfile's own. Throws where anything fails. */
export function buildImage(tag: string, base?: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'spear-image-'));
  try {
    const prefix = join(folder, 'prefix');
    install(pack(folder), prefix);
    const context = join(folder, 'context');
    prepare(join(prefix, 'lib/node_modules/spear'), context);
    const args = base === undefined ? [] : ['--build-arg', `BASE=${base}`];
    execFileSync('docker', ['build', '--tag', tag, ...args, context], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function prepare(installed: string, context: string): void {
  const program = join(context, 'spear');
  mkdirSync(join(context, 'data'), { recursive: true });
  copyFileSync(dockerfile, join(context, 'Dockerfile'));
  for (const name of readdirSync(installed)) {
    if (name !== 'node_modules') cpSync(join(installed, name), join(program, name), { recursive: true });
  }
  const modules = join(installed, 'node_modules');
  for (const name of packagesIn(modules)) {
    const source = join(modules, name);
    const files = readdirSync(source);
    const isKept = kept.test(name);
    const target = isKept ? join(program, 'node_modules', name) : join(program, 'licenses', name);
    const wanted = files.filter((file) =>
      name.startsWith('node-linux-') ? neededOfNode.test(file) : isKept || licence.test(file),
    );
    for (const file of wanted) cpSync(join(source, file), join(target, file), { recursive: true });
  }
  copyDriver(program);
}

/** The driver of PostgreSQL and what it needs, which a node with `--store` loads: no other can come to an image. */
function copyDriver(program: string): void {
  const wanted = ['pg'];
  for (const name of wanted) {
    const source = join(modulesHere, name);
    cpSync(source, join(program, 'node_modules', name), { recursive: true });
    const { dependencies = {} } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as {
      dependencies?: Readonly<Record<string, string>>;
    };
    wanted.push(...Object.keys(dependencies).filter((each) => !wanted.includes(each)));
  }
}

/** Their names, with their scopes. */
function packagesIn(modules: string): string[] {
  return readdirSync(modules).flatMap((name) => {
    if (!name.startsWith('@')) return existsSync(join(modules, name, 'package.json')) ? [name] : [];
    return readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`);
  });
}
