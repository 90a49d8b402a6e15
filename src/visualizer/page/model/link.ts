/** Where the links of the page lead: they stay with the tenant that it shows. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { type Address, addressOf, home } from './address.ts';

export type Link = (change: Partial<Address>) => string;

export const LinkContext = createContext<Link>((change) => addressOf(change));

export function linkWithin(tenant: string): Link {
  return (change) => addressOf(change, { ...home, tenant });
}

export function useLink(): Link {
  return useContext(LinkContext);
}
