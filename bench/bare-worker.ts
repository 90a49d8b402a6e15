/** A warm worker with nothing around it: instantiates a transpiled component anew for each message, runs it, replies. */
import { parentPort, workerData } from 'node:worker_threads';
import * as wasi from '@bytecodealliance/preview2-shim';
import { WASIShim } from '@bytecodealliance/preview2-shim/instantiation';

interface Root {
  readonly run: { run(): void };
}

interface Source {
  instantiate(getCoreModule: (file: string) => WebAssembly.Module, imports: object): Root;
}

const { source, modules } = workerData as {
  readonly source: string;
  readonly modules: Readonly<Record<string, WebAssembly.Module>>;
};
const { instantiate } = (await import(source)) as Source;
const { InputStream, OutputStream } = wasi.io.streams;

function instanceOf<Class extends { prototype: object }>(of: Class, methods: object): object {
  return Object.assign(Object.create(of.prototype), methods);
}

parentPort?.on('message', (input: Uint8Array) => {
  let left = input;
  const output: Uint8Array[] = [];
  const read = (length: bigint) => {
    if (left.byteLength === 0) throw { tag: 'closed' };
    const part = left.subarray(0, Number(length));
    left = left.subarray(part.byteLength);
    return part;
  };
  const write = (bytes: Uint8Array) => void output.push(bytes.slice());
  const flush = () => {};
  const stdin = instanceOf(InputStream, { read, blockingRead: read });
  const stdout = instanceOf(OutputStream, {
    checkWrite: () => 65536n,
    write,
    blockingWriteAndFlush: write,
    flush,
    blockingFlush: flush,
  });
  const imports = new WASIShim({
    sandbox: { preopens: {}, env: {}, args: ['wc'], enableNetwork: false },
  }).getImportObject();
  const root = instantiate((file) => modules[file] as WebAssembly.Module, {
    ...imports,
    'wasi:cli/stdin': { InputStream, getStdin: () => stdin },
    'wasi:cli/stdout': { OutputStream, getStdout: () => stdout },
    'wasi:cli/stderr': { OutputStream, getStderr: () => stdout },
  });
  root.run.run();
  parentPort?.postMessage(Buffer.concat(output));
});
parentPort?.postMessage('ready');
