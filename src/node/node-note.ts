/** A note for the command where this node is reached on this machine, in the state folder of the user. */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { splitAddress } from '../config.ts';
import { isAlive, type NodeNoteFacts, noteName, readNote } from '../node-notes.ts';

export interface NodeNote {
  remove(): void;
}

/** Also forgets those of nodes that have ended. Throws where the folder cannot be written. */
export function leaveNote(
  folder: string,
  { grpcAddress, socket, tls }: Omit<NodeNoteFacts, 'pid'>,
): NodeNote {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(folder)) {
    if (!/^\d+\.json$/.test(name)) continue;
    const note = readNote(join(folder, name));
    if (note === undefined || !isAlive(note.pid)) rmSync(join(folder, name), { force: true });
  }
  const { port } = splitAddress('--grpc-address', grpcAddress);
  const path = join(folder, noteName(port));
  const text = `${JSON.stringify({ grpcAddress, socket, tls, pid: process.pid })}\n`;
  writeFileSync(`${path}.${process.pid}`, text, { mode: 0o600 });
  renameSync(`${path}.${process.pid}`, path);
  return {
    remove() {
      // Another node may have come to the port meanwhile.
      if (readNote(path)?.pid === process.pid) rmSync(path, { force: true });
    },
  };
}
