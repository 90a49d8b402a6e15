/** A part of a drawing that can be pressed where there is something to do, and is only a picture where there is not. */
import type { ComponentChildren } from 'preact';

interface Props {
  readonly class: string;
  readonly label: string;
  readonly data: Readonly<Record<`data-${string}`, string | undefined>>;
  readonly current?: boolean;
  readonly onPress: (() => void) | undefined;
  readonly children: ComponentChildren;
}

export function PressGroup({ class: name, label, data, current = false, onPress, children }: Props) {
  const about = {
    class: name,
    'aria-label': label,
    'aria-current': current ? ('true' as const) : undefined,
    ...data,
  };
  if (onPress === undefined) {
    return (
      // biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: a group of a drawing is not interactive by itself
      <g role="img" {...about}>
        {children}
      </g>
    );
  }
  const act = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    event.stopPropagation();
    onPress();
  };
  return (
    <g role="button" tabindex={0} onClick={onPress} onKeyDown={act} {...about}>
      {children}
    </g>
  );
}
