// A guest with a preopen, as a process of its own: opens the FIFO `pipe` and tells what it reads, or writes to it.
import { createFileSystem } from '../../../../src/runtimes/wasm/files/file-system.ts';

const [path = '', mode] = process.argv.slice(2);
const root = createFileSystem({ preopens: { '/data': path } }).preopens[0]?.directory;
process.stdout.write('opening\n');
const file = root?.open(Buffer.from('pipe'), { read: mode === 'read', write: mode === 'write' });
if (file?.kind !== 'file') throw new Error('no file');
if (mode === 'write') {
  const bytes = Buffer.alloc(300_000, 'x');
  for (let at = 0; at < bytes.length; ) at += file.write(bytes.subarray(at));
} else {
  const into = Buffer.alloc(1000);
  for (let count = file.read(into); count > 0; count = file.read(into)) {
    process.stdout.write(into.subarray(0, count));
  }
}
file.close();
