/** How a node reaches the others that use the same store, and they it; docs/cluster.md explains them. */
import { longestMs } from '../domain/schema/values.ts';
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
  reattachWithin: {
    value: { kind: 'duration', placeholder: 'duration', least: 0, most: longestMs },
    about: 'how long a container of a node that is gone is left to the next start of that node',
    default: 15_000,
  },
  partitionGrace: {
    value: { kind: 'duration', placeholder: 'duration', least: 1000, most: longestMs },
    about: 'how long what runs may stand still while the store cannot be reached, before it is ended',
    default: 30_000,
  },
} as const satisfies Record<string, Option>;
