/** Where executions are held to be looked at, and those that are. */
import { useSignalEffect } from '@preact/signals';
import { useState } from 'preact/hooks';
import { seconds } from '../clock.ts';
import { faultText } from '../feed/call.ts';
import { type Breakpoint, type Stop, stops } from '../model/breakpoint.ts';
import { countText } from '../model/quantity.ts';
import { usePage } from '../shell/page.ts';
import type { Confirmation } from './dialogs.ts';
import { FaultLine } from './fault-line.tsx';
import { HeldList } from './held-list.tsx';
import { Modal } from './modal.tsx';
import { useSubmission } from './submission.ts';

interface Props {
  readonly task: string | undefined;
  readonly execution: string | undefined;
  readonly close: () => void;
}

export function BreakpointsDialog({ task, execution, close }: Props) {
  const { acts, dialogs, feed, may, tenants, notices } = usePage();
  const [fault, setFault] = useState('');
  useSignalEffect(() => {
    // Hits are no news of the feed, and one that holds once is gone after it.
    void seconds.value;
    acts
      .readBreakpoints()
      .then(() => setFault(''))
      .catch((error: unknown) => setFault(faultText(error)));
  });
  const all = acts.breakpoints.value;
  const near = !feed.away.value;
  // A breakpoint does not say whose it is.
  const one = near && !tenants.all;
  const maySet = one && may('NodeService/SetBreakpoint');
  const mayRemove = one && may('NodeService/DeleteBreakpoint');
  const back = {
    kind: 'breakpoints' as const,
    ...(task !== undefined && { task }),
    ...(execution !== undefined && { execution }),
  };
  const removing = (breakpoint: Breakpoint): Confirmation => ({
    kind: 'confirm',
    title: 'Remove this breakpoint?',
    text: [
      `Nothing more is held ${wordsOf(breakpoint)} of ${ofWhat(breakpoint)}. What it holds stays held until it is resumed.`,
    ],
    button: 'Remove',
    danger: false,
    back,
    run: async () => {
      await acts.removeBreakpoint(breakpoint.id);
      notices.say('Removed the breakpoint');
    },
  });
  return (
    <Modal title="Breakpoints" close={close} wide>
      <p class="quiet">
        An execution that comes to a breakpoint is held there, before the step happens; its total timeout goes
        on counting. What is held stays held through a restart of the node, and the breakpoints end with it.
      </p>
      <FaultLine text={fault} />
      {all.length === 0 ? (
        <p class="nothing">None is set.</p>
      ) : (
        <table class="lined">
          <thead>
            <tr>
              <th scope="col">Holds</th>
              <th scope="col">Of</th>
              <th scope="col">Hits</th>
              <th scope="col">
                <span class="hidden">Remove</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((each) => (
              <BreakpointRow
                key={each.id}
                breakpoint={each}
                allowed={mayRemove}
                remove={() => dialogs.show(removing(each))}
              />
            ))}
          </tbody>
        </table>
      )}
      {near && tenants.all && <p class="quiet">To set or remove one, choose a tenant.</p>}
      {maySet && <BreakpointForm task={task ?? ''} execution={execution ?? ''} />}
      <HeldList near={near} back={back} close={close} />
    </Modal>
  );
}

function BreakpointRow({
  breakpoint,
  allowed,
  remove,
}: {
  readonly breakpoint: Breakpoint;
  readonly allowed: boolean;
  readonly remove: () => void;
}) {
  const { once, hits } = breakpoint;
  return (
    <tr>
      <td>
        {wordsOf(breakpoint)} {once && <span class="quiet">once</span>}
      </td>
      <td class="mono">{ofWhat(breakpoint)}</td>
      <td>{countText(hits)}</td>
      <td class="end">
        {allowed && (
          <button type="button" class="button plain" onClick={remove}>
            Remove
          </button>
        )}
      </td>
    </tr>
  );
}

function wordsOf({ before }: Breakpoint): string {
  return stops[before as Stop] ?? before;
}

function ofWhat({ task, executionId }: Breakpoint): string {
  return task || executionId;
}

function BreakpointForm({ task, execution }: { readonly task: string; readonly execution: string }) {
  const { acts, tasks, notices } = usePage();
  const [scope, setScope] = useState<'task' | 'execution'>(execution !== '' ? 'execution' : 'task');
  const [of, setOf] = useState({ task, execution });
  // The tasks may be heard of after the dialog is open.
  const ofTask = of.task || (tasks.value[0]?.name ?? '');
  const [before, setBefore] = useState<Stop>('running.attempting');
  const [once, setOnce] = useState(true);
  const { busy, fault, submit } = useSubmission(async () => {
    await acts.addBreakpoint({
      task: scope === 'task' ? ofTask : '',
      execution: scope === 'execution' ? of.execution.trim() : '',
      before,
      once,
    });
    notices.say(`Breakpoint set ${stops[before]}`);
  });
  return (
    <form onSubmit={submit} class="form inline-form">
      <h3>Set one</h3>
      <label class="labelled">
        Hold
        <select
          class="field"
          value={before}
          onChange={(event) => setBefore(event.currentTarget.value as Stop)}
        >
          {Object.entries(stops).map(([state, words]) => (
            <option key={state} value={state}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label class="labelled">
        Of
        <select
          class="field"
          value={scope}
          onChange={(event) => setScope(event.currentTarget.value as 'task' | 'execution')}
        >
          <option value="task">every execution of a task</option>
          <option value="execution">one execution</option>
        </select>
      </label>
      {scope === 'task' ? (
        <label class="labelled">
          Task
          <select
            class="field"
            value={ofTask}
            onChange={(event) => setOf({ ...of, task: event.currentTarget.value })}
          >
            {tasks.value.map(({ id, name }) => (
              <option key={id} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      ) : (
        <label class="labelled">
          Execution id
          <input
            class="field mono"
            value={of.execution}
            onInput={(event) => setOf({ ...of, execution: event.currentTarget.value })}
          />
        </label>
      )}
      <label class="checked">
        <input type="checkbox" checked={once} onChange={(event) => setOnce(event.currentTarget.checked)} />
        Once
      </label>
      <button
        type="submit"
        class="button primary"
        disabled={busy || (scope === 'task' ? ofTask === '' : of.execution.trim() === '')}
      >
        Set
      </button>
      <FaultLine text={fault} />
    </form>
  );
}
