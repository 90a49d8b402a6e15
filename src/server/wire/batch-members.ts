/** Which members of a batch are wanted, and how they are counted, as messages and as the domain has it. */
import { create } from '@bufbuild/protobuf';
import type { MemberQuery } from '../../domain/batch/batch.ts';
import type { GroupQuery, MemberGroup, MemberGroups } from '../../domain/batch/groups.ts';
import { invalidArgument } from '../../domain/errors.ts';
import {
  type GroupBatchMembersRequest,
  type GroupBatchMembersResponse,
  GroupBatchMembersResponseSchema,
  type ListBatchMembersRequest,
} from '../gen/spearlet/batch_pb.js';
import { ErrorCode } from '../gen/spearlet/function_pb.js';
import { errorCodeFromWire, errorCodeToWire, statusesFromWire, statusToWire } from './enums.ts';
import { text } from './fields.ts';

/** Bands of layers where a request names no number. */
const usualBands = 10;
const mostBands = 100;

/** Throws invalid_argument that names the field. */
export function memberQuery(request: ListBatchMembersRequest, after: number, limit: number): MemberQuery {
  const taskName = text('task_name', request.taskName, 256);
  return {
    ...{ after, limit },
    statuses: statusesFromWire(request.statuses),
    ...layers(request),
    ...(taskName !== '' && { taskName }),
    errorCodes: request.errorCodes.map((wire, index) => {
      const code = errorCodeFromWire(wire);
      if (code !== undefined) return code;
      const allowed = Object.values(errorCodeToWire).map((each) => ErrorCode[each]);
      throw invalidArgument(`error_codes[${index}]`, `is ${wire}; allowed are ${allowed.join(', ')}`);
    }),
  };
}

/** Throws invalid_argument that names the field. */
export function groupQuery(request: GroupBatchMembersRequest): GroupQuery {
  const { maxBands } = request;
  if (maxBands > mostBands) {
    throw invalidArgument(
      'max_bands',
      `is ${maxBands}; allowed are 1 to ${mostBands}, and 0 for ${usualBands}`,
    );
  }
  return { ...layers(request), maxBands: maxBands === 0 ? usualBands : maxBands };
}

function layers({
  firstLayer,
  lastLayer,
}: Pick<GroupBatchMembersRequest, 'firstLayer' | 'lastLayer'>): Pick<
  MemberQuery,
  'firstLayer' | 'lastLayer'
> {
  if (firstLayer !== undefined && lastLayer !== undefined && lastLayer < firstLayer) {
    throw invalidArgument('last_layer', `is ${lastLayer}; allowed is first_layer (${firstLayer}) or more`);
  }
  return { ...(firstLayer !== undefined && { firstLayer }), ...(lastLayer !== undefined && { lastLayer }) };
}

export function groupsToWire({ groups, links, failures }: MemberGroups): GroupBatchMembersResponse {
  return create(GroupBatchMembersResponseSchema, {
    groups: groups.map(groupToWire),
    links: links.map((link) => ({ ...link })),
    failures: failures.map(({ status, errorCode, count }) => ({
      status: statusToWire[status],
      errorCode: errorCode === undefined ? ErrorCode.UNSPECIFIED : errorCodeToWire[errorCode],
      count,
    })),
  });
}

function groupToWire({ counts, ...group }: MemberGroup) {
  return { ...group, ...counts };
}
