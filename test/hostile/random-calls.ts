/** Programs that call preview 1 at random: right names, wrong numbers, and what a hostile guest would try. */
import { preview1Functions } from '../../src/runtimes/wasm/preview1/signatures.ts';
import type { Random } from '../crash/random.ts';
import { type Code, i32Const, loadFrom } from './module-writer.ts';
import {
  addresses,
  allRights,
  anyNumber,
  constant,
  forever,
  memoryBytes,
  Preview1Program,
  randomNumber,
} from './preview1-program.ts';

/**
 * What the arguments of a function are, in their order: f a descriptor, d one of a folder, p a path (two arguments), v a
 * vector of buffers (two), b a buffer (two), r where a result goes, o where an opened descriptor goes, s a small number, u subscriptions, n and N any
 * number of 32 and 64 bits, R rights.
 */
const roles: Readonly<Record<string, string>> = {
  args_get: 'rr',
  args_sizes_get: 'rr',
  environ_get: 'rr',
  environ_sizes_get: 'rr',
  clock_res_get: 'sr',
  clock_time_get: 'sNr',
  fd_advise: 'fNNs',
  fd_allocate: 'fNN',
  fd_close: 'f',
  fd_datasync: 'f',
  fd_fdstat_get: 'fr',
  fd_fdstat_set_flags: 'fs',
  fd_fdstat_set_rights: 'fRR',
  fd_filestat_get: 'fr',
  fd_filestat_set_size: 'fN',
  fd_filestat_set_times: 'fNNs',
  fd_pread: 'fvNr',
  fd_prestat_get: 'fr',
  fd_prestat_dir_name: 'fb',
  fd_pwrite: 'fvNr',
  fd_read: 'fvr',
  fd_readdir: 'dbNr',
  fd_renumber: 'ff',
  fd_seek: 'fNsr',
  fd_sync: 'f',
  fd_tell: 'fr',
  fd_write: 'fvr',
  path_create_directory: 'dp',
  path_filestat_get: 'dspr',
  path_filestat_set_times: 'dspNNs',
  path_link: 'dspdp',
  path_open: 'dspsRRso',
  path_readlink: 'dpbr',
  path_remove_directory: 'dp',
  path_rename: 'dpdp',
  path_symlink: 'pdp',
  path_unlink_file: 'dp',
  poll_oneoff: 'urnr',
  proc_exit: 's',
  proc_raise: 's',
  random_get: 'b',
  sched_yield: '',
  sock_accept: 'fsr',
  sock_recv: 'fvsrr',
  sock_send: 'fvsr',
  sock_shutdown: 'fs',
};

/** How often a function is called, where not as often as the others. */
const weights: Readonly<Record<string, number>> = {
  path_open: 8,
  path_symlink: 3,
  path_rename: 3,
  path_create_directory: 2,
  fd_close: 0.5,
  fd_renumber: 0.2,
  poll_oneoff: 0.1,
  proc_exit: 0.01,
};

