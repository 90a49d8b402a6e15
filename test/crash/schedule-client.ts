import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceClient } from '../../src/client/channel.ts';
import {
  type Firing,
  type ScheduleDefinitionSchema,
  ScheduleService,
} from '../../src/server/gen/spearlet/schedule_pb.js';
import { readRefusal } from '../server/refusal.ts';
import type { Peer } from '../support/server.ts';
import type { SchedulePlan } from './history.ts';
import type { Scribe } from './scribe.ts';

/** Calls a server about schedules as `Client` does about executions. */
export class ScheduleClient {
  readonly #schedules: ServiceClient<typeof ScheduleService>;
  readonly #scribe: Scribe;

  constructor({ connection }: Peer, scribe: Scribe) {
    this.#schedules = connection.service(ScheduleService);
    this.#scribe = scribe;
  }

  async create(
    { name }: SchedulePlan,
    definition: MessageInitShape<typeof ScheduleDefinitionSchema>,
  ): Promise<void> {
    await this.#say('createSchedule', name, async () => {
      await this.#schedules.createSchedule({ definition: { ...definition, name } });
      this.#scribe.tell({ kind: 'scheduleMade', schedule: name });
    });
  }

  async pause(name: string): Promise<void> {
    this.#scribe.pausedSchedules.add(name);
    await this.#say('pauseSchedule', name, () => this.#schedules.pauseSchedule({ name }));
  }

  async resume(name: string): Promise<void> {
    await this.#say('resumeSchedule', name, () => this.#schedules.resumeSchedule({ name }));
  }

  async trigger(name: string): Promise<void> {
    await this.#say('triggerSchedule', name, async () => {
      const { firing } = await this.#schedules.triggerSchedule({ name });
      if (firing !== undefined) this.#heard(name, [firing]);
    });
  }

  /** All instants of the last `ms`. */
  async backfill(name: string, ms: number): Promise<void> {
    await this.#say('backfillSchedule', name, async () => {
      const now = Date.now();
      const span = { from: timestampFromMs(now - ms), to: timestampFromMs(now) };
      this.#heard(name, (await this.#schedules.backfillSchedule({ name, ...span })).firings);
    });
  }

  async firings(name: string): Promise<void> {
    await this.#say('listFirings', name, async () => {
      this.#heard(name, (await this.#schedules.listFirings({ name })).firings);
    });
  }

  async delete(name: string): Promise<void> {
    this.#scribe.deletedSchedules.add(name);
    await this.#say('deleteSchedule', name, async () => {
      await this.#schedules.deleteSchedule({ name });
      this.#scribe.tell({ kind: 'scheduleDeleted', schedule: name, at: Date.now() });
    });
  }

  #heard(schedule: string, firings: readonly Firing[]): void {
    this.#scribe.tell({ kind: 'firings', schedule, firings });
  }

  /** A call that the death of the server cut off says nothing; one that the server refused says why. */
  async #say(call: string, schedule: string, talk: () => Promise<unknown>): Promise<void> {
    try {
      await talk();
    } catch (error) {
      const { code, reason, message } = readRefusal(error);
      if (reason !== '') this.#scribe.tell({ kind: 'refused', call, schedule, code, reason, message });
    }
  }
}
