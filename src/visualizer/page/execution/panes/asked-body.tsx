/** What to show while something is asked for, and when it is refused. */
import type { ComponentChildren } from 'preact';
import type { Asked } from './asked.ts';

interface Props<T> {
  readonly asked: Asked<T>;
  readonly children: (value: T) => ComponentChildren;
}

export function AskedBody<T>({ asked, children }: Props<T>) {
  if (asked.state === 'asking') return <p class="empty-note">Asking the node…</p>;
  if (asked.state === 'refused') return <p class="empty-note">The node did not say: {asked.message}</p>;
  return <>{children(asked.value)}</>;
}
