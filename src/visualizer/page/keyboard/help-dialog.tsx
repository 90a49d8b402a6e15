/** All keys that do something now. */
import { Modal } from '../actions/modal.tsx';
import { groupCount, keyGroups } from './keys.ts';

const symbols: Readonly<Record<string, string>> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  ' ': 'Space',
  '-': '−',
  PageUp: 'Page ↑',
  PageDown: 'Page ↓',
  Escape: 'Esc',
};

export function HelpDialog({ close }: { readonly close: () => void }) {
  void groupCount.value;
  return (
    <Modal title="Keys" close={close} wide>
      <div class="help-groups">
        {keyGroups().map(({ title, keys }) => {
          const listed = byHelp(keys.filter(({ help }) => help !== undefined));
          if (listed.length === 0) return null;
          return (
            <section key={title}>
              <h3>{title}</h3>
              <dl>
                {listed.map(([help, names]) => (
                  <div key={help}>
                    <dt>
                      {names.map((name) => (
                        <kbd class="key" key={name}>
                          {symbols[name] ?? name}
                        </kbd>
                      ))}
                    </dt>
                    <dd>{help}</dd>
                  </div>
                ))}
              </dl>
            </section>
          );
        })}
      </div>
    </Modal>
  );
}

/** Keys that do the same stand together. */
function byHelp(keys: readonly { readonly key: string; readonly help?: string }[]): [string, string[]][] {
  const grouped = new Map<string, string[]>();
  for (const { key, help = '' } of keys) grouped.set(help, [...(grouped.get(help) ?? []), key]);
  return [...grouped];
}
