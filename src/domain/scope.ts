/** What a request may see: one tenant, and of that the tasks that its token names. Decided once, where it comes in. */
import { mayReadAllTenants, type Principal } from './access.ts';
import { invalidArgument, quote, RequestError } from './errors.ts';

/** Of everything that names no tenant, and of all that there was before tenants. */
export const defaultTenant = 'default';

const tenantPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
export const tenantWords = '1 to 63 of a-z, 0-9 and "-", of which neither the first nor the last is "-"';

/** Tasks that a token names at most, and the length of each. */
const mostGlobs = 64;
const mostGlobLength = 256;

export interface Scope {
  /** Undefined for all of them. */
  readonly tenant: string | undefined;
  /** Globs, of which the name of a task fits any; absent for all tasks. */
  readonly tasks?: readonly string[];
  /** The id of the one execution that is in scope, and no task. */
  readonly execution?: string;
  /** Also what serves all tenants, such as a guest host that is idle: of an administrator. */
  readonly shared?: true;
}

/** What belongs to a tenant; absent means the default one. */
export interface Owned {
  readonly tenant?: string;
}

/** The name of a task, as unique on a node: names are unique within a tenant only. */
export type TaskKey = string & { readonly brand: 'TaskKey' };

/** An id of an invocation, as unique on a node. */
export type InvocationKey = string & { readonly brand: 'InvocationKey' };

export const wholeNode: Scope = { tenant: undefined, shared: true };
/** What a request names that is of all tenants. */
export const allTenants = '*';

const defaultScope: Scope = { tenant: defaultTenant };
const administratorsScope: Scope = { tenant: defaultTenant, shared: true };

export function isTenant(text: string): boolean {
  return tenantPattern.test(text);
}

/** Throws invalid_argument that names the field. */
export function checkTenant(field: string, text: string): string {
  if (isTenant(text)) return text;
  throw invalidArgument(field, `is ${quote(text)}; allowed are ${tenantWords}`);
}

/** Throws invalid_argument that names the field. */
export function checkGlobs(field: string, globs: readonly string[]): readonly string[] {
  if (globs.length > mostGlobs) {
    throw invalidArgument(field, `has ${globs.length} entries; allowed are ${mostGlobs}`);
  }
  for (const [index, glob] of globs.entries()) {
    if (glob !== '' && glob.length <= mostGlobLength) continue;
    throw invalidArgument(
      `${field}[${index}]`,
      `has ${glob.length} characters; allowed are 1 to ${mostGlobLength}`,
    );
  }
  return globs;
}

export function tenantOf({ tenant }: Owned): string {
  return tenant ?? defaultTenant;
}

/** As records and tasks keep it: nothing for the default tenant. */
export function owned(tenant: string): Owned {
  return tenant === defaultTenant ? {} : { tenant };
}

export function taskKey(tenant: string, name: string): TaskKey {
  // No tenant has a slash in its name.
  return `${tenant}/${name}` as TaskKey;
}

export function invocationKey(tenant: string, invocationId: string): InvocationKey {
  return `${tenant}/${invocationId}` as InvocationKey;
}

/**
 * The scope of a request. `asked` is the tenant that it names, which those may do who may read all of them, and everybody
 * for their own. Throws permission_denied or invalid_argument.
 */
export function scopeOf(principal: Principal, asked: string | undefined): Scope {
  const { tenant: own = defaultTenant, tasks, execution } = principal;
  const tenant = asked ?? own;
  if (tenant !== own) {
    if (!mayReadAllTenants(principal)) {
      throw outOfScope(
        `spear-tenant: is ${quote(tenant)}; allowed is ${quote(own)}, the tenant of ${quote(principal.name)}, or none`,
      );
    }
    checkTenant('spear-tenant', tenant);
  }
  if (principal.role === 'admin')
    return tenant === defaultTenant ? administratorsScope : { tenant, shared: true };
  if (execution !== undefined) return { tenant, tasks: [], execution };
  if (tasks !== undefined && !tasks.includes('*')) return { tenant, tasks };
  return tenant === defaultTenant ? defaultScope : { tenant };
}

