/** The actions that one execution has now and the reader may do, and what they ask before they act. */

import type { MethodName } from '../../../domain/method-roles.ts';
import type { ExecutionRow } from '../model/execution-row.ts';
import type { ExecutionAction } from '../model/execution-source.ts';
import { isEnded } from '../model/status.ts';
import type { May } from '../session/may.ts';
import type { Tenants } from '../session/tenants.ts';
import type { Notices } from '../shell/notices.ts';
import type { Acts } from './acts.ts';
import type { Dialogs } from './dialogs.ts';

interface Options {
  readonly acts: Acts;
  readonly may: May;
  readonly tenants: Pick<Tenants, 'all'>;
  readonly dialogs: Dialogs;
  readonly notices: Notices;
  /** After the execution is forgotten. */
  readonly left: (id: string) => void;
}

/** What each of them asks the node for. */
const methods = {
  cancel: 'FunctionService/CancelExecution',
  suspend: 'FunctionService/SuspendExecution',
  resume: 'FunctionService/ResumeExecution',
  rerun: 'FunctionService/InvokeFunction',
  breakpoint: 'NodeService/SetBreakpoint',
  delete: 'FunctionService/DeleteExecution',
} as const satisfies Record<ExecutionAction['name'], MethodName>;

export function executionActions(row: ExecutionRow, options: Options): readonly ExecutionAction[] {
  const { acts, may, tenants, dialogs, notices, left } = options;
  const { id, allowedEvents } = row;
  const ended = isEnded(row.status);
  const refusalOf = (event: string) => (allowedEvents.includes(event) ? '' : `not possible in ${row.state}`);
  const resumes = allowedEvents.includes('resume');
  const whileItLasts: readonly ExecutionAction[] = [
    {
      name: resumes ? 'resume' : 'suspend',
      label: resumes ? 'Resume' : 'Suspend',
      danger: false,
      refusal: resumes ? '' : refusalOf('suspend'),
      run: () => dialogs.show(resumes ? resuming(row) : suspending(row)),
    },
    {
      name: 'cancel',
      label: 'Cancel',
      danger: true,
      refusal: refusalOf('cancel'),
      run: () => dialogs.show(cancelling(row)),
    },
    {
      name: 'breakpoint',
      label: 'Breakpoints',
      danger: false,
      refusal: '',
      run: () => dialogs.show({ kind: 'breakpoints', execution: id }),
    },
  ];
  const rerun: ExecutionAction = {
    name: 'rerun',
    label: 'Run again',
    danger: false,
    refusal: '',
    run: () => dialogs.show({ kind: 'rerun', execution: id }),
  };
  const remove: ExecutionAction = {
    name: 'delete',
    label: 'Delete',
    danger: true,
    refusal: '',
    run: () => dialogs.show(deleting(row)),
  };
  const mayHere = ({ name }: ExecutionAction) =>
    may(methods[name]) && (name !== 'breakpoint' || !tenants.all);
  return (ended ? [rerun, remove] : [...whileItLasts, rerun]).filter(mayHere);

  function cancelling({ taskName, state }: ExecutionRow) {
    return {
      kind: 'confirm' as const,
      title: 'Cancel this execution?',
      text: [
        `${taskName} ${id} is in ${state}.`,
        'An attempt that runs is asked to stop, then made to. It ends as Cancelled, and that cannot be undone.',
      ],
      button: 'Cancel execution',
      danger: true,
      field: 'Reason, for the log (optional)',
      run: async (reason: string) => {
        const changed = await acts.cancel(id, reason);
        notices.say(changed ? `Asked ${taskName} to end` : `${taskName} had ended already`);
      },
    };
  }

  function suspending({ taskName, state }: ExecutionRow) {
    const running = state === 'running.attempting';
    return {
      kind: 'confirm' as const,
      title: 'Suspend this execution?',
      text: [
        running
          ? `${taskName} ${id} runs: a container is paused; any other attempt is stopped and run anew when it is resumed.`
          : `${taskName} ${id} stays in its place and starts nothing until it is resumed.`,
        'Its total timeout goes on counting, unless the task says otherwise.',
      ],
      button: 'Suspend',
      danger: false,
      run: async () => {
        const changed = await acts.suspend(id);
        notices.say(changed ? `${taskName} is held` : `${taskName} was held already`);
      },
    };
  }

  function resuming({ taskName }: ExecutionRow) {
    return {
      kind: 'confirm' as const,
      title: 'Let this execution go on?',
      text: [`${taskName} ${id} goes on where it was held.`],
      button: 'Resume',
      danger: false,
      run: async () => {
        const changed = await acts.resume(id);
        notices.say(changed ? `${taskName} goes on` : `${taskName} was not held`);
      },
    };
  }

  function deleting({ taskName }: ExecutionRow) {
    return {
      kind: 'confirm' as const,
      title: 'Delete this execution?',
      text: [
        `The node forgets ${taskName} ${id}: its record, its log and its invocation id. That cannot be undone.`,
      ],
      button: 'Delete',
      danger: true,
      run: async () => {
        await acts.remove(id);
        notices.say(`Deleted ${id}`);
        left(id);
      },
    };
  }
}
