/** How a node reaches the others that use the same store, and they it; docs/cluster.md explains them. */
import type { Option } from './option.ts';

const address = { kind: 'text', placeholder: 'host:port' } as const;

export const clusterOptions = {
  clusterListen: {
    value: address,
    about: 'where the other nodes of the cluster reach this one; wants --cluster-secret-file',
    defaultWords: 'none: it has no link to others',
  },
  clusterAddress: {
    value: address,
    about: 'the address of --cluster-listen as other nodes dial it',
    defaultWords: 'where it listens',
  },
  clusterSecretFile: {
    value: { kind: 'text', placeholder: 'file', path: true },
    about: 'what the nodes of a cluster know each other by: the same 32 bytes or more on each',
  },
} as const satisfies Record<string, Option>;
