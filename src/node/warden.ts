/** Has what a node runs stopped where other nodes may take it for dead; decision 63. */
import { join } from 'node:path';
import type { NodeConfig } from '../config.ts';
import type { Clock } from '../domain/clock.ts';
import type { Cutoffs } from '../domain/cutoffs.ts';
import { Warden } from '../runtimes/containment/warden/warden.ts';
import { labels } from '../runtimes/docker/launch/container-spec.ts';
import type { Membership } from '../stores/membership.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Has the id of the warden's process; in the data folder. */
const pidFile = 'warden.pid';
const unixScheme = 'unix://';

/** For a node that shares its store; undefined for any other. It is closed by `opened`. */
export function openWarden(
  config: NodeConfig,
  {
    nodeId,
    clock,
    membership,
    lost,
  }: {
    readonly nodeId: string;
    readonly clock: Clock;
    readonly membership: Membership;
    readonly lost: Promise<Error>;
  },
  logger: Logger,
  opened: AsyncDisposableStack,
): Cutoffs | undefined {
  // Nobody else is there who could take it for dead; elsewhere than on Linux no runtime has cgroups.
  if (membership.incarnation === 0 || process.platform !== 'linux') return undefined;
  const { dockerHost, partitionGrace, reattachWithin } = config;
  const warden = new Warden({
    nodeId,
    clock,
    pidFile: join(config.dataDir, pidFile),
    graceMs: partitionGrace,
    reattachMs: reattachWithin,
    ...(dockerHost.startsWith(unixScheme) && {
      containers: { socket: dockerHost.slice(unixScheme.length), label: `${labels.node}=${nodeId}` },
    }),
    told(word) {
      if (word === 'thawed') logger.info('the lease is renewed: what runs goes on');
      else if (word === 'frozen')
        logger.warn('the lease could not be renewed in time: what runs stands still');
      else if (word === 'ended')
        logger.error('what stood still for longer than the grace was ended, or as other nodes have it');
    },
  });
  warden.until(membership.deadline());
  opened.defer(membership.onChange(() => warden.until(membership.deadline())));
  opened.defer(() => warden.close());
  void lost.then(() => warden.end());
  return warden;
}
