// rot13: turns each ASCII letter of stdin by 13 places; all other bytes pass as they are. So running it twice
// gives the input back.
//
// This is AssemblyScript, not TypeScript: it compiles to WebAssembly and calls WASI preview 1 itself,
// without any library. One buffer is all the memory it needs, however long the input is.

@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(fd: i32, vectors: usize, count: i32, done: usize): i32;

@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, vectors: usize, count: i32, done: usize): i32;

@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(code: i32): void;

const SIZE: i32 = 64 * 1024;
const buffer = heap.alloc(SIZE);
/** An io vector, `{ address: u32, length: u32 }`, and after it the number of bytes done. */
const vector = heap.alloc(12);
const done = vector + 8;

function read(): i32 {
  store<u32>(vector, <u32>buffer);
  store<u32>(vector, SIZE, 4);
  if (fd_read(0, vector, 1, done) != 0) proc_exit(1);
  return load<i32>(done);
}

function write(length: i32): void {
  // A write may take only a part.
  for (let start = 0; start < length; start += load<i32>(done)) {
    store<u32>(vector, <u32>buffer + start);
    store<u32>(vector, length - start, 4);
    if (fd_write(1, vector, 1, done) != 0) proc_exit(1);
  }
}

function rotate(byte: u8): u8 {
  const letter = byte | 0x20; // lower case
  if (letter < 97 || letter > 122) return byte;
  return letter < 110 ? byte + 13 : byte - 13;
}

/** Where WASI starts a program. */
export function _start(): void {
  for (let length = read(); length > 0; length = read()) {
    for (let i = 0; i < length; i++) store<u8>(buffer + i, rotate(load<u8>(buffer + i)));
    write(length);
  }
}
