// What a guest host is started with, as text on its command line: it reads the rest of its code from its socket, so
// that it needs nothing of the file system, and has no compiler of types in its memory.

import { readSync } from 'node:fs';
import { registerHooks } from 'node:module';

const socket = Number(process.argv[1]);
const sleeper = new Int32Array(new SharedArrayBuffer(4));

function read(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let have = 0; have < length; ) {
    try {
      const more = readSync(socket, bytes, have, length - have, null);
      if (more === 0) process.exit();
      have += more;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(sleeper, 0, 0, 1);
    }
  }
  return bytes;
}

const header = read(8);
const head = JSON.parse(read(header.readUInt32LE(0)).toString('utf8'));
const texts = JSON.parse(read(header.readUInt32LE(4)).toString('utf8'));

registerHooks({
  resolve(specifier, context, next) {
    const url = URL.canParse(specifier)
      ? specifier
      : /^\.\.?\//.test(specifier) && context.parentURL?.startsWith('spear:')
        ? new URL(specifier, context.parentURL).href
        : '';
    if (url.startsWith('spear:')) return { url, format: 'module', shortCircuit: true };
    const parentURL = context.parentURL?.startsWith('spear:') ? head.packages : context.parentURL;
    return next(specifier, { ...context, parentURL });
  },
  load(url, context, next) {
    if (!url.startsWith('spear:')) return next(url, context);
    const source = texts[url];
    if (source === undefined) throw new Error(`no module ${url}`);
    delete texts[url];
    return { format: 'module', source, shortCircuit: true };
  },
});

const main = await import(head.main);
await main.serve(head.name, socket, head.guards);
