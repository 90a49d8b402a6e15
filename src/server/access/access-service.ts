import { create } from '@bufbuild/protobuf';
import { timestampDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Role as DomainRole, Principal } from '../../domain/access.ts';
import type { Clock } from '../../domain/clock.ts';
import { invalidArgument, quote, RequestError } from '../../domain/errors.ts';
import { atHomeIn, checkGlobs, defaultTenant, owned, tenantOf, tenantToMakeIn } from '../../domain/scope.ts';
import { holderOf, type Tokens } from '../../domain/tokens.ts';
import type { UnaryHandler } from '../call.ts';
import {
  type CreatePageCodeRequest,
  type CreatePageCodeResponse,
  CreatePageCodeResponseSchema,
  type CreateTokenRequest,
  type CreateTokenResponse,
  CreateTokenResponseSchema,
  type ListTenantsRequest,
  type ListTenantsResponse,
  ListTenantsResponseSchema,
  type ListTokensRequest,
  type ListTokensResponse,
  ListTokensResponseSchema,
  type RevokeTokenRequest,
  type RevokeTokenResponse,
  RevokeTokenResponseSchema,
  Role,
} from '../gen/spearlet/access_pb.js';
import { certificateNamesFromWire, fingerprintFromWire, roleFromWire, tokenToWire } from '../wire/access.ts';
import { instant, reference } from '../wire/fields.ts';
import type { OpenCalls } from './open-calls.ts';
import type { PageAccess } from './page-access.ts';
import type { SeenExecution } from './seen-executions.ts';

