/** Which room of the source may import what. Everything that is not allowed here is refused; see `check-walls.ts`. */
import { dirname, join } from 'node:path/posix';

export interface Room {
  /** The folder with a slash at its end, or the file, from the root of the project. The longest that fits counts. */
  readonly path: string;
  /** Folders and files of the project that it may import, beside its own. */
  readonly from: readonly string[];
  /** Of which it may import types, in statements that begin with `import type`: nothing of them is left in a run. */
  readonly types?: readonly string[];
  /** Packages that it may import; `node:` is every module of Node. */
  readonly packages: readonly string[];
  /** Why, in the words of the refusal. */
  readonly rule: string;
}

export interface Violation {
  readonly file: string;
  /** As the file names it. */
  readonly specifier: string;
  readonly rule: string;
}

const domain = 'src/domain/';
const wire = ['src/server/gen/', 'src/server/wire/json-response.ts', 'src/server/wire/definition-message.ts'];

export const rooms: readonly Room[] = [
  { path: domain, from: [], packages: [], rule: 'domain imports nothing but itself' },
  {
    path: 'src/machines/',
    from: [domain],
    packages: ['xstate'],
    rule: 'machines are pure: domain and xstate only',
  },
  // The floors of the actors, lowest first.
  {
    path: 'src/actors/',
    from: [domain],
    packages: ['ulid', 'node:crypto'],
    rule: 'what all rooms of the actors share imports domain only',
  },
  {
    path: 'src/actors/time/',
    from: [domain],
    packages: ['node:fs', 'node:os'],
    rule: 'time imports domain only',
  },
  {
    path: 'src/actors/queue/',
    from: [domain],
    packages: ['tinyqueue'],
    rule: 'the queue imports domain only',
  },
  {
    path: 'src/actors/log/',
    from: [domain, 'src/machines/', 'src/stores/store.ts', 'src/actors/time/'],
    packages: [],
    rule: 'the log imports domain, machines, time and the port of the store',
  },
  {
    path: 'src/actors/instances/',
    from: [
      domain,
      'src/machines/',
      'src/runtimes/runtime.ts',
      'src/actors/ids.ts',
      'src/actors/until-aborted.ts',
    ],
    packages: ['xstate'],
    rule: 'instances import domain, machines and the port of the runtimes, and know of no execution',
  },
  {
    path: 'src/actors/tasks/',
    from: [domain, 'src/runtimes/runtime.ts', 'src/stores/store.ts', 'src/actors/ids.ts'],
    packages: [],
    rule: 'tasks import domain and the ports, and know of no execution',
  },
  {
    path: 'src/actors/explain/',
    from: [domain, 'src/machines/', 'src/stores/store.ts', 'src/actors/queue/', 'src/actors/time/'],
    packages: [],
    rule: 'explanations import domain, machines, queue, time and the port of the store',
  },
  {
    path: 'src/actors/executions/',
    from: [
      domain,
      'src/machines/',
      'src/runtimes/runtime.ts',
      'src/stores/membership.ts',
      'src/stores/cluster-queue.ts',
      'src/stores/store.ts',
      'src/actors/explain/',
      'src/actors/log/',
      'src/actors/queue/',
      'src/actors/time/',
      'src/actors/ids.ts',
      'src/actors/function-identity.ts',
      'src/actors/until-aborted.ts',
    ],
    packages: ['xstate', 'tinyqueue'],
    rule: 'executions import the rooms below them, domain, machines and the types of the ports',
  },
  {
    path: 'src/actors/snapshots/',
    from: [
      domain,
      'src/machines/',
      'src/runtimes/runtime.ts',
      'src/stores/store.ts',
      'src/actors/executions/recovery/stored-invocation.ts',
      'src/actors/log/',
      'src/actors/time/',
      'src/actors/ids.ts',
    ],
    packages: ['node:crypto', 'node:util'],
    rule: 'snapshots come from the store, and go there: they know of no live execution',
  },
  {
    path: 'src/actors/webhooks/',
    from: [domain, 'src/stores/store.ts'],
    packages: ['tinyqueue'],
    rule: 'webhooks import domain and the port of the store: they know of ends, and of no live execution',
  },
  {
    path: 'src/webhooks/',
    from: [domain, 'src/runtimes/checked-lookup.ts', 'src/runtimes/public-address.ts'],
    packages: ['node:'],
    rule: 'what posts to receivers imports domain, and how addresses are checked',
  },
  {
    path: 'src/actors/schedules/',
    from: [domain, 'src/machines/', 'src/stores/store.ts'],
    packages: ['croner'],
    rule: 'schedules import domain, machines and the port of the store, and ask for executions as a caller does',
  },
  { path: 'src/observers/', from: [domain], packages: [], rule: 'observers import domain only' },
  { path: 'src/stores/', from: [domain], packages: ['node:'], rule: 'stores import domain only' },
  {
    path: 'src/stores/postgres/',
    from: [domain, 'src/stores/'],
    packages: ['node:', 'pg'],
    rule: 'the driver of PostgreSQL is this store alone',
  },
  {
    path: 'src/runtimes/',
    from: [domain],
    packages: ['node:'],
    rule: 'the port of the runtimes, and what they share, import domain only',
  },
  {
    path: 'src/runtimes/network/',
    from: [domain],
    packages: ['node:'],
    rule: 'what holds functions to their network list knows of no runtime',
  },
  {
    path: 'src/runtimes/secrets/',
    from: [domain, 'src/runtimes/runtime.ts'],
    packages: ['node:'],
    rule: 'secrets know of no runtime but its port',
  },
  {
    path: 'src/runtimes/containment/',
    from: [domain, 'src/runtimes/entry.ts'],
    packages: ['node:'],
    rule: 'containment knows of no runtime',
  },
  {
    path: 'src/runtimes/process/',
    from: [domain, 'src/runtimes/containment/', 'src/runtimes/secrets/', 'src/runtimes/runtime.ts'],
    packages: ['node:'],
    rule: 'a runtime imports domain, its port and containment, and no other runtime',
  },
  {
    path: 'src/runtimes/docker/',
    from: [
      domain,
      'src/runtimes/containment/',
      'src/runtimes/network/',
      'src/runtimes/secrets/',
      'src/runtimes/host-folders.ts',
      'src/runtimes/runtime.ts',
      'src/runtimes/entry.ts',
    ],
    packages: ['node:', 'dockerode'],
    rule: 'a runtime imports domain, its port and containment, and no other runtime',
  },
  {
    path: 'src/runtimes/wasm/',
    from: [
      domain,
      'src/runtimes/containment/',
      'src/runtimes/network/',
      'src/runtimes/secrets/',
      'src/runtimes/host-folders.ts',
      'src/runtimes/runtime.ts',
      'src/runtimes/entry.ts',
      'src/runtimes/download.ts',
    ],
    packages: ['node:', '@bytecodealliance/jco-transpile', '@bytecodealliance/preview2-shim'],
    rule: 'a runtime imports domain, its port and containment, and no other runtime',
  },
  {
    path: 'src/server/',
    from: [domain, 'src/observers/', 'src/small-file.ts'],
    packages: ['node:', '@bufbuild/protobuf', '@grpc/grpc-js', 'jose', 'ws'],
    rule: 'server imports domain, observers and gen',
  },
  {
    path: 'src/telemetry/',
    from: [domain],
    packages: ['pino', 'prom-client'],
    rule: 'telemetry imports domain only',
  },
  {
    path: 'src/visualizer/',
    from: [],
    packages: ['node:'],
    rule: 'what serves the page imports nothing but the page as it was built',
  },
  {
    path: 'src/visualizer/page/',
    from: [domain, 'src/visualizer/page/wire.ts'],
    packages: ['preact', '@preact/signals', 'anser', 'uplot'],
    rule: 'the page runs in a browser: domain and its own packages only',
  },
  {
    path: 'src/visualizer/page/wire.ts',
    from: [],
    types: ['src/server/gen/spearlet/'],
    packages: [],
    rule: 'the page has of the generated messages their types alone, and in one file',
  },
  {
    path: 'src/client/',
    from: [domain, ...wire, 'src/config.ts', 'src/node-notes.ts', 'src/small-file.ts'],
    packages: ['node:', '@bufbuild/protobuf', '@grpc/grpc-js'],
    rule: 'the client goes into the programs of others: the public API, and where a node of this machine is',
  },
  {
    path: 'src/cli/',
    from: [
      domain,
      ...wire,
      'src/client/',
      'src/config.ts',
      'src/config/',
      'src/db.ts',
      'src/node-notes.ts',
      'src/replay.ts',
      'src/serve.ts',
      'src/small-file.ts',
      'src/version.ts',
    ],
    packages: ['node:', '@bufbuild/protobuf', '@grpc/grpc-js', 'commander'],
    rule: 'the cli talks to the server over its public API: gen, its messages as JSON and of the schema, and domain only',
  },
  {
    path: 'src/node/',
    from: [
      domain,
      'src/machines/',
      'src/actors/',
      'src/observers/node/',
      'src/observers/output.ts',
      'src/runtimes/',
      'src/server/',
      'src/stores/',
      'src/telemetry/',
      'src/visualizer/',
      'src/webhooks/',
      'src/config.ts',
      'src/config-edge.ts',
      'src/config-traces.ts',
      'src/node-notes.ts',
      'src/small-file.ts',
      'src/version.ts',
    ],
    packages: ['node:', 'xstate', '@grpc/grpc-js'],
    rule: 'the node puts all floors together, and knows nothing of the command line',
  },
  {
    path: 'src/config/',
    from: [domain, 'src/small-file.ts'],
    packages: ['node:', 'yaml'],
    rule: 'the table of options, and the file that has them, import domain only',
  },
  {
    path: 'src/config.ts',
    from: [
      domain,
      'src/config/',
      'src/config-bounds.ts',
      'src/config-cluster.ts',
      'src/config-edge.ts',
      'src/config-store.ts',
      'src/config-traces.ts',
      'src/config-values.ts',
    ],
    packages: ['node:'],
    rule: 'config imports domain only',
  },
  {
    path: 'src/config-bounds.ts',
    from: [domain, 'src/config/', 'src/config-values.ts'],
    packages: ['node:'],
    rule: 'config imports domain only',
  },
  {
    path: 'src/config-cluster.ts',
    from: [domain],
    packages: [],
    rule: 'config imports domain only',
  },
  {
    path: 'src/config-edge.ts',
    from: [domain, 'src/config/', 'src/config-values.ts'],
    packages: [],
    rule: 'config imports domain only',
  },
  {
    path: 'src/config-store.ts',
    from: [domain, 'src/config/'],
    packages: ['node:'],
    rule: 'config imports domain only',
  },
  {
    path: 'src/config-traces.ts',
    from: [domain, 'src/config/', 'src/config-values.ts'],
    packages: [],
    rule: 'config imports domain only',
  },
  {
    path: 'src/config-values.ts',
    from: [domain, 'src/config/'],
    packages: [],
    rule: 'config imports domain only',
  },
  {
    path: 'src/node-notes.ts',
    from: [],
    packages: ['node:fs', 'node:path'],
    rule: 'the notes of nodes are read and written without the rest of Spear',
  },
  {
    path: 'src/small-file.ts',
    from: [],
    packages: ['node:fs'],
    rule: 'small files are read without the rest of Spear',
  },
  { path: 'src/version.ts', from: [], packages: ['node:'], rule: 'the version imports nothing of ours' },
  {
    path: 'src/db.ts',
    from: ['src/config.ts', 'src/stores/'],
    packages: [],
    rule: 'the commands of the database need config and stores only',
  },
  {
    path: 'src/replay.ts',
    from: [domain, 'src/machines/', 'src/actors/snapshots/arrival.ts', 'src/actors/snapshots/seals.ts'],
    packages: ['node:util'],
    rule: 'a replay needs the charts, and what reads a snapshot',
  },
  {
    path: 'src/serve.ts',
    from: [
      domain,
      'src/config.ts',
      'src/config-edge.ts',
      'src/config/',
      'src/node/',
      'src/telemetry/',
      'src/version.ts',
    ],
    packages: ['node:'],
    rule: 'serve starts a node as config says',
  },
  { path: 'src/main.ts', from: ['src/serve.ts'], packages: [], rule: 'main serves' },
];

