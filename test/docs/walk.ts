/**
 * Runs what a document says, as it stands: in one bash, in a folder that has the files of a checkout, with a home and
 * loopback ports of its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { launcher } from '../support/program-files.ts';
import type { Part } from './document.ts';
import { root } from './readme.ts';

type WithCommands = Extract<Part, { readonly kind: 'run' | 'before' }>;

/** What came of a part that has commands. */
export interface Walked {
  readonly part: WithCommands;
  /** Stdout and stderr of its commands. */
  readonly printed: string;
  /** Exit codes, as far as it came. */
  readonly codes: readonly number[];
}

/**
 * `spear serve` in a document is a node in a terminal of its own: here it is one in the background, which takes the
 * place of the one before it.
 */
const prelude = `
stop_node() {
  if [ -n "\${node:-}" ]; then kill "$node" 2>/dev/null; wait "$node"; fi
  node=
}
spear() {
  if [ "\${1:-}" != serve ]; then command spear "$@"; return; fi
  stop_node
  # Here, and not where it begins: the log of the one before says that it is ready.
  : >"$WALK/node.log"
  command spear "$@" >"$WALK/node.log" 2>&1 & node=$!
  until grep -q '"msg":"ready"' "$WALK/node.log"; do
    if ! kill -0 "$node" 2>/dev/null; then cat "$WALK/node.log"; return 1; fi
    sleep 0.05
  done
}
trap 'stop_node; kill $(jobs -p) 2>/dev/null' EXIT
ip link set lo up
mount --make-rprivate /
mount --bind "$WALK/srv" /srv
# No document changes the machine.
for folder in "$CHECKOUT" /etc /usr; do mount --bind "$folder" "$folder" && mount -o remount,bind,ro "$folder"; done
cd "$WALK/checkout"
`;

/** Debian's own programs, whatever else is installed here. */
export const systemPath = '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin';

export async function walk(parts: readonly Part[]): Promise<Walked[]> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-walk-'));
  try {
    // Process tasks of a node of root run as users without privileges.
    await chmod(folder, 0o755);
    const checkout = join(folder, 'checkout');
    for (const name of ['home', 'srv', 'out', 'checkout']) await mkdir(join(folder, name));
    const hidden = new Set(['.git', 'test']);
    for (const name of await readdir(root))
      if (!hidden.has(name)) await symlink(join(root, name), join(checkout, name));
    const bash = spawn('unshare', ['--net', '--mount', 'bash', '-c', scriptOf(parts)], {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
      // A group of its own, to be ended as a whole.
      detached: true,
      // Ends what waits for ever, so that its output is shown.
      timeout: 200_000,
      killSignal: 'SIGKILL',
      env: environmentOf(folder),
    });
    let codes = '';
    bash.stdio[3]?.on('data', (part: Buffer) => {
      codes += part.toString();
    });
    try {
      await once(bash, 'exit');
    } finally {
      endGroup(bash.pid);
    }
    return await Promise.all(
      parts.flatMap((part, index) => (hasCommands(part) ? [walkedOf(part, index, codes, folder)] : [])),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a document has left running. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function environmentOf(folder: string): NodeJS.ProcessEnv {
  return {
    PATH: `${dirname(launcher)}:${join(root, 'node_modules/.bin')}:${systemPath}`,
    // The project's own can only be read.
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
    HOME: join(folder, 'home'),
    LANG: 'C.UTF-8',
    WALK: folder,
    CHECKOUT: root.replace(/\/$/, ''),
  };
}

function hasCommands(part: Part): part is WithCommands {
  return part.kind === 'run' || part.kind === 'before';
}

function scriptOf(parts: readonly Part[]): string {
  const lines = [prelude];
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'file' && !part.isOfProject) lines.push(written(part.path, part.text));
    if (!hasCommands(part)) continue;
    lines.push(`exec >"$WALK/out/${index}" 2>&1`);
    for (const command of part.commands) lines.push(command, `echo "${index} $?" >&3`);
  }
  return lines.join('\n');
}

function written(path: string, text: string): string {
  return `mkdir -p "$(dirname '${path}')"\ncat > '${path}' <<'END OF FILE'\n${text}END OF FILE`;
}

async function walkedOf(part: WithCommands, index: number, codes: string, folder: string): Promise<Walked> {
  const own = codes.split('\n').filter((line) => line.startsWith(`${index} `));
  return {
    part,
    printed: await readFile(join(folder, 'out', String(index)), 'utf8').catch(() => ''),
    codes: own.map((line) => Number(line.split(' ')[1])),
  };
}
