import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Role as DomainRole } from '../../domain/access.ts';
import { invalidArgument } from '../../domain/errors.ts';
import { tenantOf } from '../../domain/scope.ts';
import type { TokenFacts } from '../../domain/tokens.ts';
import { Role, type TokenSchema } from '../gen/spearlet/access_pb.js';

export const roleToWire: Record<DomainRole, Role> = {
  observe: Role.OBSERVE,
  invoke: Role.INVOKE,
  develop: Role.DEVELOP,
  operate: Role.OPERATE,
  admin: Role.ADMIN,
};

/** Throws invalid_argument, naming the field, for one that is not set or not known. */
export function roleFromWire(field: string, role: Role): DomainRole {
  const names = Object.keys(roleToWire) as DomainRole[];
  const found = names.find((name) => roleToWire[name] === role);
  if (found !== undefined) return found;
  const allowed = names.map((name) => `ROLE_${name.toUpperCase()}`).join(', ');
  throw invalidArgument(field, `is ${role === Role.UNSPECIFIED ? 'not set' : role}; allowed are ${allowed}`);
}

export function tokenToWire(facts: TokenFacts): MessageInitShape<typeof TokenSchema> {
  const { name, role, createdAt, expiresAt, lastUsedAt, tasks = [] } = facts;
  return {
    ...{ name, role: roleToWire[role], createdAt: timestampFromMs(createdAt) },
    ...{ tenant: tenantOf(facts), tasks: [...tasks] },
    ...(expiresAt !== undefined && { expiresAt: timestampFromMs(expiresAt) }),
    ...(lastUsedAt !== undefined && { lastUsedAt: timestampFromMs(lastUsedAt) }),
  };
}
