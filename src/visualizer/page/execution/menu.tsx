/** A button with a menu behind it, by hand and by keyboard as the ARIA practices have it. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../theme/icon.tsx';
import './menu.css';

interface Props {
  readonly label: string;
  /** Buttons and links with the role `menuitem` and no place in the order of tabs. */
  readonly children: ComponentChildren;
}

export function Menu({ label, children }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  /** Which end has the focus first; absent while it is shut. */
  const [open, setOpen] = useState<'first' | 'last'>();
  const items = () => [...(place.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])];
  useLayoutEffect(() => {
    if (open !== undefined)
      items()
        .at(open === 'first' ? 0 : -1)
        ?.focus();
  }, [open]);
  useLayoutEffect(() => {
    // What had the focus may be offered no more.
    if (open !== undefined && document.activeElement === document.body) items()[0]?.focus();
  });
  useEffect(() => {
    if (open === undefined) return;
    const outside = (event: Event) => {
      if (event.target instanceof Node && !place.current?.contains(event.target)) setOpen(undefined);
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);
  const shut = () => {
    setOpen(undefined);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const go = open === undefined ? opening[event.key] : undefined;
    if (go !== undefined) setOpen(go);
    else if (open === undefined) return;
    else if (event.key === 'Escape') shut();
    else if (event.key === 'Tab') return setOpen(undefined);
    else {
      const all = items();
      const now = all.indexOf(document.activeElement as HTMLElement);
      const next = moved(event.key, now, all);
      if (next === undefined) return;
      next.focus();
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="menu" ref={place}>
      <button
        ref={button}
        type="button"
        class="button"
        aria-haspopup="menu"
        aria-expanded={open !== undefined}
        onKeyDown={onKeyDown}
        onClick={() => setOpen(open === undefined ? 'first' : undefined)}
      >
        {label} <Icon name="down" size={12} />
      </button>
      {open !== undefined && (
        // A dialog that opens then gives the focus back to the button.
        <div class="menu-items" role="menu" aria-label={label} onKeyDown={onKeyDown} onClick={shut}>
          {children}
        </div>
      )}
    </div>
  );
}

const opening: Readonly<Record<string, 'first' | 'last'>> = { ArrowDown: 'first', ArrowUp: 'last' };

function moved(key: string, now: number, all: readonly HTMLElement[]): HTMLElement | undefined {
  if (key === 'ArrowDown') return all[(now + 1) % all.length];
  if (key === 'ArrowUp') return all.at(now <= 0 ? -1 : now - 1);
  if (key === 'Home') return all[0];
  if (key === 'End') return all.at(-1);
  if (key.length !== 1 || key === ' ') return undefined;
  const after = [...all.slice(now + 1), ...all.slice(0, now + 1)];
  return after.find(({ textContent }) => textContent?.trim().toLowerCase().startsWith(key.toLowerCase()));
}
