/** Runs an execution's function once more, with what it was given or something else. */
import { useEffect, useState } from 'preact/hooks';
import { faultText } from '../feed/call.ts';
import { sizeText } from '../model/quantity.ts';
import type { Task } from '../model/task.ts';
import { taskOf } from '../model/task.ts';
import { usePage } from '../shell/page.ts';
import type { TaskJson } from '../wire.ts';
import type { WholeInvocation } from './acts.ts';
import { FaultLine } from './fault-line.tsx';
import { Modal } from './modal.tsx';
import {
  fieldsOf,
  parseArgs,
  parseEnvironment,
  parseParameters,
  type RerunFields,
  signatureOf,
} from './rerun-form.ts';
import { useSubmission } from './submission.ts';

interface Loaded {
  readonly execution: string;
  readonly invocation: WholeInvocation;
  readonly task: Task;
  readonly metadata: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export function RerunDialog({
  execution,
  close,
}: {
  readonly execution: string;
  readonly close: () => void;
}) {
  const { acts, call, list } = usePage();
  const [loaded, setLoaded] = useState<Loaded>();
  const [fault, setFault] = useState('');
  useEffect(() => {
    const load = async () => {
      const row = list.rows.get(execution);
      const [invocation, answer] = await Promise.all([
        acts.invocation(execution),
        call<{ readonly task: TaskJson }>('TaskService/GetTask', { task: row?.taskId ?? '' }),
      ]);
      setLoaded({
        execution,
        invocation,
        task: taskOf(answer.task),
        metadata: row?.metadata ?? {},
        labels: row?.labels ?? {},
      });
    };
    load().catch((error: unknown) => setFault(faultText(error)));
  }, [acts, call, execution, list]);
  return (
    <Modal title="Run again" close={close} wide>
      {loaded === undefined ? (
        <>
          <FaultLine text={fault} />
          {fault === '' && <p class="quiet">Reading what it was asked to run…</p>}
        </>
      ) : (
        <RerunForm {...loaded} close={close} />
      )}
    </Modal>
  );
}

function RerunForm({
  execution,
  invocation,
  task,
  metadata,
  labels,
  close,
}: Loaded & { readonly close: () => void }) {
  const { acts, notices, router } = usePage();
  const [fields, setFields] = useState<RerunFields>(() => fieldsOf(invocation, invocation.withValues));
  const set = (change: Partial<RerunFields>) => setFields({ ...fields, ...change });
  const signature = signatureOf(task.functions, fields.functionName);
  const isTyped = fields.functionName !== '';
  const { busy, fault, submit } = useSubmission(async () => {
    const parameters = parseParameters(signature, fields.parameters);
    if ('fault' in parameters) throw new Error(parameters.fault);
    const environment = parseEnvironment(fields.environment);
    if ('fault' in environment) throw new Error(environment.fault);
    const again = {
      task: task.id,
      functionName: fields.functionName,
      parameters: isTyped ? parameters.value : {},
      input: fields.input === undefined ? invocation.input : new TextEncoder().encode(fields.input),
      contentType: invocation.contentType,
      args: parseArgs(fields.args),
      environment: environment.value,
      forceNewInstance: fields.forceNewInstance,
      metadata,
      labels,
    };
    const id = await acts.invoke(again, execution);
    close();
    notices.say(`Started ${task.name} again`, id);
    router.go({ execution: id, at: undefined });
  });
  const unknown = invocation.withValues ? [] : Object.keys(invocation.environment);
  const cut = fields.input === undefined && invocation.input.length < invocation.inputBytes;
  return (
    <form onSubmit={submit} class="form">
      <p>
        <strong>{task.name}</strong>{' '}
        <span class="quiet">revision {task.revision}, the one registered now</span>
      </p>
      <label class="labelled">
        Function
        <select
          class="field"
          value={fields.functionName}
          onChange={(event) => set({ functionName: event.currentTarget.value })}
        >
          {signature === undefined && (
            <option value={fields.functionName}>{fields.functionName || 'the command'}</option>
          )}
          {task.functions
            .filter(({ callable }) => callable)
            .map(({ name }) => (
              <option key={name} value={name}>
                {name || 'the command'}
              </option>
            ))}
        </select>
      </label>
      {isTyped ? (
        (signature?.parameters ?? Object.keys(fields.parameters).map((name) => ({ name, type: 'JSON' }))).map(
          ({ name, type }) => (
            <label class="labelled" key={name}>
              <span>
                {name} <code class="quiet">{type}</code>
              </span>
              <textarea
                class="field mono"
                rows={Math.min(8, (fields.parameters[name] ?? '').split('\n').length)}
                spellcheck={false}
                value={fields.parameters[name] ?? ''}
                onInput={(event) =>
                  set({ parameters: { ...fields.parameters, [name]: event.currentTarget.value } })
                }
              />
            </label>
          ),
        )
      ) : (
        <>
          {fields.input === undefined ? (
            <p class="quiet">
              {cut
                ? `The input has ${sizeText(invocation.inputBytes)}: too much to send from here. Use the command line.`
                : `The input is ${sizeText(invocation.inputBytes)} that are not text; it is sent as it is.`}
            </p>
          ) : (
            <label class="labelled">
              Standard input
              <textarea
                class="field mono"
                rows={6}
                spellcheck={false}
                value={fields.input}
                onInput={(event) => set({ input: event.currentTarget.value })}
              />
            </label>
          )}
          <label class="labelled">
            Arguments, one a line
            <textarea
              class="field mono"
              rows={2}
              spellcheck={false}
              value={fields.args}
              onInput={(event) => set({ args: event.currentTarget.value })}
            />
          </label>
        </>
      )}
      <label class="labelled">
        Environment, NAME=value, one a line
        <textarea
          class="field mono"
          rows={2}
          spellcheck={false}
          value={fields.environment}
          onInput={(event) => set({ environment: event.currentTarget.value })}
        />
      </label>
      {unknown.length > 0 && (
        <p class="quiet" role="note">
          It had values for {unknown.join(', ')}, which are shown to the role develop only: what it needs of
          them is to be written here.
        </p>
      )}
      <label class="checked">
        <input
          type="checkbox"
          checked={fields.forceNewInstance}
          onChange={(event) => set({ forceNewInstance: event.currentTarget.checked })}
        />
        In a new instance
      </label>
      <FaultLine text={fault} />
      <footer class="modal-foot">
        <button type="button" class="button" onClick={close}>
          Do nothing
        </button>
        <button type="submit" class="button primary" disabled={busy || cut}>
          {busy ? 'Asking the node…' : 'Run'}
        </button>
      </footer>
    </form>
  );
}