export interface AccessService {
  readonly createToken: UnaryHandler<CreateTokenRequest, CreateTokenResponse>;
  readonly listTokens: UnaryHandler<ListTokensRequest, ListTokensResponse>;
  readonly revokeToken: UnaryHandler<RevokeTokenRequest, RevokeTokenResponse>;
  readonly createPageCode: UnaryHandler<CreatePageCodeRequest, CreatePageCodeResponse>;
  readonly listTenants: UnaryHandler<ListTenantsRequest, ListTenantsResponse>;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export function createAccessService({
  tokens,
  pageAccess,
  openCalls,
  httpAddress,
  tls,
  seen,
  taskTenants,
  clock,
}: {
  readonly tokens: Tokens;
  readonly pageAccess: PageAccess;
  readonly openCalls: Pick<OpenCalls, 'endOf'>;
  /** HOST:PORT as bound. */
  readonly httpAddress: () => string;
  /** The page is reached by https. */
  readonly tls: boolean;
  readonly seen: SeenExecution;
  /** The tenants that have tasks. */
  readonly taskTenants: () => Promise<readonly string[]>;
  readonly clock: Pick<Clock, 'now'>;
}): AccessService {
  return {
    async createToken(request, { principal, scope }) {
      assertNoSession(principal);
      const name = reference('name', request.name);
      if (!namePattern.test(name)) {
        throw invalidArgument(
          'name',
          `is ${quote(name)}; allowed are 1 to 128 of A-Z, a-z, 0-9, ".", "_" and "-", of which the first is a letter or a digit`,
        );
      }
      const role = roleFromWire('role', request.role);
      const tasks = checkGlobs('tasks', request.tasks);
      if (tasks.length > 0 && role === 'admin') {
        throw invalidArgument('tasks', 'is for a token that is held to tasks; one with ROLE_ADMIN is not');
      }
      const expiresAt = instant('expires_at', request.expiresAt);
      if (expiresAt !== undefined && expiresAt <= clock.now()) {
        throw invalidArgument('expires_at', 'has passed; allowed is a time in the future, or none');
      }
      const latest = principal.expiresAt ?? Number.POSITIVE_INFINITY;
      if ((expiresAt ?? Number.POSITIVE_INFINITY) > latest) {
        throw invalidArgument(
          'expires_at',
          `is later than the end of ${quote(principal.name)}, or not set; allowed is at most ${timestampDate(timestampFromMs(latest)).toISOString()}`,
        );
      }
      const certificateNames = certificateNamesFromWire('certificate_names', request.certificateNames);
      const execution = request.executionId === '' ? undefined : await seen(scope, request.executionId);
      if (execution !== undefined) {
        const others = { tasks: tasks.length > 0, certificate_names: certificateNames !== undefined };
        assertForOne(role, expiresAt, others);
      }
      if (request.allTenants && (role !== 'observe' || tasks.length > 0 || execution !== undefined)) {
        throw invalidArgument('all_tenants', 'is for ROLE_OBSERVE, without tasks and execution_id');
      }
      const { token, facts } = await tokens.create({
        ...{ name, role, ...owned(tenantToMakeIn(scope)) },
        ...(request.allTenants && { allTenants: true as const }),
        ...(tasks.length > 0 && { tasks: [...tasks] }),
        ...(certificateNames !== undefined && { certificateNames }),
        ...(execution !== undefined && { execution }),
        ...(expiresAt !== undefined && { expiresAt: Math.round(expiresAt) }),
      });
      return create(CreateTokenResponseSchema, {
        ...{ token: tokenToWire(facts), secret: token },
        ...(execution !== undefined && { httpAddress: httpAddress(), tls }),
      });
    },

    async listTokens() {
      return create(ListTokensResponseSchema, { tokens: tokens.list().map(tokenToWire) });
    },

    async revokeToken(request) {
      const name = reference('name', request.name);
      const fingerprint = fingerprintFromWire('fingerprint', request.fingerprint);
      try {
        const facts =
          fingerprint === undefined
            ? await tokens.revoke(name)
            : await tokens.revokeCertificate(name, fingerprint);
        return create(RevokeTokenResponseSchema, { token: tokenToWire(facts) });
      } finally {
        // Else its holder would go on through a page, or hear more; also where the disk does not take it.
        pageAccess.endOf(holderOf(name));
        openCalls.endOf(holderOf(name));
      }
    },

    async listTenants() {
      const found = new Set([defaultTenant, ...tokens.list().map(tenantOf), ...(await taskTenants())]);
      return create(ListTenantsResponseSchema, { tenants: [...found].sort() });
    },

    async createPageCode(request, { principal, scope }) {
      assertNoSession(principal);
      // Whoever may ask for one has all roles.
      const reader =
        request.role === Role.UNSPECIFIED
          ? principal
          : { ...principal, role: roleFromWire('role', request.role) };
      const { secret: code, expiresAt } = pageAccess.createCode(atHomeIn(reader, scope));
      return create(CreatePageCodeResponseSchema, {
        ...{ code, expiresAt: timestampFromMs(expiresAt), httpAddress: httpAddress(), tls },
      });
    },
  };
}

/** Throws permission_denied: whoever took the token of a page would otherwise be an administrator for good. */
function assertNoSession(principal: Principal): void {
  if (principal.session !== true) return;
  throw new RequestError(
    'permission_denied',
    'a session of the page makes no tokens and no links; allowed is the command, or a token',
    { reason: 'ROLE_MISSING', metadata: { needed: 'admin', role: principal.role ?? '' } },
  );
}

/** Throws invalid_argument for what a token of one execution cannot be. */
function assertForOne(
  role: DomainRole,
  expiresAt: number | undefined,
  others: Readonly<Record<string, boolean>>,
): void {
  if (role !== 'observe')
    throw invalidArgument('role', `is ${role}; allowed for a token of one execution is observe`);
  if (expiresAt === undefined) {
    throw invalidArgument(
      'expires_at',
      'is not set; allowed for a token of one execution is a time in the future',
    );
  }
  for (const [field, given] of Object.entries(others)) {
    if (given) throw invalidArgument(field, 'is given; allowed for a token of one execution is none');
  }
}
