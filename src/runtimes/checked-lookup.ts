import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';

/** A name has an address that is not allowed. */
export class NotAllowed extends Error {
  readonly host: string;
  constructor(host: string) {
    super(`${host} has an address that is not allowed`);
    this.host = host;
  }
}

type LookupAnswer = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/**
 * A look-up for sockets: it refuses a name as soon as one of its addresses is not allowed, and what it answers is what
 * the socket connects to, so that a name cannot have another address by then.
 */
export function checkedLookup(isAllowed: (address: string) => boolean) {
  return (host: string, how: LookupOptions, answer: LookupAnswer): void => {
    lookup(host, { ...how, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) {
        answer(error ?? new Error('the name has no address'), []);
      } else if (addresses.some(({ address }) => !isAllowed(address))) answer(new NotAllowed(host), []);
      else if (how.all === true) answer(null, addresses);
      else answer(null, first.address, first.family);
    });
  };
}