/** Names in the folder of a guest (see the site), ways out of it, and what no name should be. */
const paths: readonly string[] = [
  ...[
    '',
    '.',
    '..',
    '../..',
    '../beside',
    '../beside/secret',
    '../beside/new',
    '/etc/passwd',
    '/',
    '/proc/self/root',
  ],
  ...['a', 'a', 'a', 'b', 'b', 'd', 'd', 'd/e', 'd/..', 'd/../..', 'd/../../beside/secret', 'big'],
  ...[
    'fifo',
    'out',
    'out/secret',
    'out-file',
    'absolute',
    'self',
    'self/self/out/secret',
    'loop',
    'null',
    'zero',
  ],
  ...['socket', 'deep', `deep/${'d/'.repeat(60)}`, `${'d/'.repeat(300)}`, `${'m/'.repeat(2100)}`],
  ...['a\\b', 'x\0y', '\xff\xfe', 'n'.repeat(255), 'n'.repeat(256), '\x1b[2J', ' ', '-rf', 'line\nline'],
];
const openedSlots = 8;
const edges = [
  0n,
  1n,
  -1n,
  3n,
  7n,
  8n,
  255n,
  65_535n,
  65_536n,
  BigInt(memoryBytes) - 4n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

/** A program without end that makes calls at random; it goes through the same calls in another mix each time round. */
export function randomCalls(random: Random): Uint8Array {
  const program = new Preview1Program(random.chance(0.2) ? 'wasi_unstable' : 'wasi_snapshot_preview1');
  const draw = new Arguments(program, random);
  const names = Object.keys(preview1Functions).map((name) => [weights[name] ?? 1, name] as const);
  const known = new Set(Object.keys(roles));
  for (const [, name] of names) if (!known.has(name)) throw new Error(`nothing is known of ${name}`);
  const calls = Array.from({ length: random.whole(20, 150) }, () => {
    const name = random.weighted(names);
    const made = program.call(name, ...[...(roles[name] ?? '')].flatMap((role) => draw.argument(role)));
    // Three of four times: if (random & 3) { … }
    return [...randomNumber, ...i32Const(3), 0x71, 0x04, 0x40, ...made, 0x0b];
  });
  return program.write(forever(calls.flat()), random.whole(1, 2 ** 31 - 1));
}

class Arguments {
  readonly #program: Preview1Program;
  readonly #random: Random;
  readonly #vectors: readonly (readonly Code[])[];

  constructor(program: Preview1Program, random: Random) {
    this.#program = program;
    this.#random = random;
    const { buffer } = addresses;
    this.#vectors = [
      program.vector([{ at: buffer, length: 64 }]),
      program.vector([{ at: buffer, length: memoryBytes - buffer }]),
      program.vector([{ at: buffer, length: -1 }]),
      program.vector([
        { at: -8, length: 4 },
        { at: buffer, length: 0 },
      ]),
      program.vector(Array.from({ length: 40 }, (_, index) => ({ at: buffer + index, length: 4096 }))),
      [i32Const(addresses.vectors), i32Const(-1)],
    ];
    // Subscriptions to the clock and to descriptors, some of them nonsense.
    const subscriptions = Buffer.alloc(4 * 48);
    for (let index = 0; index < 4; index += 1) {
      subscriptions.writeUInt8(random.whole(0, 3), index * 48 + 8);
      subscriptions.writeUInt32LE(random.whole(0, 5), index * 48 + 16);
      subscriptions.writeBigUInt64LE(BigInt(random.whole(0, 50_000_000)), index * 48 + 24);
    }
    program.put(addresses.subscriptions, subscriptions);
  }

  /** One code for each number that the role takes. */
  argument(role: string): readonly Code[] {
    const random = this.#random;
    const { buffer, results, subscriptions } = addresses;
    switch (role) {
      case 'f':
        return [
          random.chance(0.6)
            ? this.#opened()
            : random.chance(0.7)
              ? i32Const(random.whole(0, 12))
              : this.#any('i32'),
        ];
      case 'd':
        return [random.chance(0.6) ? i32Const(3) : random.chance(0.8) ? this.#opened() : this.#any('i32')];
      case 'p':
        return random.chance(0.95)
          ? this.#program.path(random.pick(paths))
          : [this.#any('i32'), this.#any('i32')];
      case 'v':
        return random.pick(this.#vectors);
      case 'b':
        return random.chance(0.8)
          ? [i32Const(buffer), i32Const(random.whole(0, 70_000))]
          : [this.#any('i32'), this.#any('i32')];
      case 'r':
        return [random.chance(0.95) ? i32Const(results + 512) : this.#any('i32')];
      case 'o':
        return [i32Const(results + 4 * random.whole(0, openedSlots - 1))];
      case 'u':
        return [i32Const(subscriptions + 48 * random.whole(0, 3))];
      case 's':
        return [random.chance(0.9) ? anyNumber('i32', random.whole(0, 5)) : this.#any('i32')];
      case 'R':
        return [constant('i64', random.chance(0.8) ? allRights : random.pick(edges))];
      case 'N':
        return [random.chance(0.5) ? anyNumber('i64', random.whole(1, 20)) : this.#any('i64')];
      default:
        return [random.chance(0.5) ? i32Const(random.whole(0, 4)) : this.#any('i32')];
    }
  }

  #opened(): Code {
    return loadFrom(addresses.results + 4 * this.#random.whole(0, openedSlots - 1));
  }

  #any(type: 'i32' | 'i64'): Code {
    return this.#random.chance(0.5) ? constant(type, this.#random.pick(edges)) : anyNumber(type, 32);
  }
}
