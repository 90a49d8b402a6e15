/** A gRPC server that answers as a test says, over real sockets: for what a real node shows too briefly, or not yet. */
import type { DescMethod, Message, MessageInitShape } from '@bufbuild/protobuf';
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
import { RequestError } from '../../src/domain/errors.ts';
import { FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
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
import { statusOf } from '../../src/server/status.ts';

type Methods = typeof FunctionService.method;

interface Script {
  /** Absent where the server is from before the call. */
  readonly progress?: readonly MessageInitShape<typeof ArtifactProgressSchema>[];
  /** Absent where a registration ends without an answer. */
  readonly registered?: MessageInitShape<typeof RegisterTaskResponseSchema>;
  /** What GetTask finds. */
  readonly task?: MessageInitShape<typeof TaskSchema>;
  readonly instances?: MessageInitShape<typeof ListInstancesResponseSchema>;
  /** What each method answers, a stream with as many messages as are listed, or how it refuses. */
  readonly functions?: {
    readonly [Name in keyof Methods]?:
      | RequestError
      | (Methods[Name]['methodKind'] extends 'unary'
          ? MessageInitShape<Methods[Name]['output']>
          : readonly MessageInitShape<Methods[Name]['output']>[]);
  };
}

export interface ScriptedServer {
  readonly address: string;
  /** The registrations it was asked for, with the name of the method. */
  readonly registrations: readonly {
    readonly method: string;
    readonly request: RegisterTaskRequest | RegisterTaskWithProgressRequest | undefined;
  }[];
  /** What its functions were called with. */
  readonly calls: readonly { readonly method: string; readonly request: Message | undefined }[];
}

type Unary = ServerUnaryCall<Received<RegisterTaskRequest>, unknown>;
type Stream = ServerWritableStream<Received<RegisterTaskWithProgressRequest>, unknown>;

/** Ends with the test. */
export async function startScriptedServer({
  progress,
  registered,
  task,
  instances = {},
  functions = {},
}: Script): Promise<ScriptedServer> {
  const registrations: ScriptedServer['registrations'][number][] = [];
  const { getTask, registerTask, registerTaskWithProgress } = TaskService.method;
  const calls: ScriptedServer['calls'][number][] = [];
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
  server.addService(serviceDefinition(FunctionService), scriptedFunctions(functions, calls));
  onTestFinished(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return { address: `127.0.0.1:${port}`, registrations, calls };
}

function scriptedFunctions(
  functions: Readonly<Record<string, object | undefined>>,
  calls: ScriptedServer['calls'][number][],
): UntypedServiceImplementation {
  const implementation: UntypedServiceImplementation = {};
  for (const method of FunctionService.methods) {
    const answer = functions[method.localName];
    if (answer === undefined) continue;
    const messages = answer instanceof RequestError ? [] : Array.isArray(answer) ? answer : [answer];
    implementation[method.localName] = (
      call: ServerUnaryCall<Received<Message>, unknown> & ServerWritableStream<Received<Message>, unknown>,
      done?: sendUnaryData<unknown>,
    ) => {
      calls.push({ method: method.name, request: call.request.message });
      const wire = messages.map((message) => create<DescMethod['output']>(method.output, message));
      if (done !== undefined) {
        if (answer instanceof RequestError) done(statusOf(answer));
        else done(null, wire[0]);
        return;
      }
      for (const message of wire) call.write(message);
      if (answer instanceof RequestError) call.emit('error', statusOf(answer));
      else call.end();
    };
  }
  return implementation;
}