/** Files that import what they are told at run time, because they load programs. */
const loaders = ['src/runtimes/wasm/guest-host/program-code.ts', 'src/runtimes/wasm/guest-host/boot.ts'];

/** A statement of types alone, which `violationsOf` holds to more than the other ones. */
const ofTypes = /^\s*import type\s+(?!from\b)[^'";]*?\bfrom\s+'([^']+)';/gm;
/** What may lie between `import` or `export` and the specifier: names and braces, but no string and no end. */
const statement = /^\s*(?:import|export)\b[^'";]*?\bfrom\s+'([^']+)'/gm;
const bare = /^\s*import\s+'([^']+)'/gm;
const dynamic = /\bimport\(\s*(?:'([^']+)')?/g;
const thread = /\bnew URL\(\s*'(\.[^']+)'/g;

/** What a source imports, loads or starts as a thread, as it names it; `undefined` where only a run can tell. */
export function specifiersOf(source: string): (string | undefined)[] {
  return [statement, bare, dynamic, thread].flatMap((pattern) =>
    Array.from(source.matchAll(pattern), ([, specifier]) => specifier),
  );
}

/** What the file imports and its room does not allow; `file` is a path from the root of the project. */
export function violationsOf(file: string, source: string): Violation[] {
  const room = rooms
    .filter(({ path }) => isIn(file, path))
    .reduce<Room | undefined>(
      (best, each) => (each.path.length > (best?.path.length ?? 0) ? each : best),
      undefined,
    );
  if (room === undefined)
    return [{ file, specifier: '', rule: 'no room is known for this file: scripts/walls.ts' }];
  const { path, from, types = [], packages, rule } = room;
  const withTypes = { path, from: [...from, ...types], packages, rule };
  const ofTypesAlone = Array.from(source.matchAll(ofTypes), ([, specifier]) => specifier);
  const ofCode = specifiersOf(source.replaceAll(ofTypes, ''));
  return [
    ...ofTypesAlone.filter((specifier) => !allows(withTypes, file, specifier)),
    ...ofCode.filter((specifier) => !allows(room, file, specifier)),
  ].map((specifier) => ({ file, specifier: specifier ?? 'import(…)', rule }));
}

function allows(room: Room, file: string, specifier: string | undefined): boolean {
  if (specifier === undefined) return loaders.includes(file);
  if (!specifier.startsWith('.')) {
    return room.packages.some((name) =>
      name === 'node:' ? specifier.startsWith(name) : specifier === name || specifier.startsWith(`${name}/`),
    );
  }
  const target = join(dirname(file), specifier);
  const own =
    isIn(target, room.path) && !rooms.some((other) => isInner(other, room) && isIn(target, other.path));
  return own || room.from.some((path) => isIn(target, path));
}

function isInner(other: Room, room: Room): boolean {
  return other.path !== room.path && isIn(other.path, room.path);
}

function isIn(file: string, path: string): boolean {
  return path.endsWith('/') ? file.startsWith(path) : file === path;
}
