import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import Docker from 'dockerode';

/** Made by `makeTestImage`; it is left in the engine for the next run. */
export const testImage = 'spear-test:busybox';

const contentLabel = 'spear.test.content';

export const dockerSocket = '/var/run/docker.sock';

/** Where distributions put a busybox that needs no libraries. */
const busyboxPaths = ['/bin/busybox', '/usr/bin/busybox', '/sbin/busybox'];
const applets = [
  'sh', 'cat', 'echo', 'env', 'sleep', 'yes', 'head', 'grep', 'id', 'ls', 'touch', 'rm', 'dd', 'kill', 'tail', 'wc',
  'true', 'false', 'mount', 'nslookup', 'ip', 'chmod', 'ulimit', 'sha256sum', 'nc', 'wget', 'cut', 'sort',
]; // biome-ignore format: a list of words

const script = (...lines: string[]) => Buffer.from(['#!/bin/sh', ...lines, ''].join('\n'));

/** Programs that misbehave as those in `examples/misbehaving` do, and some that need a container for it. */
const programs: Record<string, Buffer> = {
  exit: script('echo bye', 'echo leaving >&2', 'exit 7'),
  // PATH, HOSTNAME and HOME are the engine's, the same in every container; the others are the shell's own.
  'show-env': script(
    'env | grep -vE \'^(PATH|HOSTNAME|HOME|PWD|OLDPWD|SHLVL|_)=\' | while read -r line; do echo "env $line"; done',
    'n=0',
    'echo "arg $n $0"',
    'for arg in "$@"; do n=$((n + 1)); echo "arg $n $arg"; done',
  ),
  loop: script('echo looping', 'while :; do :; done'),
  stubborn: script("trap '' TERM", 'echo looping', 'while :; do :; done'),
  polite: script("trap 'echo ending; exit 3' TERM", 'echo looping', 'while :; do sleep 0.05; done'),
  // The shell that reports forks once, before all room is taken: one that cannot fork gives up.
  fork: script('bomb() { while :; do sleep 100 & done; }', 'bomb &', 'echo forking', 'while :; do :; done'),
  eat: script('echo eating', 'tail /dev/zero'),
  'kill-self': script('echo dying', 'kill -KILL $$'),
  security: script(
    'cat /proc/self/status | grep -E "^(Uid|Gid|CapEff|CapBnd|CapPrm|CapInh|CapAmb|NoNewPrivs|Seccomp):"',
    'touch /root-file 2>&1; echo "root $?"',
    'touch /tmp/file 2>&1; echo "tmp $?"',
    'grep " /tmp " /proc/mounts',
    'ls /sys/class/net',
    'ulimit -c',
    'ulimit -n',
  ),
};

/** Makes the test image in the engine where it is missing. Throws, saying what to start, where there is no engine. */
export async function makeTestImage(socketPath = dockerSocket): Promise<void> {
  const docker = new Docker({ socketPath });
  try {
    await docker.ping();
  } catch (cause) {
    throw new Error(
      `no Docker engine at ${socketPath}: start one (as root: dockerd &) and run the tests again`,
      {
        cause,
      },
    );
  }
  const tar = await imageTar();
  const content = createHash('sha256').update(tar).digest('hex');
  const image = docker.getImage(testImage);
  const old = await image.inspect().catch(() => undefined);
  // Each import makes another image, of whatever content.
  if (old?.Config.Labels?.[contentLabel] === content) return;
  const answer = await docker.importImage(Readable.from([tar]), {
    repo: 'spear-test',
    tag: 'busybox',
    changes: `LABEL ${contentLabel}=${content}`,
  });
  const text = await new Response(Readable.toWeb(Readable.from(answer)) as ReadableStream).text();
  if (!text.includes('sha256:')) throw new Error(`the test image could not be imported: ${text}`);
  // Where one of its containers is left it stays, without a name.
  if (old !== undefined)
    await docker
      .getImage(old.Id)
      .remove()
      .catch(() => undefined);
}

/** The root file system of the test image, or of another one with a note in it. */
export async function imageTar(note = ''): Promise<Buffer> {
  const folders = ['bin/', 'etc/', 'proc/', 'sys/', 'dev/', 'data/'].map((name) =>
    entry(name, { type: '5', mode: 0o755 }),
  );
  folders.push(entry('tmp/', { type: '5', mode: 0o1777 }));
  const links = applets.map((name) => entry(`bin/${name}`, { type: '2', link: 'busybox' }));
  const scripts = Object.entries(programs).map(([name, data]) => entry(`bin/${name}`, { data, mode: 0o755 }));
  const plain = entry('etc/plain', { data: Buffer.from(`not a program\n${note}`), mode: 0o644 });
  const busybox = entry('bin/busybox', { data: await readFile(await busyboxPath()), mode: 0o755 });
  return Buffer.concat([...folders, busybox, ...links, ...scripts, plain, Buffer.alloc(2 * block)]);
}

async function busyboxPath(): Promise<string> {
  for (const path of busyboxPaths) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new Error('no busybox: install the package busybox-static and run the tests again');
}

const block = 512;

interface Entry {
  readonly data?: Buffer;
  readonly type?: '0' | '2' | '5';
  readonly mode?: number;
  readonly link?: string;
}

/** One entry of a tar file, in the ustar format. */
function entry(name: string, { data = Buffer.alloc(0), type = '0', mode = 0o777, link = '' }: Entry): Buffer {
  const header = Buffer.alloc(block);
  const octal = (value: number, at: number, width: number) =>
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at);
  header.write(name, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(data.length, 124, 12);
  octal(0, 136, 12);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(link, 157);
  header.write('ustar\x0000', 257);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  const padding = Buffer.alloc((block - (data.length % block)) % block);
  return Buffer.concat([header, data, padding]);
}
