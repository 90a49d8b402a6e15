import { readFileSync } from 'node:fs';
import type { ResourceUse } from '../../../domain/execution.ts';
import { findCommand, runCommand } from '../command.ts';
import type { Cell, Cells } from './cell.ts';

/**
 * A namespace of process ids whose first process takes all others with it. `unshare` is the process that the node
 * sees; it dies with the node, and its child, the first in the namespace, with it.
 */
const wrapper = (setpriv: string, unshare: string): string[] => [
  ...outer(setpriv),
  unshare,
  '--user',
  '--map-current-user',
  '--pid',
  '--fork',
  '--kill-child',
  '--',
];

/** Of what the node sees, so that it dies with who started it. */
const outer = (setpriv: string): string[] => [setpriv, '--pdeathsig', 'KILL'];

/** Cells for a node that may not make cgroups: they hold an instance together, but to no limit. */
export class NamespaceCells implements Cells {
  readonly holds = { memory: false, processes: false, cpu: false, cpuTime: false };
  readonly folders = [];
  readonly #setpriv: string;
  readonly #unshare: string;

  constructor(setpriv: string, unshare: string) {
    this.#setpriv = setpriv;
    this.#unshare = unshare;
  }

  take(): Cell {
    return new NamespaceCell(wrapper(this.#setpriv, this.#unshare), outer(this.#setpriv));
  }

  close(): void {}
}

class NamespaceCell implements Cell {
  readonly joins = [];
  readonly nested = true;
  readonly wrapper: readonly string[];
  readonly outerWrapper: readonly string[];
  #outer = 0;

  constructor(wrapper: readonly string[], outerWrapper: readonly string[]) {
    this.wrapper = wrapper;
    this.outerWrapper = outerWrapper;
  }

  started(pid: number): void {
    this.#outer = pid;
  }

  kill(): void {
    // `unshare` is left to wait for its child, so that its own end says that all are gone.
    const inner = childrenOf(this.#outer);
    for (const pid of inner.length === 0 ? [this.#outer] : inner) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It is gone already.
      }
    }
  }

  /** `unshare` ends when the first process of the namespace was reaped, and that is after all others. */
  isEmpty(): boolean {
    return childrenOf(this.#outer).length === 0;
  }

  limitMemory(): void {}

  setBackground(): void {}

  cpuTimeUs(): undefined {}

  resourceUse(): ResourceUse {
    return {};
  }

  socketsExceedMemory(): undefined {}

  ranOutOfMemory(): boolean {
    return false;
  }

  release(): void {}
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  } catch {
    // The process has ended.
    return [];
  }
}

/** Resolves with the cells, or with why namespaces cannot be made. */
export async function makeNamespaceCells(): Promise<NamespaceCells | { readonly reason: string }> {
  const setpriv = findCommand('setpriv');
  const unshare = findCommand('unshare');
  if (setpriv === undefined || unshare === undefined) {
    return { reason: 'setpriv and unshare of util-linux are not installed' };
  }
  const command = wrapper(setpriv, unshare);
  const [file = setpriv, ...args] = command;
  const works = await runCommand(file, [...args, '/bin/sh', '-c', ':']);
  return works
    ? new NamespaceCells(setpriv, unshare)
    : { reason: 'unshare cannot make a user and process id namespace' };
}
