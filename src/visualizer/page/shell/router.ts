/** The address bar as a signal. What the reader chose is in it and nowhere else. */
import { type ReadonlySignal, signal } from '@preact/signals';
import { after } from '../clock.ts';
import { type Address, formatAddress, parseAddress } from '../model/address.ts';

export interface Router {
  readonly address: ReadonlySignal<Address>;
  /** Goes somewhere: the back button returns. */
  go(change: Partial<Address>): void;
  /** Refines where the reader is: the back button skips it. */
  refine(change: Partial<Address>): void;
  /** Back to the list, the way the reader came where there is one. */
  leave(): void;
  stop(): void;
}

/** Browsers refuse an address that changes too often, as it would while someone drags the slider. */
const settleMs = 200;

export function startRouter(window: Window): Router {
  const address = signal(parseAddress(window.location.search));
  let callOff = () => {};
  /** How many entries of the history are this page's own, after which leaving would lead to another site. */
  let depth = depthOf(window.history.state);

  const go = (change: Partial<Address>) => {
    settle();
    const next = { ...address.value, ...change };
    if (formatAddress(next) === formatAddress(address.value)) return;
    depth += 1;
    window.history.pushState({ depth }, '', formatAddress(next));
    address.value = next;
  };
  const settle = () => {
    callOff();
    callOff = () => {};
    const text = formatAddress(address.value);
    if (text !== `${window.location.pathname}${window.location.search}`) {
      window.history.replaceState({ depth }, '', text);
    }
  };
  const refine = (change: Partial<Address>) => {
    address.value = { ...address.value, ...change };
    callOff();
    callOff = after(settleMs, settle);
  };
  const popped = (event: PopStateEvent) => {
    callOff();
    depth = depthOf(event.state);
    address.value = parseAddress(window.location.search);
  };
  const clicked = (event: MouseEvent) => {
    const there = ownLink(event, window.location);
    if (there === undefined) return;
    event.preventDefault();
    go(there);
  };
  window.addEventListener('popstate', popped);
  window.document.addEventListener('click', clicked);
  return {
    address,
    go,
    refine,
    leave: () => {
      settle();
      if (depth > 0) window.history.back();
      else go({ execution: '', at: undefined });
    },
    stop: () => {
      callOff();
      window.removeEventListener('popstate', popped);
      window.document.removeEventListener('click', clicked);
    },
  };
}

/** Where a plain click on one of the page's own links leads; nothing for every other click. */
function ownLink(event: MouseEvent, location: Location): Address | undefined {
  if (event.defaultPrevented || event.button !== 0) return undefined;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return undefined;
  const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
  if (!(link instanceof HTMLAnchorElement) || link.target !== '' || link.hasAttribute('download'))
    return undefined;
  const there = new URL(link.href);
  if (there.origin !== location.origin || there.pathname !== '/' || there.hash !== '') return undefined;
  return parseAddress(there.search);
}

function depthOf(state: unknown): number {
  const depth = (state as { depth?: unknown } | null)?.depth;
  return typeof depth === 'number' ? depth : 0;
}
