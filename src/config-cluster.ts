/** How a node is linked to the others that use the same store; docs/cluster.md explains it. */
import { invalidArgument, quote } from './domain/errors.ts';

export interface ClusterConfig {
  /** HOST:PORT; empty for no link to other nodes. Port 0 takes a free one. */
  readonly clusterListen: string;
  /** HOST:PORT as others dial it; empty for where it listens. */
  readonly clusterAddress: string;
  /** File of the secret that the nodes share; empty for none. */
  readonly clusterSecretFile: string;
}

/**
 * `split` takes HOST:PORT apart, or throws. Throws a RequestError that names the flag and what is allowed.
 *
 * @param isShared several nodes may use the store
 */
export function resolveCluster(
  read: (name: keyof ClusterConfig) => string | undefined,
  split: (flag: string, value: string) => { readonly host: string; readonly port: number },
  isShared: boolean,
): ClusterConfig {
  const clusterListen = read('clusterListen') ?? '';
  const clusterAddress = read('clusterAddress') ?? '';
  const clusterSecretFile = read('clusterSecretFile') ?? '';
  if (clusterListen === '') {
    for (const [flag, value] of [
      ['--cluster-address', clusterAddress],
      ['--cluster-secret-file', clusterSecretFile],
    ] as const) {
      if (value !== '') throw invalidArgument(flag, `is ${quote(value)}, and there is no --cluster-listen`);
    }
    return { clusterListen, clusterAddress, clusterSecretFile };
  }
  const { host } = split('--cluster-listen', clusterListen);
  if (!isShared) {
    throw invalidArgument(
      '--cluster-listen',
      `is ${quote(clusterListen)}, and other nodes share no store with this one; allowed is it with --store postgres://…`,
    );
  }
  if (clusterSecretFile === '') {
    throw invalidArgument(
      '--cluster-secret-file',
      'is missing; with --cluster-listen allowed is a file with 32 bytes or more, the same on each node',
    );
  }
  if (clusterAddress !== '') {
    if (split('--cluster-address', clusterAddress).port === 0) {
      throw invalidArgument('--cluster-address', `is ${quote(clusterAddress)}; allowed is a port from 1 on`);
    }
  } else if (host === '0.0.0.0' || host === '::') {
    throw invalidArgument(
      '--cluster-address',
      `is missing; with --cluster-listen ${clusterListen} allowed is HOST:PORT as the other nodes dial it`,
    );
  }
  return { clusterListen, clusterAddress, clusterSecretFile };
}
