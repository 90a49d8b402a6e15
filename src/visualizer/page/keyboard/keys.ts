/**
 * The keys of the page. Whoever is on screen brings its own and takes them away when it leaves; the one that came last
 * wins. Keys that a reader types into a field, and those with Ctrl, Alt or Meta, are the browser's.
 */
import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';

export interface Key {
  /** As `KeyboardEvent.key` has it, such as `j`, `Enter`, `ArrowDown`, `?`. */
  readonly key: string;
  /** For the help; a key without it is not listed. */
  readonly help?: string;
  /**
   * Answers `false` where it was not this one's to take: the one before gets it. Absent where a part of the page takes
   * it itself while it has the focus.
   */
  readonly act?: (event: KeyboardEvent) => unknown;
}

interface KeyGroup {
  readonly title: string;
  readonly keys: () => readonly Key[];
}

const groups: KeyGroup[] = [];

/** How many groups there are; the help reads it to be told. */
export const groupCount = signal(0);

/** The keys on screen under their titles, those that came last first. */
export function keyGroups(): readonly { readonly title: string; readonly keys: readonly Key[] }[] {
  const byTitle = new Map<string, Key[]>();
  for (const { title, keys } of groups.toReversed()) {
    byTitle.set(title, [...(byTitle.get(title) ?? []), ...keys()]);
  }
  return [...byTitle].map(([title, keys]) => ({ title, keys }));
}

/** Brings keys for as long as the component is on screen. */
export function useKeys(title: string, keys: readonly Key[]): void {
  const latest = useRef(keys);
  latest.current = keys;
  // With what is drawn, not after it: a key that a reader presses at once is for what they see.
  useLayoutEffect(() => {
    const group: KeyGroup = { title, keys: () => latest.current };
    groups.push(group);
    groupCount.value += 1;
    return () => {
      groups.splice(groups.indexOf(group), 1);
      groupCount.value -= 1;
    };
  }, [title]);
}

/** Listens on the whole page. */
export function startKeys(): () => void {
  document.addEventListener('keydown', take);
  return () => document.removeEventListener('keydown', take);
}

function take(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (isTyping(event) || document.querySelector('dialog[open]') !== null) return;
  for (let index = groups.length - 1; index >= 0; index -= 1) {
    const key = groups[index]?.keys().find((each) => each.key === event.key);
    if (key?.act === undefined || (isPressing(event) && isPress(key.key))) continue;
    if (key.act(event) === false) continue;
    event.preventDefault();
    return;
  }
}

function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement)
    return !['checkbox', 'radio', 'range', 'button'].includes(target.type);
  return (
    target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable
  );
}

const isPress = (key: string) => key === 'Enter' || key === ' ';

/** A button or link under focus takes Enter and the space bar itself. */
function isPressing(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest('button, a[href], summary, input') !== null;
}
