/** Server reflection, v1 and v1alpha, over the descriptors that the generated code carries. */
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
import { type Server, status } from '@grpc/grpc-js';
import type { ServerReflectionRequest } from './gen/grpc/reflection/v1/reflection_pb.js';
import {
  ServerReflectionResponseSchema,
  ServerReflection as V1,
} from './gen/grpc/reflection/v1/reflection_pb.js';
import {
  ServerReflection as V1Alpha,
  ServerReflectionResponseSchema as V1AlphaResponseSchema,
} from './gen/grpc/reflection/v1alpha/reflection_pb.js';
import { type Received, serviceDefinition } from './service-definition.ts';

interface BidiCall {
  on(event: 'data', listener: (request: Received<ServerReflectionRequest>) => void): void;
  on(event: 'end' | 'error', listener: () => void): void;
  write(message: unknown): void;
  end(): void;
}

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']>;

export function addReflection(server: Server, services: readonly DescService[]): void {
  const shown = [...services, V1, V1Alpha];
  const index = new DescriptorIndex(shown);
  add(server, V1, ServerReflectionResponseSchema, index);
  // The two versions have the same messages but for their package.
  add(server, V1Alpha, V1AlphaResponseSchema as unknown as typeof ServerReflectionResponseSchema, index);
}

function add(
  server: Server,
  service: DescService,
  schema: typeof ServerReflectionResponseSchema,
  index: DescriptorIndex,
): void {
  server.addService(serviceDefinition(service), {
    serverReflectionInfo(call: BidiCall) {
      call.on('data', ({ message }) => {
        if (message === undefined) return call.end();
        call.write(
          create(schema, {
            validHost: message.host,
            originalRequest: message,
            messageResponse: index.answer(message),
          }) as MessageShape<DescMessage>,
        );
      });
      call.on('end', () => call.end());
      call.on('error', () => {});
    },
  });
}

class DescriptorIndex {
  readonly #services: readonly string[];
  readonly #files = new Map<string, DescFile>();
  readonly #symbols = new Map<string, DescFile>();

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
    const files = new Set<DescFile>();
    collect(file, files);
    return {
      case: 'fileDescriptorResponse',
      value: {
        fileDescriptorProto: [...files].map((each) => toBinary(FileDescriptorProtoSchema, each.proto)),
      },
    };
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
