/** ClusterService: the nodes that share a store, and taking them out of it. */
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
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
  return {
    async listNodes() {
      return create(ListNodesResponseSchema, { nodes: cluster.nodes().map(nodeToWire) });
    },

    async watchCluster(_request, call, send) {
      let told = '';
      let wake: (() => void) | undefined;
      const stop = cluster.onChange(() => wake?.());
      call.onGone(() => wake?.());
      try {
        while (!call.gone) {
          const nodes = cluster.nodes();
          const text = JSON.stringify(nodes);
          if (text !== told) {
            told = text;
            await send(create(WatchClusterResponseSchema, { nodes: nodes.map(nodeToWire) }));
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

    async drainNode({ node }, { principal }) {
      const ordered = await cluster.order(reference('node', node), 'drain', principal.name);
      return create(DrainNodeResponseSchema, { node: nodeToWire(ordered.node) });
    },
  };
}

function nodeToWire({ incarnation, startedAt, labels, ...node }: ClusterNode): ClusterNodeMessage {
  return create(ClusterNodeSchema, {
    ...node,
    incarnation: BigInt(incarnation),
    labels: { ...labels },
    ...(startedAt > 0 && { startedAt: timestampFromMs(startedAt) }),
  });
}
