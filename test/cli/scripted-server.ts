/** A gRPC server that answers as a test says, over real sockets: for what a real node shows too briefly, or not yet. */
import type { DescMethod, MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import {
  InstanceService,
  type ListInstancesResponseSchema,
} from '../../src/server/gen/spearlet/instance_pb.js';
import {
  type ArtifactProgressSchema,
  type RegisterTaskRequest,
  type RegisterTaskResponseSchema,
  type RegisterTaskWithProgressRequest,
  type TaskSchema,
  TaskService,
} from '../../src/server/gen/spearlet/task_pb.js';
import { type Received, serviceDefinition } from '../../src/server/service-definition.ts';

interface Script {
  /** Absent where the server is from before the call. */
  readonly progress?: readonly MessageInitShape<typeof ArtifactProgressSchema>[];
  /** Absent where a registration ends without an answer. */
  readonly registered?: MessageInitShape<typeof RegisterTaskResponseSchema>;
  /** What GetTask finds. */
  readonly task?: MessageInitShape<typeof TaskSchema>;
  readonly instances?: MessageInitShape<typeof ListInstancesResponseSchema>;
}

export interface ScriptedServer {
  readonly address: string;
  /** The registrations it was asked for, with the name of the method. */
  readonly registrations: readonly {
    readonly method: string;
    readonly request: RegisterTaskRequest | RegisterTaskWithProgressRequest | undefined;
  }[];
}

type Unary = ServerUnaryCall<Received<RegisterTaskRequest>, unknown>;
type Stream = ServerWritableStream<Received<RegisterTaskWithProgressRequest>, unknown>;

/** Ends with the test. */
export async function startScriptedServer({
  progress,
  registered,
  task,
  instances = {},
}: Script): Promise<ScriptedServer> {
  const registrations: ScriptedServer['registrations'][number][] = [];
  const { getTask, registerTask, registerTaskWithProgress } = TaskService.method;
  const unary =
    <Method extends DescMethod>(method: Method, answer: MessageInitShape<Method['output']>) =>
    (call: Unary, done: sendUnaryData<unknown>) => {
      if (method.name === registerTask.name) {
        registrations.push({ method: method.name, request: call.request.message });
      }
      done(null, create<Method['output']>(method.output, answer));
    };
  const tasks: UntypedServiceImplementation = {
    getTask: unary(getTask, task === undefined ? {} : { task }),
    registerTask: unary(registerTask, registered ?? {}),
  };
  if (progress !== undefined) {
    const { name, output } = registerTaskWithProgress;
    tasks.registerTaskWithProgress = (call: Stream) => {
      registrations.push({ method: name, request: call.request.message });
      for (const value of progress) call.write(create(output, { step: { case: 'progress', value } }));
      if (registered !== undefined) {
        call.write(create(output, { step: { case: 'registered', value: registered } }));
      }
      call.end();
    };
  }
  const server = new Server();
  server.addService(serviceDefinition(TaskService), tasks);
  server.addService(serviceDefinition(InstanceService), {
    listInstances: unary(InstanceService.method.listInstances, instances),
  });
  onTestFinished(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return { address: `127.0.0.1:${port}`, registrations };
}
