/** The packages of WASI 0.2 that a component may import, and their interfaces. */
const offered: Readonly<Record<string, readonly string[]>> = {
  cli: [
    'environment',
    'exit',
    'stdin',
    'stdout',
    'stderr',
    'terminal-input',
    'terminal-output',
    'terminal-stdin',
    'terminal-stdout',
    'terminal-stderr',
  ],
  clocks: ['monotonic-clock', 'wall-clock'],
  filesystem: ['preopens', 'types'],
  http: ['types', 'outgoing-handler'],
  io: ['error', 'poll', 'streams'],
  random: ['random', 'insecure', 'insecure-seed'],
  sockets: [
    'instance-network',
    'ip-name-lookup',
    'network',
    'tcp',
    'tcp-create-socket',
    'udp',
    'udp-create-socket',
  ],
};

/** Why a component cannot run here for want of an import; empty where all of them are offered. */
export function missingImport(imports: readonly string[]): string {
  const missing = imports.find((name) => !isOffered(name));
  if (missing === undefined) return '';
  const packages = Object.keys(offered).map((name) => `wasi:${name}`);
  return `it imports ${JSON.stringify(missing)}, which is not offered; offered are WASI 0.2: ${packages.join(', ')}`;
}

/** The name without its version, which is how transpiled code asks for it. */
export function unversioned(name: string): string {
  return name.replace(/@.*$/, '');
}

function isOffered(name: string): boolean {
  const match = /^wasi:([a-z]+)\/([a-z-]+)@0\.2\.\d+$/.exec(name);
  const [, packageName, interfaceName] = match ?? [];
  return (
    packageName !== undefined &&
    interfaceName !== undefined &&
    Object.hasOwn(offered, packageName) &&
    offered[packageName]?.includes(interfaceName) === true
  );
}
