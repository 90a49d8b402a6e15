/** How a request names the tenant that it is of, where that is not the reader's own. */
const header = 'spear-tenant';

/** None for an empty name. */
export function tenantHeader(tenant: string): Readonly<Record<string, string>> {
  return tenant === '' ? {} : { [header]: tenant };
}

/** Names the tenant in every request that names none. */
export function fetchWithin(fetch: typeof globalThis.fetch, tenant: string): typeof globalThis.fetch {
  if (tenant === '') return fetch;
  return (input, init) => {
    const headers = new Headers(init?.headers);
    if (!headers.has(header)) headers.set(header, tenant);
    return fetch(input, { ...init, headers });
  };
}
