import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileSystem } from '../../../../src/runtimes/wasm/files/file-system.ts';
import { createMemory, RawHost } from './raw-host.ts';

/**
 * The same calls here and under the WASI of Node, each with a folder of its own. Compared are whether a call
 * succeeds, what it gives, and where files end up; not the error numbers, of which Node has its own in places
 * (ENOTCAPABLE for EBADF, EISDIR and EPERM).
 */

const list = 0;
const result = 64;
const stat = 128;
const path = 512;
const otherPath = 768;
const data = 1024;
const root = 3;

type Call = (name: string, ...parameters: readonly (number | bigint)[]) => number;

class Side {
  readonly folder = mkdtempSync(join(tmpdir(), 'spear-differential-'));
  readonly memory: WebAssembly.Memory;
  readonly call: Call;
  readonly close: () => void;
  /** Numbers of what was opened, in the order of the calls: both sides count alike. */
  readonly opened: number[] = [];

  constructor(kind: 'ours' | 'node') {
    mkdirSync(join(this.folder, 'directory'));
    if (kind === 'ours') {
      const files = createFileSystem({ preopens: { '/data': this.folder } });
      const host = new RawHost({ files });
      this.memory = host.memory;
      this.call = (name, ...parameters) => host.call(name, ...parameters);
      this.close = () => files.close();
    } else {
      const wasi = new WASI({ version: 'preview1', preopens: { '/data': this.folder } });
      const instance = createMemory();
      wasi.initialize(instance);
      this.memory = instance.exports.memory as WebAssembly.Memory;
      const imports = wasi.wasiImport as Record<string, (...parameters: readonly unknown[]) => number>;
      this.call = (name, ...parameters) => imports[name]?.(...parameters) ?? -1;
      this.close = () => {
        for (const fd of this.opened) this.call('fd_close', fd);
      };
    }
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  put(at: number, text: string): number {
    const bytes = Buffer.from(text);
    new Uint8Array(this.memory.buffer).set(bytes, at);
    return bytes.length;
  }

  vectors(lengths: readonly number[]): void {
    let at = data;
    for (const [index, length] of lengths.entries()) {
      this.view.setUint32(list + index * 8, at, true);
      this.view.setUint32(list + index * 8 + 4, length, true);
      at += length;
    }
  }

  text(length: number): string {
    return Buffer.from(this.memory.buffer, data, length).toString('latin1');
  }

  remove(): void {
    this.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** One call on a side; it gives what can be compared of its answer. */
interface Step {
  /** For the report of a failure. */
  readonly label: string;
  readonly run: (side: Side) => readonly unknown[];
}

/** Node gives what is asked for and no more, and opens for writing where any right to change the file is asked for. */
const rights = {
  always: (1n << 2n) | (1n << 3n) | (1n << 5n) | (1n << 21n),
  r: 1n << 1n,
  w: (1n << 6n) | (1n << 8n) | (1n << 22n),
};

/** Node resolves `..` by the text of the path, also where there is no such directory: it is not among them. */
const names = fc.constantFrom('a', 'b', 'directory', 'directory/a', './a', 'missing/a', 'l');
const slot = fc.nat({ max: 4 });
const lengths = fc.array(fc.nat({ max: 20 }), { maxLength: 3 });
const offset = fc.bigInt({ min: -4n, max: 60n });

function answered(errno: number, ...more: readonly unknown[]): readonly unknown[] {
  return errno === 0 ? ['done', ...more] : ['refused'];
}

function onFile(label: string, index: number, run: (side: Side, fd: number) => readonly unknown[]): Step {
  return { label: `${label} #${index}`, run: (side) => run(side, side.opened[index] ?? 99) };
}

function onPath(label: string, name: string, run: (side: Side, length: number) => readonly unknown[]): Step {
  return { label: `${label} ${name}`, run: (side) => run(side, side.put(path, name)) };
}

/** Links are followed, and O_EXCL goes without O_CREAT: Node follows them even where it is told not to. */
const follow = 1;

const open = fc
  .tuple(names, fc.constantFrom(0, 1, 2, 4, 8, 9), fc.constantFrom('r', 'w', 'rw'), fc.constantFrom(0, 1))
  .map(([name, oflags, access, fdflags]) =>
    onPath(`open oflags ${oflags} ${access} fdflags ${fdflags}`, name, (side, length) => {
      const asked = (access.includes('r') ? rights.r : 0n) | (access.includes('w') ? rights.w : 0n);
      const parameters = [root, follow, path, length, oflags, asked | rights.always, 0n, fdflags, result];
      const answer = side.call('path_open', ...parameters);
      if (answer === 0) side.opened.push(side.view.getUint32(result, true));
      return answered(answer);
    }),
  );

const close = slot.map((index) =>
  onFile('close', index, (side, fd) => {
    side.opened.splice(index, 1);
    return answered(side.call('fd_close', fd));
  }),
);

const read = fc.tuple(slot, lengths).map(([index, sizes]) =>
  onFile(`read ${sizes}`, index, (side, fd) => {
    side.vectors(sizes);
    const answer = side.call('fd_read', fd, list, sizes.length, result);
    return answered(answer, answer === 0 && side.text(side.view.getUint32(result, true)));
  }),
);

const pread = fc.tuple(slot, lengths, offset).map(([index, sizes, at]) =>
  onFile(`pread ${sizes} at ${at}`, index, (side, fd) => {
    side.vectors(sizes);
    const answer = side.call('fd_pread', fd, list, sizes.length, at, result);
    return answered(answer, answer === 0 && side.text(side.view.getUint32(result, true)));
  }),
);

const write = fc.tuple(slot, lengths, fc.constantFrom('x', 'yz')).map(([index, sizes, letters]) =>
  onFile(`write ${sizes} of ${letters}`, index, (side, fd) => {
    side.put(data, letters.repeat(40));
    side.vectors(sizes);
    const answer = side.call('fd_write', fd, list, sizes.length, result);
    return answered(answer, answer === 0 && side.view.getUint32(result, true));
  }),
);

const pwrite = fc.tuple(slot, lengths, offset).map(([index, sizes, at]) =>
  onFile(`pwrite ${sizes} at ${at}`, index, (side, fd) => {
    side.put(data, 'p'.repeat(80));
    side.vectors(sizes);
    const answer = side.call('fd_pwrite', fd, list, sizes.length, at, result);
    return answered(answer, answer === 0 && side.view.getUint32(result, true));
  }),
);

const seek = fc.tuple(slot, offset, fc.nat({ max: 2 })).map(([index, by, whence]) =>
  onFile(`seek ${by} whence ${whence}`, index, (side, fd) => {
    const answer = side.call('fd_seek', fd, by, whence, result);
    return answered(answer, answer === 0 && side.view.getBigUint64(result, true));
  }),
);

const tell = slot.map((index) =>
  onFile('tell', index, (side, fd) => {
    const answer = side.call('fd_tell', fd, result);
    return answered(answer, answer === 0 && side.view.getBigUint64(result, true));
  }),
);

const cut = fc
  .tuple(slot, fc.bigInt({ min: 0n, max: 50n }))
  .map(([index, size]) =>
    onFile(`size ${size}`, index, (side, fd) => answered(side.call('fd_filestat_set_size', fd, size))),
  );

function told(side: Side): readonly unknown[] {
  const type = side.view.getUint8(stat + 16);
  const isFile = type === 4;
  return [
    type,
    isFile && side.view.getBigUint64(stat + 24, true),
    isFile && side.view.getBigUint64(stat + 32, true),
  ];
}

const fileStat = slot.map((index) =>
  onFile('stat', index, (side, fd) => {
    const answer = side.call('fd_filestat_get', fd, stat);
    return answered(answer, answer === 0 && told(side));
  }),
);

const pathStat = fc.tuple(names, fc.constantFrom(0, 1)).map(([name, lookup]) =>
  onPath(`stat lookup ${lookup}`, name, (side, length) => {
    const answer = side.call('path_filestat_get', root, lookup, path, length, stat);
    return answered(answer, answer === 0 && told(side));
  }),
);

const change = fc
  .tuple(names, fc.constantFrom('path_create_directory', 'path_remove_directory', 'path_unlink_file'))
  .map(([name, call]) => onPath(call, name, (side, length) => answered(side.call(call, root, path, length))));

const rename = fc
  .tuple(names, names)
  .map(([from, to]) =>
    onPath(`rename to ${to}`, from, (side, length) =>
      answered(side.call('path_rename', root, path, length, root, otherPath, side.put(otherPath, to))),
    ),
  );

const link = fc
  .tuple(names, names)
  .map(([from, to]) =>
    onPath(`link as ${to}`, from, (side, length) =>
      answered(side.call('path_link', root, 0, path, length, root, otherPath, side.put(otherPath, to))),
    ),
  );

const symlink = fc
  .constantFrom('a', 'directory', 'directory/a')
  .map((target) =>
    onPath('symlink at l to', target, (side, length) =>
      answered(side.call('path_symlink', path, length, root, otherPath, side.put(otherPath, 'l'))),
    ),
  );

const readlink = names.map((name) =>
  onPath('readlink', name, (side, length) => {
    const answer = side.call('path_readlink', root, path, length, data, 50, result);
    return answered(answer, answer === 0 && side.text(side.view.getUint32(result, true)));
  }),
);

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: open },
  { weight: 1, arbitrary: close },
  { weight: 3, arbitrary: read },
  { weight: 1, arbitrary: pread },
  { weight: 1, arbitrary: pwrite },
  { weight: 3, arbitrary: write },
  { weight: 2, arbitrary: seek },
  ...[tell, cut, fileStat, pathStat, change, rename, link, symlink, readlink].map((arbitrary) => ({
    weight: 1,
    arbitrary,
  })),
);

describe('a sequence of calls', () => {
  let sides: [Side, Side];
  beforeEach(() => {
    sides = [new Side('ours'), new Side('node')];
  });
  afterEach(() => {
    for (const side of sides) side.remove();
  });

  it('has the results that it has under the WASI of Node', () => {
    fc.assert(
      fc
        .property(fc.array(steps, { minLength: 1, maxLength: 25 }), (sequence) => {
          for (const { label, run } of sequence) {
            const [ours, node] = sides.map((side) => run(side));
            expect(ours, label).toEqual(node);
          }
        })
        .beforeEach(() => {
          for (const side of sides) side.remove();
          sides = [new Side('ours'), new Side('node')];
        }),
      { numRuns: 200 },
    );
  });
});
