import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { invalidArgument } from '../domain/errors.ts';
import type { Quota, QuotaRate, Quotas, TenantQuota } from '../domain/quota.ts';
import { checkTenant } from '../domain/scope.ts';
import type { UnaryHandler } from './call.ts';
import {
  type GetQuotaRequest,
  type GetQuotaResponse,
  GetQuotaResponseSchema,
  type ListQuotasRequest,
  type ListQuotasResponse,
  ListQuotasResponseSchema,
  type Quota as QuotaMessage,
  type SetQuotaRequest,
  type SetQuotaResponse,
  SetQuotaResponseSchema,
  type TenantQuota as TenantQuotaMessage,
  TenantQuotaSchema,
  type TenantRate,
} from './gen/spearlet/quota_pb.js';
import { positiveDuration, reference } from './wire/fields.ts';

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

function fromWire({ weight, running, pending, memoryBytes, storedBytes, rate }: QuotaMessage): Quota {
  return {
    ...(weight !== undefined && { weight }),
    ...(running !== undefined && { running }),
    ...(pending !== undefined && { pending }),
    ...(memoryBytes !== undefined && { memoryBytes: Number(memoryBytes) }),
    ...(storedBytes !== undefined && { storedBytes: Number(storedBytes) }),
    ...(rate !== undefined && { rate: rateFrom(rate) }),
  };
}

function rateFrom({ units, per, burst = 1 }: TenantRate): QuotaRate {
  const perMs = positiveDuration('quota.rate.per', per);
  if (perMs === undefined)
    throw invalidArgument('quota.rate.per', 'is not set; allowed is a duration, such as 1s');
  return { units, perMs, burst };
}

function toWire({ tenant, quota, load }: TenantQuota): TenantQuotaMessage {
  const { memoryBytes, storedBytes, rate, ...counts } = quota;
  const { running, pending, memoryBytes: reserved, storedBytes: stored } = load;
  return create(TenantQuotaSchema, {
    ...{ tenant, running, pending },
    memoryBytes: BigInt(reserved),
    storedBytes: BigInt(stored),
    quota: {
      ...counts,
      ...(memoryBytes !== undefined && { memoryBytes: BigInt(memoryBytes) }),
      ...(storedBytes !== undefined && { storedBytes: BigInt(storedBytes) }),
      ...(rate !== undefined && {
        rate: { units: rate.units, per: durationFromMs(rate.perMs), burst: rate.burst },
      }),
    },
  });
}
