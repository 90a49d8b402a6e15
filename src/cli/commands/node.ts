/** `spear node`: the nodes that share a store, and taking them out of it. */
import { Command } from 'commander';
import {
  type ClusterNode,
  CordonNodeResponseSchema,
  DrainNodeResponseSchema,
  ListNodesResponseSchema,
  UncordonNodeResponseSchema,
  WatchClusterResponseSchema,
} from '../../server/gen/spearlet/cluster_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { Table } from '../table.ts';

export function nodeCommand(shell: Shell): Command {
  return new Command('node')
    .description('the nodes of the cluster, and taking them out of it')
    .addCommand(listCommand(shell))
    .addCommand(cordonCommand(shell))
    .addCommand(uncordonCommand(shell))
    .addCommand(drainCommand(shell));
}

function listCommand(shell: Shell): Command {
  const command = new Command('list')
    .description('list the nodes that share the store')
    .option('--watch', 'go on, and list them again whenever something of them changes');
  onServer<{ readonly watch?: boolean }>(command, shell, async (session, { watch }) => {
    if (watch === true) {
      for await (const answer of session.cluster.watchCluster({})) {
        if (session.json) await session.printLine(WatchClusterResponseSchema, answer);
        else await write(shell, answer.nodes);
      }
      return exitCodes.completed.code;
    }
    const answer = await session.cluster.listNodes({});
    if (session.json) await session.printDocument(ListNodesResponseSchema, answer);
    else {
      await write(shell, answer.nodes);
      const { unowned = 0 } = answer;
      const are = unowned === 1 ? 'execution waits' : 'executions wait';
      if (unowned > 0) await note(shell, `${unowned} ${are} for a slot of any node`);
    }
    return exitCodes.completed.code;
  });
  return command;
}

function cordonCommand(shell: Shell): Command {
  const command = new Command('cordon')
    .description('let a node take nothing new, also after a restart; what it has goes on')
    .argument('<node>', 'its name or id');
  onServer(command, shell, async (session, _options, [node = '']) => {
    const answer = await session.cluster.cordonNode({ node });
    if (session.json) await session.printDocument(CordonNodeResponseSchema, answer);
    else await note(shell, `${node} ${answer.changed ? 'takes nothing new' : 'was cordoned already'}`);
    return exitCodes.completed.code;
  });
  return command;
}

function uncordonCommand(shell: Shell): Command {
  const command = new Command('uncordon')
    .description('let a node that was cordoned or drained take what is new again')
    .argument('<node>', 'its name or id');
  onServer(command, shell, async (session, _options, [node = '']) => {
    const answer = await session.cluster.uncordonNode({ node });
    if (session.json) await session.printDocument(UncordonNodeResponseSchema, answer);
    else await note(shell, `${node} ${answer.changed ? 'takes what is new again' : 'was not cordoned'}`);
    return exitCodes.completed.code;
  });
  return command;
}

function drainCommand(shell: Shell): Command {
  const command = new Command('drain')
    .description('cordon a node, and have the others take over what it has; it then begins anew, cordoned')
    .argument('<node>', 'its name or id')
    .option(
      '--to <node>',
      'the name or id of the node that is to have it; what waits for a slot goes where one is free',
    );
  onServer<{ readonly to?: string }>(command, shell, async (session, { to = '' }, [node = '']) => {
    const answer = await session.cluster.drainNode({ node, to });
    if (session.json) await session.printDocument(DrainNodeResponseSchema, answer);
    else
      await note(
        shell,
        `${node} gives what it has to ${to === '' ? 'the others' : to}; ${session.command('node', 'uncordon', node)} brings it back`,
      );
    return exitCodes.completed.code;
  });
  return command;
}

async function write(shell: Shell, nodes: readonly ClusterNode[]): Promise<void> {
  const heading = ['NAME', 'STATE', 'RUNNING', 'OF', 'WAITING', 'ADDRESS', 'LABELS', 'VERSION', 'ID'];
  const table = new Table(shell.out, heading, {
    optional: ['ID', 'VERSION', 'LABELS', 'ADDRESS'],
    elastic: ['LABELS'],
  });
  await table.write(
    nodes.map((node) => [
      node.name,
      stateOf(node),
      countText(node.running),
      String(node.slots),
      countText(node.pending),
      node.grpcAddress === '' ? '-' : node.grpcAddress,
      labelsText(node.labels),
      node.version === '' ? '-' : node.version,
      node.nodeId,
    ]),
  );
}

/** Of all tenants: not everybody hears it. */
function countText(count: number | undefined): string {
  return count === undefined ? '-' : String(count);
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const texts = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return texts.length === 0 ? '-' : texts.sort().join(',');
}

/** In one word or two, the most important first. */
function stateOf({ alive, state, cordoned, storeFault }: ClusterNode): string {
  if (!alive) return 'silent';
  if (storeFault !== '') return 'store failing';
  return cordoned ? `${state}, cordoned` : state;
}
