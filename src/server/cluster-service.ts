/** ClusterService: the nodes that share a store, and taking them out of it. */
import { create, toJsonString } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { mayReadAllTenants, type Principal } from '../domain/access.ts';
import type { Cluster, ClusterNode } from '../domain/cluster.ts';
import type { StreamHandler, UnaryHandler } from './call.ts';
import {
  type ClusterNode as ClusterNodeMessage,
  ClusterNodeSchema,
  type CordonNodeRequest,
  type CordonNodeResponse,
  CordonNodeResponseSchema,
  type DrainNodeRequest,
  type DrainNodeResponse,
  DrainNodeResponseSchema,
  type ListNodesRequest,
  type ListNodesResponse,
  ListNodesResponseSchema,
  type UncordonNodeRequest,
  type UncordonNodeResponse,
  UncordonNodeResponseSchema,
  type WatchClusterRequest,
  type WatchClusterResponse,
  WatchClusterResponseSchema,
} from './gen/spearlet/cluster_pb.js';
import { reference } from './wire/fields.ts';

export interface ClusterService {
  readonly listNodes: UnaryHandler<ListNodesRequest, ListNodesResponse>;
  readonly watchCluster: StreamHandler<WatchClusterRequest, WatchClusterResponse>;
  readonly cordonNode: UnaryHandler<CordonNodeRequest, CordonNodeResponse>;
  readonly uncordonNode: UnaryHandler<UncordonNodeRequest, UncordonNodeResponse>;
  readonly drainNode: UnaryHandler<DrainNodeRequest, DrainNodeResponse>;
}

export function createClusterService(cluster: Cluster): ClusterService {
  const nodesFor = (principal: Principal): ClusterNodeMessage[] =>
    cluster.nodes().map((node) => nodeToWire(mayReadAllTenants(principal) ? node : withoutLoad(node)));
  return {
    async listNodes(_request, { principal }) {
      const unowned = mayReadAllTenants(principal) ? await cluster.unowned() : undefined;
      const counted = unowned === undefined ? {} : { unowned };
      return create(ListNodesResponseSchema, { nodes: nodesFor(principal), ...counted });
    },

    async watchCluster(_request, call, send) {
      let told = '';
      let wake: (() => void) | undefined;
      const stop = cluster.onChange(() => wake?.());
      call.onGone(() => wake?.());
      try {
        while (!call.gone) {
          const message = create(WatchClusterResponseSchema, { nodes: nodesFor(call.principal) });
          const text = toJsonString(WatchClusterResponseSchema, message);
          if (text !== told) {
            told = text;
            await send(message);
          }
          if (call.gone) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        stop();
      }
    },

    async cordonNode({ node }, { principal }) {
      const ordered = await cluster.order(reference('node', node), 'cordon', principal.name);
      return create(CordonNodeResponseSchema, {
        changed: ordered.changed,
        node: nodeToWire(ordered.node),
      });
    },

    async uncordonNode({ node }, { principal }) {
      const ordered = await cluster.order(reference('node', node), 'uncordon', principal.name);
      return create(UncordonNodeResponseSchema, {
        changed: ordered.changed,
        node: nodeToWire(ordered.node),
      });
    },

    async drainNode({ node, to }, { principal }) {
      const heir = to === '' ? undefined : reference('to', to);
      const ordered = await cluster.order(reference('node', node), 'drain', principal.name, heir);
      return create(DrainNodeResponseSchema, { node: nodeToWire(ordered.node) });
    },
  };
}

/** How much there is to do is of all tenants. */
function withoutLoad({ running: _running, pending: _pending, ...node }: ClusterNode): ShownNode {
  return { ...node, clusterAddress: '' };
}

type ShownNode = Omit<ClusterNode, 'running' | 'pending'> & Partial<Pick<ClusterNode, 'running' | 'pending'>>;

function nodeToWire({ incarnation, startedAt, labels, ...node }: ShownNode): ClusterNodeMessage {
  return create(ClusterNodeSchema, {
    ...node,
    incarnation: BigInt(incarnation),
    labels: { ...labels },
    ...(startedAt > 0 && { startedAt: timestampFromMs(startedAt) }),
  });
}
