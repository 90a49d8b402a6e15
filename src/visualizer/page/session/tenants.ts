/**
 * Whose executions and tasks the page shows. An administrator chooses, by the address; everybody else sees their own.
 *
 * The page is loaded anew for another tenant: nothing that it knows of one is ever shown as another's.
 */
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import type { Call } from '../feed/call.ts';
import { type Address, addressOf, allTenants } from '../model/address.ts';
import type { ExecutionRow } from '../model/execution-row.ts';
import type { Session } from './session.ts';

export interface Tenants {
  /** As the address has it. */
  readonly shown: string;
  /** All are shown: what is of one has to say so, and what makes something has to know where. */
  readonly all: boolean;
  /** Those that may be chosen, by name; none for who may not choose. */
  readonly known: ReadonlySignal<readonly string[]>;
  /** Reads them. */
  read(): Promise<void>;
  choose(tenant: string): void;
  /** What has to be named in a request that changes an execution; empty where the page's own will do. */
  of(row: ExecutionRow | undefined): string;
}

interface Options {
  readonly session: Pick<Session, 'caller'>;
  readonly call: Call;
  readonly address: ReadonlySignal<Address>;
}

export function createTenants({ session, call, address }: Options): Tenants {
  const shown = address.peek().tenant;
  const known = signal<readonly string[]>([]);
  effect(() => {
    const { value: caller } = session.caller;
    if (caller === undefined || caller.role === 'admin' || shown === '' || shown === caller.tenant) return;
    // Whoever sent the link sees what its reader does not.
    window.location.replace(addressOf({ tenant: '' }, address.peek()));
  });
  return {
    shown,
    all: shown === allTenants,
    known,
    read: async () => {
      const caller = session.caller.peek();
      if (caller?.role !== 'admin') return;
      // All of them is no tenant to ask this of.
      const answer = await call<{ readonly tenants: readonly string[] }>(
        'AccessService/ListTenants',
        {},
        { tenant: caller.tenant },
      );
      known.value = answer.tenants;
    },
    choose: (tenant) => {
      const { view, statuses, text, since, after, before } = address.peek();
      window.location.assign(addressOf({ tenant, view, statuses, text, since, after, before }));
    },
    of: (row) => (shown === allTenants ? (row?.tenant ?? '') : ''),
  };
}
