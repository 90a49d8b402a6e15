/** What still runs of executions that have ended. */
import { readdirSync, readFileSync } from 'node:fs';
import Docker from 'dockerode';
import { labels } from '../../src/runtimes/docker/launch/container-spec.ts';
import { dockerSocket } from '../support/docker-image.ts';
import type { ClusterNode } from './cluster-nodes.ts';
import type { Witness } from './witness.ts';

/** In words. */
export async function alive(
  { folder }: Witness,
  nodes: readonly ClusterNode[],
  hasEngine: boolean,
): Promise<string[]> {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ name, command: commandOf(name) }))
    .filter(({ command }) => command.includes(`${folder}/beat`))
    .map(({ name, command }) => `process ${name} still runs: ${command}`);
  return hasEngine ? [...processes, ...(await containersOf(nodes))] : processes;
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

async function containersOf(nodes: readonly ClusterNode[]): Promise<string[]> {
  const ids = new Set(nodes.map(({ nodeId }) => nodeId));
  const found = await new Docker({ socketPath: dockerSocket }).listContainers({ all: true });
  return found
    .filter((each) => ids.has(String(each.Labels[labels.node])))
    .map(({ Names, Status }) => `container ${Names.join(' ')} is still there: ${Status}`);
}
