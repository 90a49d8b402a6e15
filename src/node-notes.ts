/** Notes of the nodes of a user on this machine: a file for each gRPC port, which names the node's socket. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface NodeNoteFacts {
  /** HOST:PORT. */
  readonly grpcAddress: string;
  /** Path of the node's socket. */
  readonly socket: string;
  readonly pid: number;
}

export function noteName(port: number): string {
  return `${port}.json`;
}

/** Undefined where there is none, or it is none of ours. */
export function readNote(path: string): NodeNoteFacts | undefined {
  try {
    const { grpcAddress, socket, pid } = JSON.parse(readFileSync(path, 'utf8')) as Partial<NodeNoteFacts>;
    if (typeof grpcAddress !== 'string' || typeof socket !== 'string' || !Number.isInteger(pid))
      return undefined;
    return { grpcAddress, socket, pid: pid as number };
  } catch {
    return undefined;
  }
}

/** The socket of the node of this user that listens there; undefined for a node of somebody else, or elsewhere. */
export function socketOf(folder: string, port: number): string | undefined {
  const note = readNote(join(folder, noteName(port)));
  return note !== undefined && isAlive(note.pid) ? note.socket : undefined;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