/** The principal of what is made on behalf of another for its present tenant, such as the link of a page. */
export function atHomeIn(principal: Principal, { tenant }: Scope): Principal {
  return tenant === undefined || tenant === tenantOf(principal) ? principal : { ...principal, tenant };
}

/** The same text for scopes that see the same. */
export function scopeKey({ tenant, tasks, execution, shared }: Scope): string {
  return JSON.stringify([tenant, tasks, execution, shared]);
}

/** Throws invalid_argument for what is of one tenant, in a scope of all of them. */
export function assertOneTenant({ tenant }: Scope, what: string): void {
  if (tenant !== undefined) return;
  throw invalidArgument('spear-tenant', `is ${quote(allTenants)}; allowed for ${what} is one tenant`);
}

/** Throws permission_denied for what tells of all tasks of a tenant, in a scope of fewer. */
export function assertSeesTenant({ tasks, execution }: Scope, what: string): void {
  if (tasks === undefined && execution === undefined) return;
  const of = execution === undefined ? `tasks ${tasks?.slice(0, 10).map(quote).join(', ')}` : 'one execution';
  throw outOfScope(`${what} is of all tasks of a tenant; this token is for ${of}`);
}

/** The scope of a list of all tenants. Throws permission_denied for one who may not read them. */
export function acrossTenants(field: string, principal: Principal, scope: Scope, wanted: boolean): Scope {
  if (!wanted) return scope;
  if (mayReadAllTenants(principal)) return wholeNode;
  throw outOfScope(
    `${field}: is for the role admin, or a token of all tenants; ${quote(principal.name)} has ${principal.role ?? 'none'}`,
  );
}

export function seesTask({ tenant, tasks }: Scope, owner: Owned, name: string): boolean {
  if (tenant !== undefined && tenant !== tenantOf(owner)) return false;
  return tasks === undefined || tasks.some((glob) => matchesGlob(glob, name));
}

/** Whether what belongs to a task is in scope, such as an execution. */
export function sees(
  scope: Scope,
  of: Owned & { readonly taskName: string; readonly executionId?: string },
): boolean {
  if (scope.execution !== undefined && of.executionId === scope.execution) {
    return scope.tenant === undefined || scope.tenant === tenantOf(of);
  }
  return seesTask(scope, of, of.taskName);
}

/** Throws permission_denied for a task that the scope would not see once it is there. */
export function assertMayName(scope: Scope, field: string, name: string): void {
  const { tasks } = scope;
  if (tasks === undefined || seesTask({ tenant: undefined, tasks }, {}, name)) return;
  throw outOfScope(
    `${field}: is ${quote(name)}; the tasks of this token are ${tasks.slice(0, 10).map(quote).join(', ')}`,
  );
}

/** The tenant that what a request makes belongs to. */
export function tenantToMakeIn({ tenant }: Scope): string {
  return tenant ?? defaultTenant;
}

/**
 * `*` stands for any characters, `?` for one. Takes at most the product of both lengths: only the last `*` is ever
 * gone back to, as one that came before could take no more than it has to.
 */
export function matchesGlob(glob: string, name: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let taken = 0;
  while (place < name.length) {
    const wanted = glob[at];
    if (wanted === '*') {
      star = at;
      at += 1;
      taken = place;
    } else if (wanted === '?') {
      at += 1;
      place += widthAt(name, place);
    } else if (wanted !== undefined && wanted === name[place]) {
      at += 1;
      place += 1;
    } else if (star >= 0) {
      at = star + 1;
      taken += widthAt(name, taken);
      place = taken;
    } else {
      return false;
    }
  }
  while (glob[at] === '*') at += 1;
  return at === glob.length;
}

/** Units of the character that begins there. */
function widthAt(text: string, place: number): number {
  return (text.codePointAt(place) ?? 0) > 0xffff ? 2 : 1;
}

function outOfScope(message: string): RequestError {
  return new RequestError('permission_denied', message, { reason: 'OUT_OF_SCOPE' });
}
