/** Moves an alias back, after it has said from where to where. */
import type { Confirmation } from '../actions/dialogs.ts';
import type { Call, CallOptions } from '../feed/call.ts';
import { liveAlias, type Revisions, sharesText, type TaskAlias } from '../model/revision.ts';
import type { Notices } from '../shell/notices.ts';

interface Options {
  readonly call: Call;
  readonly within: CallOptions;
  readonly notices: Pick<Notices, 'say'>;
  readonly readAgain: () => void;
}

/** `alias` is undefined where the task has no `live`. */
export function rollbackOf(
  { taskId, taskName, revisions }: Revisions,
  alias: TaskAlias | undefined,
  { call, within, notices, readAgain }: Options,
): Confirmation {
  const name = alias?.name ?? liveAlias;
  const before = alias?.moves[1]?.shares;
  const text =
    alias === undefined
      ? [
          `Makes an alias live that names revision ${revisions[1]?.revision}: calls by the plain name go there instead of to revision ${revisions[0]?.revision}.`,
          'What is registered later gets these calls again when live is moved to it.',
        ]
      : before === undefined
        ? [`${name} names ${sharesText(alias.shares)}, and has not been moved yet.`]
        : [`${name} goes from ${sharesText(alias.shares)} back to ${sharesText(before)}.`];
  return {
    kind: 'confirm',
    title: `Roll back ${name} of ${taskName}?`,
    text: [...text, 'What was admitted keeps its revision.'],
    button: 'Roll back',
    danger: false,
    run: async () => {
      // The page may be behind: what somebody has moved since is not undone unseen.
      const request = { task: taskId, alias: name, expectedVersion: alias?.version ?? 0 };
      try {
        const answer = await call<{ readonly alias: Pick<TaskAlias, 'shares'> }>(
          'RevisionService/RollbackAlias',
          request,
          within,
        );
        notices.say(`${name} of ${taskName} names ${sharesText(answer.alias.shares)}`);
      } finally {
        readAgain();
      }
    },
  };
}
