/**
 * Who the page is to its node: the token of a session, which it has for a code, and sends with every request.
 *
 * - The code comes in the fragment of the address, which no browser sends anywhere, and is taken out of it at once.
 * - The token is kept for this origin, with its port. A cookie would go to every port of the host.
 * - The link to one execution has its token in the fragment, which counts in this tab alone, and there before others.
 * - A request that the node refuses for its token ends the session: nothing more is sent until there is another code.
 */
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import type { Role } from '../../../domain/access.ts';

/** As `/api/caller` has it. */
export interface Caller {
  readonly name: string;
  readonly role: Role;
  /** Where it is at home. */
  readonly tenant: string;
}

export interface Session {
  /**
   * `entering`: a code is being exchanged, and requests wait for it. `shut`: the node wants a token, and the page has
   * none that is good; requests are answered as the node did, without it.
   */
  readonly state: ReadonlySignal<'entering' | 'open' | 'shut'>;
  /** Whom the node takes it for; undefined until it has said so. */
  readonly caller: ReadonlySignal<Caller | undefined>;
  /** Asks the node again who it is: another one, or one that was started anew, may see that differently. */
  learn(): void;
  /** Why the code in the address was of no use; empty where it was, or there was none. */
  readonly fault: ReadonlySignal<string>;
  readonly fetch: typeof globalThis.fetch;
}

/** The tokens of all pages of this origin. */
const place = 'spear.session';

export function startSession(send: typeof globalThis.fetch): Session {
  const state = signal<'entering' | 'open' | 'shut'>('open');
  const token = signal(rememberedHere() || remembered());
  const fault = signal('');
  const caller = signal<Caller | undefined>(undefined);
  let entered = Promise.resolve();

  const enter = (code: string) => {
    state.value = 'entering';
    entered = exchange(send, code)
      .then((made) => {
        rememberHere('');
        token.value = made;
        fault.value = '';
        remember(made);
      })
      .catch((error: unknown) => {
        // The token of before may still be good.
        fault.value = error instanceof Error ? error.message : String(error);
      })
      .finally(() => {
        state.value = 'open';
      });
  };
  /** Says whether there is another way by now. */
  const refused = (used: string): boolean => {
    if (state.peek() === 'entering') return true;
    // Another tab may have signed in since.
    if (rememberedHere() === used) rememberHere('');
    const kept = remembered();
    if (kept !== '') token.value = kept;
    if (token.peek() !== used) return state.peek() === 'open';
    if (kept === used) remember('');
    token.value = '';
    state.value = 'shut';
    return false;
  };
  const fetch: typeof globalThis.fetch = async (input, init) => {
    for (;;) {
      if (state.peek() === 'entering') await entered;
      if (state.peek() === 'shut') return refusal();
      const used = token.peek();
      const response = await send(input, used === '' ? init : withToken(init, used));
      if (response.status !== 401 || !refused(used)) return response;
    }
  };
  const look = () => {
    const given = takeFromFragment('token');
    if (given !== undefined) {
      rememberHere(given);
      token.value = given;
      if (state.peek() === 'shut') state.value = 'open';
    }
    const code = takeFromFragment('code');
    if (code !== undefined) enter(code);
  };
  look();
  window.addEventListener('hashchange', look);
  window.addEventListener('storage', ({ key, newValue }) => {
    if (key !== place || !newValue || rememberedHere() !== '') return;
    token.value = newValue;
    if (state.peek() === 'shut') state.value = 'open';
  });
  const learn = () => {
    const shown = token.peek();
    void callerOf(send, shown).then((known) => {
      if (token.peek() === shown && known !== undefined) caller.value = known;
    });
  };
  effect(() => {
    void token.value;
    caller.value = undefined;
    learn();
  });
  return { state, caller, learn, fault, fetch };
}

/** The code or token in the address, which has it no more then. */
function takeFromFragment(name: 'code' | 'token'): string | undefined {
  const { hash, pathname, search } = window.location;
  const secret = new URLSearchParams(hash.slice(1)).get(name) ?? undefined;
  if (secret !== undefined) window.history.replaceState(window.history.state, '', pathname + search);
  return secret;
}

/** Rejects with an error for people. */
async function exchange(send: typeof globalThis.fetch, code: string): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const response = await send('/api/session', { method: 'POST', headers, body: JSON.stringify({ code }) });
  if (response.ok) return ((await response.json()) as { readonly token: string }).token;
  throw new Error(
    response.status === 401
      ? 'This link was used already, or is older than a minute.'
      : `The node refused the link (${response.status}).`,
  );
}

/** Undefined where the node does not say. */
async function callerOf(send: typeof globalThis.fetch, token: string): Promise<Caller | undefined> {
  try {
    const response = await send('/api/caller', token === '' ? undefined : withToken(undefined, token));
    return response.ok ? ((await response.json()) as Caller) : undefined;
  } catch {
    return undefined;
  }
}

function withToken(init: RequestInit | undefined, token: string): RequestInit {
  const headers = new Headers(init?.headers);
  headers.set('authorization', `Bearer ${token}`);
  return { ...init, headers };
}

function refusal(): Response {
  const error = { reason: 'UNAUTHENTICATED', message: 'the page is not signed in' };
  return Response.json({ error }, { status: 401 });
}

function remembered(): string {
  try {
    return localStorage.getItem(place) ?? '';
  } catch {
    return '';
  }
}

/** Of the link that this tab was opened with. */
function rememberedHere(): string {
  try {
    return sessionStorage.getItem(place) ?? '';
  } catch {
    return '';
  }
}

function rememberHere(token: string): void {
  try {
    if (token === '') sessionStorage.removeItem(place);
    else sessionStorage.setItem(place, token);
  } catch {
    // As below.
  }
}

function remember(token: string): void {
  try {
    if (token === '') localStorage.removeItem(place);
    else localStorage.setItem(place, token);
  } catch {
    // A browser that keeps nothing for this page is signed in until it is reloaded.
  }
}
