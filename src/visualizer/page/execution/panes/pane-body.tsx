/** A value in a pane: readable, or raw, and to be copied. */
import { useState } from 'preact/hooks';
import { sizeText } from '../../model/quantity.ts';
import type { Json } from '../../wire.ts';
import { copyText } from '../clipboard.ts';
import { visibleRuns } from '../output/visible.ts';
import { Toggle } from '../toggle.tsx';
import { hexOf, jsonOf, textOf } from './bytes.ts';
import { JsonTree } from './json-tree.tsx';
import type { Note } from './notes.ts';

/** Browsers take long to lay out more than this at once. */
const maxShown = 200_000;

export function JsonBody({
  title,
  value,
  note,
}: {
  readonly title: string;
  readonly value: Json;
  readonly note?: Note;
}) {
  const [raw, setRaw] = useState(false);
  const text = JSON.stringify(value, null, 2);
  return (
    <section class="pane-part">
      <PartHead title={title} text={text} raw={raw} setRaw={setRaw} />
      {raw ? <PlainText text={text} label={title} /> : <JsonTree value={value} label={title} note={note} />}
    </section>
  );
}

interface BytesProps {
  readonly title: string;
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** How much there is, where `bytes` is not all of it. */
  readonly all?: number;
  /** Where they come from. */
  readonly note?: string;
}

export function BytesBody({ title, bytes, contentType, all = bytes.byteLength, note = '' }: BytesProps) {
  const [raw, setRaw] = useState(false);
  const text = textOf(bytes);
  const json = text === undefined || all > bytes.byteLength ? undefined : jsonOf(text, contentType);
  const cut = all > bytes.byteLength ? `of which the first ${sizeText(bytes.byteLength)} are shown` : '';
  const hint = [note, contentType, sizeText(all), cut].filter((each) => each !== '').join(', ');
  const plain = text ?? hexOf(bytes, 65_536);
  return (
    <section class="pane-part">
      <PartHead
        title={title}
        hint={hint}
        text={plain}
        raw={raw}
        setRaw={json === undefined ? undefined : setRaw}
      />
      {all === 0 ? (
        <p class="empty-note">Nothing.</p>
      ) : json !== undefined && !raw ? (
        <JsonTree value={json.value} label={title} />
      ) : (
        <PlainText text={plain} label={title} />
      )}
    </section>
  );
}

export function TextBody({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <section class="pane-part">
      <PartHead title={title} text={text} raw={false} setRaw={undefined} />
      <PlainText text={text} label={title} />
    </section>
  );
}

interface HeadProps {
  readonly title: string;
  readonly hint?: string;
  readonly text: string;
  readonly raw: boolean;
  readonly setRaw: ((raw: boolean) => void) | undefined;
}

function PartHead({ title, hint, text, raw, setRaw }: HeadProps) {
  const [told, setTold] = useState('');
  return (
    <header class="part-head">
      <h3>{title}</h3>
      {hint !== undefined && <span class="quiet">{hint}</span>}
      <span class="spring" />
      <span class="told" role="status">
        {told}
      </span>
      {setRaw !== undefined && <Toggle on={raw} set={setRaw} label="Raw" hint="Show the text as it is" />}
      <button
        type="button"
        class="tiny"
        onClick={() => void copyText(text).then((done) => setTold(done ? 'Copied' : 'The browser refused'))}
      >
        Copy
      </button>
    </header>
  );
}

export function PlainText({ text, label }: { readonly text: string; readonly label: string }) {
  const cut = text.length > maxShown;
  const lines = (cut ? text.slice(0, maxShown) : text).split('\n');
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by key
    <pre class="plain-text" tabIndex={0} role="group" aria-label={label}>
      {lines.map((line) => shown(line)).join('\n')}
      {cut && <span class="quiet">{`\n… ${sizeText(text.length - maxShown)} more: copy it`}</span>}
    </pre>
  );
}

function shown(line: string): string {
  return visibleRuns(line, { look: '' }, false, 0)
    .map((run) => run.text)
    .join('');
}
