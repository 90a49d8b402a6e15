import { randomUUID } from 'node:crypto';
import { assertOneTenant } from '../domain/scope.ts';
import type { StreamHandler } from './call.ts';
import type { RerunExecutionsRequest, RerunExecutionsResponse } from './gen/spearlet/rerun_pb.js';
import { type RerunOptions, RerunRun } from './rerun/rerun-run.ts';
import { wishFrom } from './rerun/rerun-wish.ts';

export interface RerunService {
  readonly rerunExecutions: StreamHandler<RerunExecutionsRequest, RerunExecutionsResponse>;
}

export function createRerunService(options: RerunOptions): RerunService {
  return {
    async rerunExecutions(request, call, send) {
      assertOneTenant(call.scope, 'running again');
      await new RerunRun(options, wishFrom(request, randomUUID), call, send).run();
    },
  };
}
