import { create } from '@bufbuild/protobuf';
import { invalidArgument } from '../domain/errors.ts';
import type { Quota, Quotas, TenantQuota } from '../domain/quota.ts';
import { checkTenant } from '../domain/scope.ts';
import type { UnaryHandler } from './call.ts';
import {
  type GetQuotaRequest,
  type GetQuotaResponse,
  GetQuotaResponseSchema,
  type ListQuotasRequest,
  type ListQuotasResponse,
  ListQuotasResponseSchema,
  type SetQuotaRequest,
  type SetQuotaResponse,
  SetQuotaResponseSchema,
  type TenantQuota as TenantQuotaMessage,
  TenantQuotaSchema,
} from './gen/spearlet/quota_pb.js';
import { reference } from './wire/fields.ts';

export interface QuotaService {
  readonly setQuota: UnaryHandler<SetQuotaRequest, SetQuotaResponse>;
  readonly getQuota: UnaryHandler<GetQuotaRequest, GetQuotaResponse>;
  readonly listQuotas: UnaryHandler<ListQuotasRequest, ListQuotasResponse>;
}

export function createQuotaService(quotas: Quotas): QuotaService {
  return {
    async setQuota({ tenant, quota }) {
      const of = tenantIn(tenant);
      if (quota === undefined)
        throw invalidArgument('quota', 'is not set; allowed is a quota, which may be empty');
      return create(SetQuotaResponseSchema, { quota: toWire(await quotas.set(of, fromWire(quota))) });
    },

    async getQuota({ tenant }) {
      return create(GetQuotaResponseSchema, { quota: toWire(quotas.get(tenantIn(tenant))) });
    },

    async listQuotas() {
      return create(ListQuotasResponseSchema, { quotas: quotas.list().map(toWire) });
    },
  };
}

function tenantIn(value: string): string {
  return checkTenant('tenant', reference('tenant', value));
}

function fromWire({ weight, running, pending }: Loose<Quota>): Quota {
  return {
    ...(weight !== undefined && { weight }),
    ...(running !== undefined && { running }),
    ...(pending !== undefined && { pending }),
  };
}

type Loose<T> = { readonly [Key in keyof T]: T[Key] | undefined };

function toWire({ tenant, quota, load }: TenantQuota): TenantQuotaMessage {
  return create(TenantQuotaSchema, { tenant, quota: fromWire(quota), ...load });
}
