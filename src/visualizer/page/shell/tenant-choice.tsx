/** Whose executions the page shows; for administrators of a node that has more than one tenant. */
import { allTenants } from '../model/address.ts';
import { usePage } from './page.ts';

export function TenantChoice() {
  const { session, tenants } = usePage();
  const { value: caller } = session.caller;
  if (caller?.role !== 'admin') return null;
  const own = caller.tenant;
  const shown = tenants.shown || own;
  const names = new Set(tenants.known.value).add(own);
  if (shown !== allTenants) names.add(shown);
  if (names.size === 1 && tenants.shown === '') return null;
  return (
    <select
      aria-label="Tenant"
      class="field tenant-choice"
      value={shown}
      onChange={({ currentTarget: { value } }) => tenants.choose(value === own ? '' : value)}
    >
      <option value={allTenants}>All tenants</option>
      {[...names].sort().map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}
