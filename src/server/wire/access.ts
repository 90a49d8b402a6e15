import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Role as DomainRole } from '../../domain/access.ts';
import { invalidArgument, quote } from '../../domain/errors.ts';
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
  const { certificateNames, revokedFingerprints } = facts;
  return {
    ...{ name, role: roleToWire[role], createdAt: timestampFromMs(createdAt) },
    ...{ tenant: tenantOf(facts), tasks: [...tasks], executionId: facts.execution ?? '' },
    allTenants: facts.allTenants === true,
    ...(expiresAt !== undefined && { expiresAt: timestampFromMs(expiresAt) }),
    ...(lastUsedAt !== undefined && { lastUsedAt: timestampFromMs(lastUsedAt) }),
    certificateNames: [...(certificateNames ?? [])],
    revokedFingerprints: [...(revokedFingerprints ?? [])],
  };
}

const mostNames = 16;

/** Undefined for none. Throws invalid_argument, naming the field. */
export function certificateNamesFromWire(
  field: string,
  names: readonly string[],
): readonly string[] | undefined {
  if (names.length > mostNames) {
    throw invalidArgument(field, `has ${names.length} names; allowed are up to ${mostNames}`);
  }
  for (const name of names) {
    if (name.length > 512 || !/^(URI:[A-Za-z][A-Za-z0-9+.-]*:[!-~]+|DNS:[A-Za-z0-9_.-]+)$/.test(name)) {
      throw invalidArgument(
        field,
        `has ${quote(name)}; allowed are URI:… and DNS:… with a name as it is in the certificate, such as URI:spiffe://a/b`,
      );
    }
  }
  return names.length === 0 ? undefined : [...new Set(names)];
}

/** SHA-256 as openssl writes it, with or without its colons; undefined for none. */
export function fingerprintFromWire(field: string, text: string): string | undefined {
  if (text === '') return undefined;
  const digits = text.replaceAll(':', '').toUpperCase();
  if (/^[0-9A-F]{64}$/.test(digits)) return digits.replace(/..(?!$)/g, '$&:');
  throw invalidArgument(field, `is ${quote(text)}; allowed is the SHA-256 of a certificate in hex`);
}
