/** Runs many executions again: counts, asks, says how far it is, and what came of it. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { useLink } from '../model/link.ts';
import { countText } from '../model/quantity.ts';
import { endedOf, type RerunProgress } from '../model/rerun.ts';
import { createRerunRun, type RerunChoice, type RerunRun, type RerunState } from '../rerun/rerun-run.ts';
import { usePage } from '../shell/page.ts';
import type { RerunSubject } from './dialogs.ts';
import { FaultLine } from './fault-line.tsx';
import { Modal } from './modal.tsx';
import './rerun-many.css';

interface Props {
  readonly subject: RerunSubject;
  readonly close: () => void;
}

export function RerunManyDialog({ subject, close }: Props) {
  const { callForLines } = usePage();
  const [choice, setChoice] = useState<RerunChoice>({ again: false, revision: '' });
  const run = useMemo(() => createRerunRun(callForLines, subject.request), [callForLines, subject]);
  useEffect(() => {
    run.count(choice);
  }, [run, choice]);
  useEffect(() => run.stop, [run]);
  const state = run.state.value;
  const isRunning = state.phase === 'running';
  return (
    // Whoever closes it by mistake sees that it stopped, and can go on.
    <Modal title="Run again" close={isRunning ? run.stop : close}>
      <p>Run {subject.what} again, each as a new execution with what the first was asked.</p>
      {state.phase === 'counting' || state.phase === 'asking' ? (
        <Asking state={state} choice={choice} choose={setChoice} run={run} close={close} />
      ) : (
        <Running state={state} choice={choice} run={run} close={close} />
      )}
    </Modal>
  );
}

interface AskingProps {
  readonly state: RerunState;
  readonly choice: RerunChoice;
  readonly choose: (choice: RerunChoice) => void;
  readonly run: RerunRun;
  readonly close: () => void;
}

function Asking({ state, choice, choose, run, close }: AskingProps) {
  const { progress, fault, messages, phase } = state;
  const possible = progress?.possible ?? 0;
  const isCounted = phase === 'asking' && fault === '';
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        run.start(choice);
      }}
    >
      <div role="status" aria-busy={phase === 'counting'}>
        {progress === undefined ? (
          <p class="quiet">{fault === '' ? 'Counting…' : ''}</p>
        ) : (
          <Counted progress={progress} messages={messages} counting={phase === 'counting'} />
        )}
      </div>
      <label class="labelled">
        With which revision of its task
        <input
          class="field mono"
          list="rerun-revisions"
          placeholder="the one that each had"
          value={choice.revision}
          spellcheck={false}
          onChange={(event) => choose({ ...choice, revision: event.currentTarget.value.trim() })}
        />
        <datalist id="rerun-revisions">
          <option value="newest" />
          <option value="live" />
        </datalist>
      </label>
      <label class="checked">
        <input
          type="checkbox"
          checked={choice.again}
          onChange={(event) => choose({ ...choice, again: event.currentTarget.checked })}
        />
        Also what was run again already
      </label>
      <FaultLine text={fault} />
      <footer class="modal-foot">
        <button type="button" class="button" onClick={close}>
          Do nothing
        </button>
        <button type="submit" class="button primary" disabled={!isCounted || possible === 0}>
          {isCounted && possible > 0 ? `Run ${countText(possible)} again` : 'Run again'}
        </button>
      </footer>
    </form>
  );
}

function Counted({
  progress: { matched, possible, refused, truncated },
  messages,
  counting,
}: {
  readonly progress: RerunProgress;
  readonly messages: readonly string[];
  readonly counting: boolean;
}) {
  return (
    <>
      <p>
        <b>{countText(possible)}</b> of {countText(matched)} can run again{counting ? ' so far…' : '.'}
      </p>
      {refused.length > 0 && (
        <ul class="rerun-refused">
          {refused.map(({ reason, words, count }) => (
            <li key={reason}>
              <b>{countText(count)}</b> {words}
            </li>
          ))}
          {messages.map((message) => (
            <li key={message} class="quiet">
              {message}
            </li>
          ))}
        </ul>
      )}
      {truncated && <p class="quiet">There are more than one run takes: the oldest are left for the next.</p>}
    </>
  );
}

interface RunningProps {
  readonly state: RerunState;
  readonly choice: RerunChoice;
  readonly run: RerunRun;
  readonly close: () => void;
}

const titles = { running: 'Running…', left: 'Stopped', done: 'All have ended' } as const;

function Running({ state, choice, run, close }: RunningProps) {
  const { phase, progress, fault, startedAt, messages } = state;
  const { ended, others } = progress === undefined ? { ended: 0, others: 0 } : endedOf(progress);
  const possible = progress?.possible ?? 0;
  return (
    <div class="form">
      <div role="status">
        <p>
          <b>{titles[phase as keyof typeof titles]}</b>: {countText(ended)} of {countText(possible)} ended,{' '}
          {countText(progress?.started ?? 0)} started
          {progress !== undefined && progress.found > 0 && `, ${countText(progress.found)} of them before`}
        </p>
        <progress max={Math.max(1, possible)} value={ended} aria-label="Ended" />
        {progress !== undefined && <Outcomes progress={progress} messages={messages} />}
      </div>
      {phase === 'left' && (
        <p class="quiet">
          What was started runs to its end. Go on here, or with <code>--rerun-id {progress?.rerunId}</code>.
        </p>
      )}
      {phase === 'done' && progress?.truncated === true && (
        <p class="quiet">There were more than one run takes: run the rest again the same way.</p>
      )}
      {progress !== undefined && progress.started > 0 && (
        <NewOnes rerunId={progress.rerunId} since={startedAt} others={others} close={close} />
      )}
      <FaultLine text={fault} />
      <footer class="modal-foot">
        {phase === 'running' && (
          <button type="button" class="button" onClick={run.stop}>
            Stop
          </button>
        )}
        {phase === 'left' && (
          <button type="button" class="button" onClick={() => run.start(choice)}>
            Go on
          </button>
        )}
        {phase !== 'running' && (
          <button type="button" class="button primary" onClick={close}>
            Close
          </button>
        )}
      </footer>
    </div>
  );
}

function Outcomes({
  progress: { completed, failed, timedOut, cancelled, refused },
  messages,
}: {
  readonly progress: RerunProgress;
  readonly messages: readonly string[];
}) {
  const lines = [
    [completed, 'completed'],
    [failed, 'failed'],
    [timedOut, 'timed out'],
    [cancelled, 'were cancelled'],
    ...refused.map(({ words, count }) => [count, words] as const),
  ] as const;
  return (
    <ul class="rerun-refused">
      {lines.map(
        ([count, words]) =>
          count > 0 && (
            <li key={words}>
              <b>{countText(count)}</b> {words}
            </li>
          ),
      )}
      {messages.map((message) => (
        <li key={message} class="quiet">
          {message}
        </li>
      ))}
    </ul>
  );
}

/** The node's clock and the page's know each other to about half a second. */
const slackMs = 2000;

function NewOnes({
  rerunId,
  since,
  others,
  close,
}: {
  readonly rerunId: string;
  readonly since: number;
  readonly others: number;
  readonly close: () => void;
}) {
  const link = useLink();
  const where = { text: rerunId, after: since - slackMs } as const;
  return (
    <p class="rerun-links">
      <a href={link(where)} onClick={close}>
        The new executions
      </a>
      {others > 0 && (
        <a href={link({ ...where, statuses: ['failed', 'timedOut', 'cancelled'] })} onClick={close}>
          Those of them that did not complete
        </a>
      )}
    </p>
  );
}
