/** Programs that once took a node down, or got out of their folder. */
import { type Code, i32Const, i64Const, loadFrom } from './module-writer.ts';
import { addresses, allRights, forever, Preview1Program } from './preview1-program.ts';

const preopen = i32Const(3);
const none = i32Const(0);
const rights = i64Const(allRights);
const openFlags = { none, create: i32Const(1), folder: i32Const(2), createAndCut: i32Const(9) };
const slots = [addresses.results, addresses.results + 4, addresses.results + 8] as const;
const ignored = i32Const(addresses.results + 512);

/**
 * Opens a folder, puts a link that leads out into its place, and goes on from the open folder. What it reads there it
 * prints, and it leaves a file there.
 */
export function swapEscape(target: string, file: string): Uint8Array {
  const program = new Preview1Program();
  const { call } = within(program);
  const [folder, read, made] = slots;
  const buffer = program.vector([{ at: addresses.buffer, length: 300 }]);
  return program.write(
    forever([
      ...call('path_create_directory', preopen, ...program.path('swapped')),
      ...open(program, preopen, 'swapped', openFlags.folder, folder),
      ...call('path_remove_directory', preopen, ...program.path('swapped')),
      ...call('path_symlink', ...program.path(target), preopen, ...program.path('swapped')),
      ...open(program, loadFrom(folder), file, openFlags.none, read),
      ...call('fd_read', loadFrom(read), ...buffer, ignored),
      ...call('fd_write', i32Const(1), ...buffer, ignored),
      ...open(program, preopen, `swapped/${file}`, openFlags.none, read),
      ...call('fd_read', loadFrom(read), ...buffer, ignored),
      ...open(program, loadFrom(folder), 'planted', openFlags.createAndCut, made),
      ...call('fd_write', loadFrom(made), ...buffer, ignored),
      ...call('path_unlink_file', loadFrom(folder), ...program.path(file)),
      ...call('path_unlink_file', preopen, ...program.path('swapped')),
      ...[folder, read, made].flatMap((slot) => call('fd_close', loadFrom(slot))),
    ]),
  );
}

/** Opens one file again and again, and closes nothing. */
export function descriptorLeak(): Uint8Array {
  const program = new Preview1Program();
  return program.write(forever(open(program, preopen, 'leaked', openFlags.create, slots[0])));
}

/** Reads 2 GB at once from a file without content, into a memory that has no room for them. */
export function bigRead(): Uint8Array {
  const program = new Preview1Program();
  const { call } = within(program);
  const [file] = slots;
  const large = program.vector([{ at: addresses.buffer, length: 2_000_000_000 }]);
  const many = program.vector(Array.from({ length: 60 }, () => ({ at: addresses.buffer, length: 65_536 })));
  return program.write([
    ...open(program, preopen, 'sparse', openFlags.create, file),
    ...call('fd_filestat_set_size', loadFrom(file), i64Const(2_000_000_000n)),
    ...forever([
      ...call('fd_pread', loadFrom(file), ...large, i64Const(0n), ignored),
      ...call('fd_pread', loadFrom(file), ...many, i64Const(0n), ignored),
    ]),
  ]);
}

/** Waits for the other end of a FIFO that nobody opens. */
export function fifoWait(): Uint8Array {
  const program = new Preview1Program();
  return program.write(forever(open(program, preopen, 'fifo', openFlags.none, slots[0])));
}

function open(program: Preview1Program, folder: Code, path: string, flags: Code, slot: number): Code {
  return program.call(
    'path_open',
    ...[folder, none, ...program.path(path), flags, rights, rights, none, i32Const(slot)],
  );
}

function within(program: Preview1Program) {
  return { call: (name: string, ...args: readonly Code[]) => program.call(name, ...args) };
}
