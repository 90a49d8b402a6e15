/** How a node knows its callers over TCP, and how many calls each may have at once. */
import type { NodeConfig } from '../config.ts';
import { CallerAuthenticator } from '../server/access/authenticator.ts';
import { FailedAttempts } from '../server/access/failed-attempts.ts';
import { JwtKeys } from '../server/access/jwt-keys.ts';
import { JwtVerifier } from '../server/access/jwt-verifier.ts';
import type { PageAccess } from '../server/access/page-access.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Core } from './core.ts';

/** Rejects with an error for people where the keys of an issuer are in a file that is not good. */
export async function openCallers(
  config: NodeConfig,
  logger: Logger,
  { clock, tokens }: Pick<Core, 'clock' | 'tokens'>,
  pageAccess: PageAccess,
  opened: AsyncDisposableStack,
): Promise<CallerAuthenticator> {
  const failures = new FailedAttempts(clock, {
    refused: (attempt) => logger.warn(attempt, 'a caller showed what is not good'),
  });
  const signed = await openSigned(config, logger, clock, opened);
  return new CallerAuthenticator({
    tokens: {
      find: (token) => tokens.find(token) ?? pageAccess.find(token),
      findByCertificate: (certificate) => tokens.findByCertificate(certificate),
    },
    ...(signed !== undefined && { signed }),
    anonymous: {
      ...{ name: 'anonymous', anonymous: true },
      role: config.anonymousRole === 'none' ? undefined : config.anonymousRole,
    },
    failures,
  });
}

async function openSigned(
  config: NodeConfig,
  logger: Logger,
  clock: Core['clock'],
  opened: AsyncDisposableStack,
): Promise<JwtVerifier | undefined> {
  const { jwtJwks: source, jwtIssuer: issuer, jwtAudience: audience } = config;
  if (source === '') return undefined;
  const failed = (error: Error): void =>
    logger.error(
      { err: error, source },
      'the keys of the issuer of tokens cannot be read; those that are known stay',
    );
  const keys = new JwtKeys(source, clock, {
    changed: (ids) => logger.info({ source, ids }, 'the issuer of tokens has these keys'),
    failed,
  });
  opened.defer(() => keys.close());
  const opening = keys.open();
  // An issuer that is away for a while does not keep the node from starting.
  if (source.startsWith('https://')) void opening.catch(failed);
  else await opening;
  const { jwtTenantClaim: tenantClaim, jwtRoleClaim: roleClaim, jwtTasksClaim: tasksClaim } = config;
  const rules = { issuer, audience, tenantClaim, roleClaim, tasksClaim, allowAdmin: config.jwtAllowAdmin };
  return new JwtVerifier(rules, keys, clock);
}
