import {
  create,
  createFileRegistry,
  type DescField,
  fromBinary,
  type Message,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { file_spearlet_function } from '../../src/server/gen/spearlet/function_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';

/** What `function.proto` had before there were modes: fields that such a client has never heard of. */
const laterFields: Readonly<Record<string, readonly string[]>> = {
  InvokeFunctionRequest: [
    'execution_mode',
    'wait_budget',
    'invocation_id',
    'cancel_on_disconnect',
    'depends_on',
  ],
  InvokeFunctionResponse: [
    'status_endpoint',
    'estimated_completion_ms',
    'last_sequence',
    'joined',
    'dry_run',
  ],
  ExecutionResult: [
    'mode',
    'is_async',
    'is_completed',
    'state',
    'allowed_events',
    'termination',
    'depends_on',
    'batch_id',
  ],
};

/** The registry of a client that was built from the older descriptor. */
function olderRegistry() {
  const older = new Map<string, FileDescriptorProto>();
  const add = (file: typeof file_spearlet_function): void => {
    if (older.has(file.proto.name)) return;
    for (const dependency of file.dependencies) add(dependency);
    older.set(
      file.proto.name,
      fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, file.proto)),
    );
  };
  add(file_spearlet_function);
  const file = older.get('spearlet/function.proto');
  if (file === undefined) throw new Error('no function.proto');
  for (const message of file.messageType) {
    const later = laterFields[message.name] ?? [];
    message.field = message.field.filter((field) => !later.includes(field.name));
  }
  file.enumType = file.enumType.filter((type) => type.name !== 'ExecutionMode');
  // Each stands behind those that it imports.
  return createFileRegistry(create(FileDescriptorSetSchema, { file: [...older.values()] }));
}

const registry = olderRegistry();

function schema(name: string) {
  const found = registry.getMessage(`spearlet.${name}`);
  if (found === undefined) throw new Error(`the older descriptor has no ${name}`);
  return found;
}

let server: LocalServer;
let client: Client;

beforeAll(async () => {
  server = await startServer();
  await server.register('count', 'wordcount/wordcount.wasm');
  await server.register('exit', 'misbehaving/exit.wasm');
  client = new Client(server.grpcAddress, credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  await server.stop();
});

function invoke(request: Record<string, unknown>): Promise<Message> {
  const input = schema('InvokeFunctionRequest');
  const output = schema('InvokeFunctionResponse');
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/spearlet.FunctionService/InvokeFunction',
      (message: Message) => Buffer.from(toBinary(input, message)),
      (bytes: Buffer) => fromBinary(output, bytes),
      create(input, request),
      (error, response) => {
        if (error === null && response !== undefined) resolve(response);
        else reject(error ?? new Error('no response'));
      },
    );
  });
}

const options = { registry, alwaysEmitImplicit: true };

describe('a client from before there were modes', () => {
  test('knows nothing of modes, endpoints and estimates', () => {
    const names = (name: string) => schema(name).fields.map((field: DescField) => field.name);
    expect(names('InvokeFunctionRequest')).not.toContain('execution_mode');
    expect(names('InvokeFunctionResponse')).toEqual([
      'success',
      'message',
      'execution_id',
      'task_id',
      'instance_id',
      'result',
    ]);
    expect(registry.getEnum('spearlet.ExecutionMode')).toBeUndefined();
  });

  test('invokes a function and gets its whole result', async () => {
    const response = await invoke({ task: 'count', input: Buffer.from('one two\n') });
    expect(toJson(schema('InvokeFunctionResponse'), response, options)).toMatchObject({
      success: true,
      message: 'completed',
      executionId: expect.stringMatching(/^exec_/),
      taskId: expect.stringMatching(/^task_/),
      result: {
        status: 'EXECUTION_STATUS_COMPLETED',
        output: Buffer.from('1 2 8\n').toString('base64'),
        exitCode: 0,
        errorMessage: '',
      },
    });
  });

  test('sees a failure as it always did', async () => {
    const response = await invoke({ task: 'exit' });
    expect(toJson(schema('InvokeFunctionResponse'), response, options)).toMatchObject({
      success: false,
      result: { status: 'EXECUTION_STATUS_FAILED', exitCode: 7, errorCode: 'ERROR_CODE_FUNCTION_EXIT' },
    });
  });

  test('hands on what it does not know unharmed', async () => {
    const response = await invoke({ task: 'count', input: Buffer.from('x\n') });
    const bytes = toBinary(schema('InvokeFunctionResponse'), response);
    const current = file_spearlet_function.messages.find(({ name }) => name === 'InvokeFunctionResponse');
    if (current === undefined) throw new Error('no InvokeFunctionResponse');
    expect(toJson(current, fromBinary(current, bytes))).toMatchObject({
      lastSequence: '4',
      result: { mode: 'EXECUTION_MODE_SYNC', isCompleted: true, state: 'completed' },
    });
  });
});
