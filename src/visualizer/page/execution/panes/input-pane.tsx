/** What the execution was asked to run. */
import type { ExecutionSource } from '../../model/execution-source.ts';
import type { Invocation } from '../../model/invocation.ts';
import { useAsked } from './asked.ts';
import { AskedBody } from './asked-body.tsx';
import { Facts } from './facts.tsx';
import { BytesBody, JsonBody, PlainText } from './pane-body.tsx';

export function InputPane({ source }: { readonly source: ExecutionSource }) {
  const asked = useAsked(
    source.invocation && (() => source.invocation?.() as Promise<Invocation>),
    source.id,
  );
  if (asked === undefined) return <p class="empty-note">This file does not say what was asked for.</p>;
  return (
    <AskedBody asked={asked}>
      {(invocation) => (
        <>
          <section class="pane-part">
            <h3>Call</h3>
            <Facts
              facts={[
                ['Function', <span class="mono">{invocation.functionName || 'the command'}</span>],
                ['Instance', invocation.forceNewInstance ? 'a new one, whatever the task says' : undefined],
              ]}
            />
          </section>
          <JsonBody title="Parameters" value={invocation.parameters} />
          <BytesBody
            title="Input"
            bytes={invocation.input}
            all={invocation.inputBytes}
            contentType={invocation.contentType}
          />
          {invocation.args.length > 0 && (
            <section class="pane-part">
              <h3>Arguments</h3>
              <PlainText
                text={invocation.args.map((each) => JSON.stringify(each)).join('\n')}
                label="Arguments"
              />
            </section>
          )}
          {Object.keys(invocation.environment).length > 0 && (
            <JsonBody title="Environment" value={invocation.environment} />
          )}
        </>
      )}
    </AskedBody>
  );
}
