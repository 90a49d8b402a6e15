/** The instances of the node. They are no news of the feed: whoever looks at them asks every other second. */
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { seconds } from '../clock.ts';
import type { Call } from '../feed/call.ts';
import { type Instance, type InstancePool, instanceOf, poolOf } from '../model/instance.ts';
import type { InstanceJson, InstancePoolJson } from '../wire.ts';

export interface Instances {
  readonly instances: readonly Instance[];
  readonly pools: readonly InstancePool[];
}

const everyMs = 1800;

/** Reads them until the answer's `stop` is called. */
export function watchInstances(call: Call): { readonly known: ReadonlySignal<Instances>; stop(): void } {
  const known = signal<Instances>({ instances: [], pools: [] });
  let asked = 0;
  let asking = false;
  const read = async () => {
    const answer = await call<{
      readonly instances: readonly InstanceJson[];
      readonly pools: readonly InstancePoolJson[];
    }>('InstanceService/ListInstances', {});
    known.value = { instances: answer.instances.map(instanceOf), pools: answer.pools.map(poolOf) };
  };
  const stop = effect(() => {
    const time = seconds.value;
    if (asking || time - asked < everyMs) return;
    asked = time;
    asking = true;
    read()
      // The next turn asks again, and the connection's own state says that the node is away.
      .catch(() => {})
      .finally(() => {
        asking = false;
      });
  });
  return { known, stop };
}
