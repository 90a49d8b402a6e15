/** Where a table scrolls that stands for a picture. */
import type { ComponentChildren } from 'preact';
import './table-frame.css';

interface Props {
  readonly label: string;
  readonly children: ComponentChildren;
}

export function TableFrame({ label, children }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by key
    <section class="table-frame" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
