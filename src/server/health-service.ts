/** gRPC's health service, `grpc.health.v1.Health`: what it says of a service, to whoever asks and whoever watches. */
import { create } from '@bufbuild/protobuf';
import { type Server, type ServerUnaryCall, type ServerWritableStream, status } from '@grpc/grpc-js';
import {
  Health,
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  type HealthListResponse,
  HealthListResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from './gen/health/v1/health_pb.js';
import { type Received, serviceDefinition } from './service-definition.ts';

type Asked = Received<HealthCheckRequest>;
type Answer<Message> = (error: { code: number; details: string } | null, message?: Message) => void;
type Watcher = ServerWritableStream<Asked, HealthCheckResponse>;

export class HealthService {
  /** By service; an empty name is the server as a whole. */
  readonly #statuses = new Map<string, ServingStatus>();
  readonly #watchers = new Map<string, Set<Watcher>>();

  /** Nothing is served yet. */
  constructor(services: readonly string[]) {
    for (const name of ['', ...services]) this.#statuses.set(name, ServingStatus.NOT_SERVING);
  }

  setAll(serving: boolean): void {
    const now = serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    for (const name of this.#statuses.keys()) {
      this.#statuses.set(name, now);
      for (const watcher of this.#watchers.get(name) ?? []) watcher.write(response(now));
    }
  }

  addTo(server: Server): void {
    server.addService(serviceDefinition(Health), {
      check: ({ request }: ServerUnaryCall<Asked, unknown>, answer: Answer<HealthCheckResponse>) => {
        const name = request.message?.service ?? '';
        const found = this.#statuses.get(name);
        if (found !== undefined) return answer(null, response(found));
        const shown = name.slice(0, 200).toWellFormed();
        answer({ code: status.NOT_FOUND, details: `the health of service "${shown}" is not known` });
      },
      list: (_call: unknown, answer: Answer<HealthListResponse>) => {
        const statuses = Object.fromEntries([...this.#statuses].map(([name, now]) => [name, response(now)]));
        answer(null, create(HealthListResponseSchema, { statuses }));
      },
      watch: (call: Watcher) => this.#watch(call),
    });
  }

  #watch(call: Watcher): void {
    const name = call.request.message?.service ?? '';
    // The protocol has a watch of a service that is not there wait for it; none of ours ever comes later.
    const now = this.#statuses.get(name);
    call.write(response(now ?? ServingStatus.SERVICE_UNKNOWN));
    if (now === undefined) return;
    const watchers = this.#watchers.get(name) ?? new Set();
    this.#watchers.set(name, watchers.add(call));
    for (const event of ['cancelled', 'close', 'error']) call.once(event, () => watchers.delete(call));
  }
}

function response(now: ServingStatus): HealthCheckResponse {
  return create(HealthCheckResponseSchema, { status: now });
}
