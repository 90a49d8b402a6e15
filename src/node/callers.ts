/** How a node knows its callers over TCP, and how many calls each may have at once. */
import type { NodeConfig } from '../config.ts';
import { CallerAuthenticator } from '../server/access/authenticator.ts';
import { FailedAttempts } from '../server/access/failed-attempts.ts';
import { JwtKeys } from '../server/access/jwt-keys.ts';
import { JwtVerifier } from '../server/access/jwt-verifier.ts';
import type { OpenCalls } from '../server/access/open-calls.ts';
import type { PageAccess } from '../server/access/page-access.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Core } from './core.ts';

/** What callers have open, and what they come back with. */
export interface OpenAccess {
  readonly pageAccess: PageAccess;
  readonly calls: OpenCalls;
  /** Takes what says how many tokens and certificates were not good; absent where nobody counts. */
  countRefused?(count: () => number): void;
}

/** Rejects with an error for people where the keys of an issuer are in a file that is not good. */
export async function openCallers(
  config: NodeConfig,
  logger: Logger,
  { clock, tokens }: Pick<Core, 'clock' | 'tokens'>,
  open: OpenAccess,
  opened: AsyncDisposableStack,
): Promise<CallerAuthenticator> {
  const failures = new FailedAttempts(clock, {
    refused: (attempt) => logger.warn(attempt, 'a caller showed what is not good'),
  });
  open.countRefused?.(() => failures.count);
  const signed = await openSigned(config, logger, clock, open, opened);
  return new CallerAuthenticator({
    tokens: {
      find: (token) => tokens.find(token) ?? open.pageAccess.find(token),
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
  { pageAccess, calls }: OpenAccess,
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
  return new JwtVerifier(rules, keys, clock, (signer) => {
    pageAccess.endOfSigner(signer);
    calls.endOfSigner(signer);
  });
}
