/** What some tests need of the machine. One that is missing skips them and says so; CI allows no skip. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe } from 'vitest';

const execute = promisify(execFile);

/** Why it cannot be had here; empty where it can. */
type Missing = string;

async function answer(file: string, args: readonly string[], otherwise: string): Promise<Missing> {
  try {
    await execute(file, [...args], { timeout: 60_000 });
    return '';
  } catch {
    // However it fails, what to do is the same.
    return otherwise;
  }
}

export function dockerEngine(): Promise<Missing> {
  return answer('docker', ['info'], 'no Docker engine answers; start dockerd');
}

export function compiler(): Promise<Missing> {
  return answer('clang', ['--version'], 'no C compiler; install clang and libc6-dev');
}

/** For C programs of WASI preview 1. */
export async function wasiCompiler(): Promise<Missing> {
  const install = 'install clang, lld, wasi-libc and libclang-rt-14-dev-wasm32';
  const linker = await answer('wasm-ld', ['--version'], `no linker for WebAssembly; ${install}`);
  return (await answer('clang', ['--version'], `no C compiler; ${install}`)) || linker;
}

/**
 * Where Debian's packages put it. The shell is the same engine without the windows of a browser, whose menus are pages
 * of their own: a page of a test takes a fifth of the processor time there.
 */
const chromiumPaths = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
export const chromiumPath = chromiumPaths.find((path) => existsSync(path)) ?? '/usr/bin/chromium';

export function chromium(): Promise<Missing> {
  return answer(
    chromiumPath,
    ['--version'],
    `no Chromium at ${chromiumPaths.join(' or ')}; install Debian's chromium-headless-shell`,
  );
}

/** Takes from a process what it may do, while it runs. */
export function prlimit(): Promise<Missing> {
  return answer('prlimit', ['--version'], "no prlimit; it is a part of Linux's util-linux");
}

/** Gives a program a terminal. */
export function script(): Promise<Missing> {
  return answer('script', ['--version'], "no script; it is a part of Debian's bsdutils");
}

/** Gives a process a wall clock of its own. */
export function faketime(): Promise<Missing> {
  return answer('faketime', ['--version'], "no faketime; install Debian's faketime");
}

/** Scrapes a node, and checks rules. */
export function prometheus(): Promise<Missing> {
  return answer('promtool', ['--version'], "no Prometheus; install Debian's prometheus");
}

/** Debian's own: another Python on the PATH does not have Debian's packages. */
export const pythonPath = '/usr/bin/python3';

export function pythonGrpc(): Promise<Missing> {
  return answer(
    pythonPath,
    ['-c', 'import grpc, google.protobuf'],
    "no gRPC for Python; install Debian's python3-grpcio and python3-protobuf",
  );
}

/** Makes the messages of the Python client. */
export function protoc(): Promise<Missing> {
  return answer('protoc', ['--version'], "no protoc; install Debian's protobuf-compiler");
}

export function root(): Missing {
  return process.getuid?.() === 0 ? '' : 'this needs to run as root';
}

/** A user without privileges, as whom a node can run. */
export const nobody = 65_534;

/** Whether that user can run the project; only root can ask. */
export function readableByNobody(): Missing {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const reading = `require('node:fs').readFileSync(${JSON.stringify(main)})`;
  const { status } = spawnSync(process.execPath, ['-e', reading], { uid: nobody });
  return status === 0 ? '' : 'another user cannot read the program here';
}

/** A `describe` that is skipped, and says why, where something is missing. */
export function describeWhere(missing: readonly Missing[], name: string, tests: () => void): void {
  const why = missing.filter((reason) => reason !== '').join('; ');
  if (why === '') describe(name, tests);
  else describe.skip(`${name} (skipped: ${why})`, tests);
}

export function zsh(): Promise<Missing> {
  return answer('zsh', ['--version'], "no zsh; install Debian's zsh");
}

export function fish(): Promise<Missing> {
  return answer('fish', ['--version'], "no fish; install Debian's fish");
}

/** Shows manual pages, and says what is wrong with them. */
export function man(): Promise<Missing> {
  return answer('man', ['--version'], "no man; install Debian's man-db");
}
