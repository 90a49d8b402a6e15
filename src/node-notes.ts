/** Notes of the nodes of a user on this machine: a file for each gRPC port, which names the node's socket. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface NodeNoteFacts {
  /** HOST:PORT. */
  readonly grpcAddress: string;
  /** Path of the node's socket. */
  readonly socket: string;
  /** The address is reached over TLS. */
  readonly tls: boolean;
  readonly pid: number;
}

export function noteName(port: number): string {
  return `${port}.json`;
}

/** Undefined where there is none, or it is none of ours. */
export function readNote(path: string): NodeNoteFacts | undefined {
  try {
    const { grpcAddress, socket, pid, tls } = JSON.parse(
      readFileSync(path, 'utf8'),
    ) as Partial<NodeNoteFacts>;
    if (typeof grpcAddress !== 'string' || typeof socket !== 'string' || !isPid(pid)) return undefined;
    return { grpcAddress, socket, pid, tls: tls === true };
  } catch {
    return undefined;
  }
}

/**
 * The note of the node of this user that listens at a loopback address; undefined for a node of somebody else, or at
 * another address.
 */
export function noteOf(folder: string, host: string, port: number): NodeNoteFacts | undefined {
  const note = readNote(join(folder, noteName(port)));
  if (note === undefined || !isAlive(note.pid)) return undefined;
  const noted = note.grpcAddress.slice(0, note.grpcAddress.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  const same = noted === host || everywhere.includes(noted) || [noted, host].every(isUsual);
  return same ? note : undefined;
}

/** Addresses that stand for all of a machine. */
const everywhere: readonly string[] = ['0.0.0.0', '::'];

/** The names that one usual node on this machine goes by. */
function isUsual(host: string): boolean {
  return host === 'localhost' || host === '127.0.0.1' || host === '::1';
}

/** A name or an address that no other machine answers to. */
export function isLoopback(host: string): boolean {
  return isUsual(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

function isPid(pid: unknown): pid is number {
  return Number.isInteger(pid) && Number(pid) > 1;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
