/** How far a run is that runs executions again: the model of `RerunExecutionsResponse`. */
import type { RerunExecutionsResponseJson } from '../wire.ts';
import { enumWord, numberOf } from './scalar.ts';

export interface RerunProgress {
  readonly rerunId: string;
  readonly matched: number;
  readonly possible: number;
  /** Why others cannot run again, in words, and how many. */
  readonly refused: readonly RefusedCount[];
  /** Those that were made, those that an earlier call has made among them, and what became of them. */
  readonly started: number;
  readonly found: number;
  readonly completed: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly cancelled: number;
  readonly done: boolean;
  /** More are meant than one call takes. */
  readonly truncated: boolean;
}

export interface RefusedCount {
  /** Without its prefix, such as `ALREADY_RERUN`. */
  readonly reason: string;
  readonly words: string;
  readonly count: number;
}

const prefix = 'RERUN_REFUSAL_';

const words: Readonly<Record<string, string>> = {
  ALREADY_RERUN: 'were run again already',
  EXECUTION_GONE: 'are not there any more',
  NOT_ENDED: 'have not ended',
  MOVED: 'go on at another node',
  TASK_GONE: 'have a task that was deleted',
  REVISION_GONE: 'have a revision that was deleted',
  INPUT_GONE: 'have an input that cannot be read any more',
  REFUSED: 'are not taken by the node',
};

export function rerunProgressOf(json: RerunExecutionsResponseJson): RerunProgress {
  return {
    rerunId: json.rerunId,
    matched: numberOf(json.matched),
    possible: numberOf(json.possible),
    refused: json.refused.map(({ refusal, count }) => {
      const reason = enumWord(refusal, prefix);
      return { reason, words: words[reason] ?? reason, count: numberOf(count) };
    }),
    started: numberOf(json.started),
    found: numberOf(json.found),
    completed: numberOf(json.completed),
    failed: numberOf(json.failed),
    timedOut: numberOf(json.timedOut),
    cancelled: numberOf(json.cancelled),
    done: json.done,
    truncated: json.truncated,
  };
}

/** How many of the new ones have ended, and how many of these otherwise than completed. */
export function endedOf({ completed, failed, timedOut, cancelled }: RerunProgress): {
  readonly ended: number;
  readonly others: number;
} {
  const others = failed + timedOut + cancelled;
  return { ended: completed + others, others };
}

/** Why one that is named cannot be run again, in the words of the node; the first few of a message. */
export function refusedMessages(json: RerunExecutionsResponseJson): readonly string[] {
  return json.items.flatMap(({ refusal, message }) =>
    enumWord(refusal, prefix) === 'REFUSED' && message !== '' ? [message] : [],
  );
}
