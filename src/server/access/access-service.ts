import { create } from '@bufbuild/protobuf';
import type { Clock } from '../../domain/clock.ts';
import { invalidArgument, quote } from '../../domain/errors.ts';
import type { Tokens } from '../../domain/tokens.ts';
import type { UnaryHandler } from '../call.ts';
import {
  type CreateTokenRequest,
  type CreateTokenResponse,
  CreateTokenResponseSchema,
  type ListTokensRequest,
  type ListTokensResponse,
  ListTokensResponseSchema,
  type RevokeTokenRequest,
  type RevokeTokenResponse,
  RevokeTokenResponseSchema,
} from '../gen/spearlet/access_pb.js';
import { roleFromWire, tokenToWire } from '../wire/access.ts';
import { instant, reference } from '../wire/fields.ts';

export interface AccessService {
  readonly createToken: UnaryHandler<CreateTokenRequest, CreateTokenResponse>;
  readonly listTokens: UnaryHandler<ListTokensRequest, ListTokensResponse>;
  readonly revokeToken: UnaryHandler<RevokeTokenRequest, RevokeTokenResponse>;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export function createAccessService({
  tokens,
  clock,
}: {
  readonly tokens: Tokens;
  readonly clock: Pick<Clock, 'now'>;
}): AccessService {
  return {
    async createToken(request) {
      const name = reference('name', request.name);
      if (!namePattern.test(name)) {
        throw invalidArgument(
          'name',
          `is ${quote(name)}; allowed are 1 to 128 of A-Z, a-z, 0-9, ".", "_" and "-", of which the first is a letter or a digit`,
        );
      }
      const role = roleFromWire('role', request.role);
      const expiresAt = instant('expires_at', request.expiresAt);
      if (expiresAt !== undefined && expiresAt <= clock.now()) {
        throw invalidArgument('expires_at', 'has passed; allowed is a time in the future, or none');
      }
      const { token, facts } = await tokens.create({
        ...{ name, role },
        ...(expiresAt !== undefined && { expiresAt: Math.round(expiresAt) }),
      });
      return create(CreateTokenResponseSchema, { token: tokenToWire(facts), secret: token });
    },

    async listTokens() {
      return create(ListTokensResponseSchema, { tokens: tokens.list().map(tokenToWire) });
    },

    async revokeToken(request) {
      const facts = await tokens.revoke(reference('name', request.name));
      return create(RevokeTokenResponseSchema, { token: tokenToWire(facts) });
    },
  };
}
