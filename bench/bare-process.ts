/**
 * A warm process with nothing around it: for each message on descriptor 3 it instantiates the same preview-1 module
 * anew, runs it with its input, and replies with its output. `node bare-process.ts MODULE`. A message and a reply are
 * a `u32` length, little-endian, and so many bytes.
 */
import { readFileSync, readSync, writeSync } from 'node:fs';

const [, , file = ''] = process.argv;
const module = new WebAssembly.Module(readFileSync(file));
const socket = 3;

class Exit extends Error {}

function read(length: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(length);
  for (let have = 0; have < length; ) {
    const more = readSync(socket, bytes, have, length - have, null);
    if (more === 0) return undefined;
    have += more;
  }
  return bytes;
}

/** What word count imports, and no more than it needs. */
function run(input: Uint8Array): Buffer {
  let at = 0;
  const output: Uint8Array[] = [];
  let memory: WebAssembly.Memory;
  const words = () => new DataView(memory.buffer);
  function transfer(vectors: number, count: number, each: (part: Uint8Array) => number): number {
    let total = 0;
    for (let index = 0; index < count; index += 1) {
      const pointer = words().getUint32(vectors + 8 * index, true);
      const length = words().getUint32(vectors + 8 * index + 4, true);
      total += each(new Uint8Array(memory.buffer, pointer, length));
    }
    return total;
  }
  const known: Record<string, (...args: number[]) => number> = {
    fd_read(_fd = 0, vectors = 0, count = 0, result = 0) {
      const total = transfer(vectors, count, (part) => {
        const taken = input.subarray(at, at + part.length);
        part.set(taken);
        at += taken.length;
        return taken.length;
      });
      words().setUint32(result, total, true);
      return 0;
    },
    fd_write(_fd = 0, vectors = 0, count = 0, result = 0) {
      const total = transfer(vectors, count, (part) => {
        output.push(part.slice());
        return part.length;
      });
      words().setUint32(result, total, true);
      return 0;
    },
    proc_exit() {
      throw new Exit();
    },
    fd_prestat_get: () => 8,
  };
  const preview1 = new Proxy(known, { get: (functions, name) => functions[String(name)] ?? (() => 0) });
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: preview1 });
  // Every command exports its memory and its start.
  const exports = instance.exports as { memory: WebAssembly.Memory; _start: () => void };
  memory = exports.memory;
  try {
    exports._start();
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
  }
  return Buffer.concat(output);
}

for (let length = read(4); length !== undefined; length = read(4)) {
  const input = read(length.readUInt32LE(0));
  if (input === undefined) break;
  const reply = run(input);
  const header = Buffer.alloc(4);
  header.writeUInt32LE(reply.length);
  writeSync(socket, Buffer.concat([header, reply]));
}
