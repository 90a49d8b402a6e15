import { roles } from '../domain/access.ts';
import { quote } from '../domain/errors.ts';
import { Role } from '../server/gen/spearlet/access_pb.js';
import { UsageError } from './usage-error.ts';

const onWire = {
  observe: Role.OBSERVE,
  invoke: Role.INVOKE,
  develop: Role.DEVELOP,
  operate: Role.OPERATE,
  admin: Role.ADMIN,
} as const satisfies Record<(typeof roles)[number], Role>;

/** What `--role` says. Throws a UsageError for what is no role. */
export function roleFromFlag(text: string): Role {
  const role = roles.find((each) => each === text);
  if (role === undefined) throw new UsageError(`--role: is ${quote(text)}; allowed are ${roles.join(', ')}`);
  return onWire[role];
}
