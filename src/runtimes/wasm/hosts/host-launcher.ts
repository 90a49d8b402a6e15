import type { Clock } from '../../../domain/clock.ts';
import { guestsOf, makeContainment } from '../../containment/containment.ts';
import { closing, inheritedDescriptors } from '../../containment/launch/inherited-descriptors.ts';
import type { WasmLogger } from '../logger.ts';
import type { HostLauncher } from './host-process.ts';
import { PlainHostLauncher } from './plain-host.ts';
import { findWalls, WalledHostLauncher } from './walled-host.ts';

interface HostLauncherOptions {
  /** Names the node's folders and cgroups on this machine; safe as a file name. */
  readonly nodeId: string;
  readonly clock: Clock;
  readonly logger?: WasmLogger;
}

/** The best way to start guest hosts on this machine; what it lacks is logged. Starts nothing yet. */
export async function openHostLauncher({
  nodeId,
  clock,
  logger,
}: HostLauncherOptions): Promise<HostLauncher> {
  const failure = await makeLauncher({ nodeId, clock, ...(logger && { logger }) });
  if (!('reason' in failure)) return failure;
  logger?.warn(failure, 'guest hosts have no bound of memory here and see the files of the node’s user');
  return new PlainHostLauncher();
}

async function makeLauncher({
  nodeId,
  clock,
  logger,
}: HostLauncherOptions): Promise<HostLauncher | { readonly reason: string }> {
  if (process.platform !== 'linux') return { reason: `there are no cgroups on ${process.platform}` };
  try {
    // Of its own: processes may be denied on this node, and their runtime closes what it has.
    const made = await makeContainment({
      nodeId: guestsOf(nodeId),
      clock,
      wrapper: closing(inheritedDescriptors()) ?? [],
    });
    if ('reason' in made) return made;
    // Before there is anything to end: a node that is killed leaves its folders behind, too.
    made.watchdog.watch();
    return new WalledHostLauncher(made, await findWalls(made.scratch.path, logger), { clock, logger });
  } catch (error) {
    return { reason: error instanceof Error ? error.message : 'the system refused it' };
  }
}
