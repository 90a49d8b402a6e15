/** A method without a role keeps the node from starting. */
import type { DescMethod } from '@bufbuild/protobuf';
import type { Role } from '../../domain/access.ts';
import { methodRoles } from '../../domain/method-roles.ts';

const byName: Readonly<Record<string, Role>> = methodRoles;

/** Throws an Error for a method that nobody has decided on. */
export function roleOf({ name, parent }: DescMethod): Role {
  const role = byName[`${parent.name}/${name}`];
  if (role === undefined) throw new Error(`no role is set for ${parent.typeName}/${name}`);
  return role;
}
