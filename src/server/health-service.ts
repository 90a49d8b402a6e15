/** gRPC's health service, `grpc.health.v1.Health`: what it says of a service, to whoever asks and whoever watches. */
import { create } from '@bufbuild/protobuf';
import { type Server, type ServerUnaryCall, type ServerWritableStream, status } from '@grpc/grpc-js';
import type { Clock, Timer } from '../domain/clock.ts';
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

interface HealthOptions {
  readonly clock: Pick<Clock, 'setTimer'>;
  /** New work is taken. */
  isReady(): boolean;
}

/** Watchers hear of a change within so many milliseconds. */
const lookMs = 250;

export class HealthService {
  readonly #options: HealthOptions;
  /** An empty name is the server as a whole; of all of them the same is true. */
  readonly #services: ReadonlySet<string>;
  readonly #watchers = new Set<Watcher>();
  /** What watchers were told last. */
  #told = ServingStatus.NOT_SERVING;
  #isOpen = false;
  #timer: Timer | undefined;

  /** Nothing is served yet. */
  constructor(services: readonly string[], options: HealthOptions) {
    this.#options = options;
    this.#services = new Set(['', ...services]);
  }

  /** Whether calls are taken at all; what `isReady` says counts beside it. */
  open(isOpen: boolean): void {
    this.#isOpen = isOpen;
    this.#tell();
  }

  get #now(): ServingStatus {
    return this.#isOpen && this.#options.isReady() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }

  #tell(): void {
    const now = this.#now;
    if (now === this.#told) return;
    this.#told = now;
    for (const watcher of this.#watchers) watcher.write(response(now));
  }

  /** A store that fails, or a lease that is over, tells nobody. */
  #look(): void {
    this.#timer ??= this.#options.clock.setTimer(lookMs, () => {
      this.#timer = undefined;
      if (this.#watchers.size === 0) return;
      this.#tell();
      this.#look();
    });
  }

  addTo(server: Server): void {
    server.addService(serviceDefinition(Health), {
      check: ({ request }: ServerUnaryCall<Asked, unknown>, answer: Answer<HealthCheckResponse>) => {
        const name = request.message?.service ?? '';
        if (this.#services.has(name)) return answer(null, response(this.#now));
        const shown = name.slice(0, 200).toWellFormed();
        answer({ code: status.NOT_FOUND, details: `the health of service "${shown}" is not known` });
      },
      list: (_call: unknown, answer: Answer<HealthListResponse>) => {
        const statuses = Object.fromEntries([...this.#services].map((name) => [name, response(this.#now)]));
        answer(null, create(HealthListResponseSchema, { statuses }));
      },
      watch: (call: Watcher) => this.#watch(call),
    });
  }

  #watch(call: Watcher): void {
    const name = call.request.message?.service ?? '';
    // The protocol has a watch of a service that is not there wait for it; none of ours ever comes later.
    if (!this.#services.has(name)) return void call.write(response(ServingStatus.SERVICE_UNKNOWN));
    this.#tell();
    call.write(response(this.#told));
    this.#watchers.add(call);
    for (const event of ['cancelled', 'close', 'error']) call.once(event, () => this.#watchers.delete(call));
    this.#look();
  }
}

function response(now: ServingStatus): HealthCheckResponse {
  return create(HealthCheckResponseSchema, { status: now });
}
