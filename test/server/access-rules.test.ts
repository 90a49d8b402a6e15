import type { DescService } from '@bufbuild/protobuf';
import { Server } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { methodRoles } from '../../src/domain/method-roles.ts';
import { roleOf } from '../../src/server/access/method-roles.ts';
import { ServerReflection } from '../../src/server/gen/grpc/reflection/v1/reflection_pb.js';
import { AccessService } from '../../src/server/gen/spearlet/access_pb.js';
import { BatchService } from '../../src/server/gen/spearlet/batch_pb.js';
import { ClusterService } from '../../src/server/gen/spearlet/cluster_pb.js';
import { FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { InstanceService } from '../../src/server/gen/spearlet/instance_pb.js';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import { QuotaService } from '../../src/server/gen/spearlet/quota_pb.js';
import { RerunService } from '../../src/server/gen/spearlet/rerun_pb.js';
import { RevisionService } from '../../src/server/gen/spearlet/revision_pb.js';
import { ScheduleService } from '../../src/server/gen/spearlet/schedule_pb.js';
import { SnapshotService } from '../../src/server/gen/spearlet/snapshot_pb.js';
import { TaskService } from '../../src/server/gen/spearlet/task_pb.js';
import { WebhookService } from '../../src/server/gen/spearlet/webhook_pb.js';
import { addService } from '../../src/server/grpc-server.ts';

const services: readonly DescService[] = [
  AccessService,
  QuotaService,
  BatchService,
  ClusterService,
  FunctionService,
  InstanceService,
  NodeService,
  ScheduleService,
  RerunService,
  RevisionService,
  SnapshotService,
  TaskService,
  WebhookService,
];

it('each method of each service has a role, and no role is of a method that is not there', () => {
  const methods = services.flatMap(({ name, methods }) => methods.map((method) => `${name}/${method.name}`));
  expect(Object.keys(methodRoles).sort()).toEqual(methods.sort());
});

it('a service with a method that has no role is not served', () => {
  const handlers = { serverReflectionInfo: async () => {} };
  const [method] = ServerReflection.methods;
  expect(() => roleOf(method as (typeof ServerReflection.methods)[number])).toThrow(/no role is set for/);
  const unary = { ...TaskService, name: 'OtherService', methods: [{ ...TaskService.method.getTask }] };
  unary.methods = [{ ...TaskService.method.getTask, parent: unary as unknown as typeof TaskService }];
  expect(() =>
    addService(new Server(), unary, { ...handlers, getTask: async () => ({}) }, {} as never),
  ).toThrow(/no role is set for/);
});
