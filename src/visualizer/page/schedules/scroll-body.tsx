/** What is below the head of a view, and scrolls. */
import type { ComponentChildren } from 'preact';

interface Props {
  readonly label: string;
  /** The node is away: this is as it said last. */
  readonly away: boolean;
  readonly children: ComponentChildren;
}

export function ScrollBody({ label, away, children }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached from the keyboard
    <section class="schedules-body" tabIndex={0} aria-label={label} data-away={away ? '' : undefined}>
      {children}
    </section>
  );
}
