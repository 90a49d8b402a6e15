/** Server reflection, v1 and v1alpha, over the descriptors that the generated code carries. */
import type { Readable } from 'node:stream';
import {
  create,
  type DescFile,
  type DescMessage,
  type DescService,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { type Server, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { invalidArgument, RequestError } from '../domain/errors.ts';
import type { ServerReflectionRequest } from './gen/grpc/reflection/v1/reflection_pb.js';
import {
  ServerReflectionResponseSchema,
  ServerReflection as V1,
} from './gen/grpc/reflection/v1/reflection_pb.js';
import {
  ServerReflection as V1Alpha,
  ServerReflectionResponseSchema as V1AlphaResponseSchema,
} from './gen/grpc/reflection/v1alpha/reflection_pb.js';
import type { ArrivingCall, GrpcArrivals } from './grpc-arrivals.ts';
import { MessageOutput } from './message-output.ts';
import { type Received, serviceDefinition } from './service-definition.ts';
import { statusOf } from './status.ts';

type Call = ServerDuplexStream<Received<ServerReflectionRequest>, unknown>;
type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']>;

/** Of one stream. A client asks for each service and each file that it needs, once. */
const mostMessages = 1000;
/** Bytes of a request, which is sent back with its answer, and of its host. */
const mostRequestBytes = 4096;
const mostHostBytes = 256;

/** `arriving` is where the bytes of requests count; absent where they do not. */
export function addReflection(
  server: Pick<Server, 'addService'>,
  services: readonly DescService[],
  arriving?: Pick<GrpcArrivals, 'latest'>,
): void {
  const shown = [...services, V1, V1Alpha];
  const index = new DescriptorIndex(shown);
  add(server, V1, ServerReflectionResponseSchema, index, arriving);
  // The two versions have the same messages but for their package.
  const alpha = V1AlphaResponseSchema as unknown as typeof ServerReflectionResponseSchema;
  add(server, V1Alpha, alpha, index, arriving);
}

function add(
  server: Pick<Server, 'addService'>,
  service: DescService,
  schema: typeof ServerReflectionResponseSchema,
  index: DescriptorIndex,
  arriving: Pick<GrpcArrivals, 'latest'> | undefined,
): void {
  server.addService(serviceDefinition(service), {
    serverReflectionInfo(call: Call) {
      // Without a listener an error on a connection that broke would end the process.
      call.on('error', () => {});
      answerEach(call, schema, index, arriving?.latest).then(
        () => call.end(),
        (error: unknown) => {
          // After a cancel nobody hears of it.
          if (!call.cancelled) call.emit('error', error instanceof RequestError ? statusOf(error) : error);
        },
      );
    },
  });
}

/** One at a time, and the next is read when the caller has taken the answer. Rejects where a caller goes away. */
async function answerEach(
  call: Call,
  schema: typeof ServerReflectionResponseSchema,
  index: DescriptorIndex,
  arriving: ArrivingCall | undefined,
): Promise<void> {
  const requests: Readable = call;
  const output = new MessageOutput(call, 1);
  let answered = 0;
  for await (const each of requests.iterator({ destroyOnReturn: false })) {
    const { message, bytes } = each as Received<ServerReflectionRequest>;
    if (message === undefined) return;
    if (answered === mostMessages) throw tooManyMessages();
    answered += 1;
    checkSize(message, bytes);
    await output.send(
      create(schema, {
        validHost: message.host,
        originalRequest: message,
        messageResponse: index.answer(message),
      }) satisfies MessageShape<DescMessage>,
    );
    arriving?.taken(bytes);
  }
}

function checkSize({ host }: ServerReflectionRequest, bytes: number): void {
  const hostBytes = Buffer.byteLength(host);
  if (hostBytes > mostHostBytes) {
    throw invalidArgument('host', `has ${hostBytes} bytes; allowed are ${mostHostBytes}`);
  }
  if (bytes > mostRequestBytes) {
    throw invalidArgument('request', `has ${bytes} bytes; allowed are ${mostRequestBytes}`);
  }
}

function tooManyMessages(): RequestError {
  return new RequestError('resource_exhausted', `a stream answers ${mostMessages} requests; open another`, {
    reason: 'TOO_MANY_CALLS',
    quota: 'reflection-messages',
    retryAfterMs: 1000,
  });
}

class DescriptorIndex {
  readonly #services: readonly string[];
  readonly #files = new Map<string, DescFile>();
  readonly #symbols = new Map<string, DescFile>();
  /** What is answered for a file, encoded when it is asked for first. */
  readonly #answers = new Map<DescFile, Answer>();
  readonly #encoded = new Map<DescFile, Uint8Array>();

  constructor(services: readonly DescService[]) {
    this.#services = services.map((service) => service.typeName);
    for (const service of services) this.#addFile(service.file);
  }

  answer(request: ServerReflectionRequest): Answer {
    const wanted = request.messageRequest;
    switch (wanted.case) {
      case 'listServices':
        return {
          case: 'listServicesResponse',
          value: { service: this.#services.map((name) => ({ name })) },
        };
      case 'fileByFilename':
        return this.#file(this.#files.get(wanted.value), wanted.value);
      case 'fileContainingSymbol':
        return this.#file(this.#symbols.get(wanted.value), wanted.value);
      default:
        return {
          case: 'errorResponse',
          value: { errorCode: status.UNIMPLEMENTED, errorMessage: 'Spear uses no extensions' },
        };
    }
  }

  #file(file: DescFile | undefined, wanted: string): Answer {
    if (file === undefined) {
      const errorMessage = `not known: ${wanted.slice(0, 200).toWellFormed()}`;
      return { case: 'errorResponse', value: { errorCode: status.NOT_FOUND, errorMessage } };
    }
    let answer = this.#answers.get(file);
    if (answer === undefined) {
      const files = new Set<DescFile>();
      collect(file, files);
      const fileDescriptorProto = [...files].map((each) => this.#encode(each));
      answer = { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
      this.#answers.set(file, answer);
    }
    return answer;
  }

  #encode(file: DescFile): Uint8Array {
    let bytes = this.#encoded.get(file);
    if (bytes === undefined) {
      bytes = toBinary(FileDescriptorProtoSchema, file.proto);
      this.#encoded.set(file, bytes);
    }
    return bytes;
  }

  #addFile(file: DescFile): void {
    if (this.#files.has(file.proto.name)) return;
    this.#files.set(file.proto.name, file);
    for (const message of file.messages) this.#addMessage(message);
    for (const type of file.enums) this.#symbols.set(type.typeName, file);
    for (const service of file.services) {
      this.#symbols.set(service.typeName, file);
      for (const method of service.methods) this.#symbols.set(`${service.typeName}.${method.name}`, file);
    }
    for (const dependency of file.dependencies) this.#addFile(dependency);
  }

  #addMessage(message: DescMessage): void {
    this.#symbols.set(message.typeName, message.file);
    for (const nested of message.nestedMessages) this.#addMessage(nested);
    for (const type of message.nestedEnums) this.#symbols.set(type.typeName, message.file);
  }
}

function collect(file: DescFile, into: Set<DescFile>): void {
  if (into.has(file)) return;
  into.add(file);
  for (const dependency of file.dependencies) collect(dependency, into);
}
