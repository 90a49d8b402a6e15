/** The groups of a batch, asked for anew when its counts have changed; not while the page is hidden. */
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { seconds } from '../../clock.ts';
import { type Call, CallFault, faultText } from '../../feed/call.ts';
import { layersOf } from '../../model/address.ts';
import type { Batch } from '../../model/batch.ts';
import { groupsOf, type MemberGroups } from '../../model/batch-groups.ts';
import type { GroupBatchMembersResponseJson } from '../../wire.ts';

export interface GroupsWatch {
  /** Undefined until the node has answered. */
  readonly groups: ReadonlySignal<MemberGroups | undefined>;
  /** Why the node does not tell; empty where it does. */
  readonly refusal: ReadonlySignal<string>;
  stop(): void;
}

/** The node counts all members for an answer. */
const everyMs = 1900;
/** As many bands of layers as fit on a screen or two. */
const maxBands = 8;

/** `zoom` are the layers that are wanted, as the address has them. */
export function watchGroups(call: Call, batch: ReadonlySignal<Batch | undefined>, zoom: string): GroupsWatch {
  const groups = signal<MemberGroups | undefined>(undefined);
  const refusal = signal('');
  const stopping = new AbortController();
  const wanted = layersOf(zoom);
  let asked = 0;
  let asking = false;
  let known = '';
  const read = async (batchId: string, counts: string): Promise<void> => {
    const layers = wanted && { firstLayer: wanted.first - 1, lastLayer: wanted.last - 1 };
    try {
      const answer = await call<GroupBatchMembersResponseJson>(
        'BatchService/GroupBatchMembers',
        { batchId, maxBands, ...layers },
        { signal: stopping.signal },
      );
      groups.value = groupsOf(answer);
      refusal.value = '';
      known = counts;
    } catch (error) {
      if (stopping.signal.aborted) return;
      // Nothing answered, which the page says elsewhere; what was told last stays.
      if (error instanceof CallFault && error.reason === 'UNREACHABLE') return;
      refusal.value = faultText(error);
    }
  };
  const stopBeat = effect(() => {
    const time = seconds.value;
    const now = batch.value;
    if (now === undefined || asking || time - asked < everyMs) return;
    const counts = JSON.stringify(now.counts);
    if (counts === known || refusal.peek() !== '') return;
    asked = time;
    asking = true;
    void read(now.id, counts).finally(() => {
      asking = false;
    });
  });
  return {
    groups,
    refusal,
    stop: () => {
      stopBeat();
      stopping.abort();
    },
  };
}
