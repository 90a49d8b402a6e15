/** How much the calls of our services may bring, and where it counts; who makes them is known by then. */
import type { DescService } from '@bufbuild/protobuf';
import { assertRole, type Principal } from '../domain/access.ts';
import { roleOf } from './access/method-roles.ts';
import type { Arrivals } from './arrivals.ts';
import { type ChainOptions, mostBytesOf, requestTooLarge, roomOf, toRequestError } from './chain.ts';
import { GrpcArrivals, type GrpcArrivalsOptions } from './grpc-arrivals.ts';
import { mostReceived, type ServiceOptions } from './grpc-server.ts';
import { methodPath } from './service-definition.ts';

/** Looks at what calls of a server bring before they are whole. */
export function createGrpcArrivals(
  services: readonly DescService[],
  options: ChainOptions & Pick<ServiceOptions, 'peers'> & Pick<GrpcArrivalsOptions, 'sends'>,
): GrpcArrivals {
  const { strangers } = options;
  const methods = new Map(
    services.flatMap((service) => service.methods.map((method) => [methodPath(method), method] as const)),
  );
  const most = new Map([...methods].map(([path, { name }]) => [path, mostBytesOf(name, options)]));
  return new GrpcArrivals({
    clock: options.clock,
    arrivalsOf(path, authorization, { address, peer }) {
      const method = methods.get(path);
      // What is for everybody, and what is not there.
      if (method === undefined || strangers === undefined) return (strangers ?? options).arrivals;
      const certificate = options.peers?.of(peer);
      const found = options.authenticator.authenticate({ authorization, address, certificate });
      const held = (principal: Principal): Arrivals => {
        try {
          assertRole(principal, roleOf(method), method.name);
        } catch (error) {
          options.access?.madeBy(error, principal);
          throw error;
        }
        return roomOf(principal, options).arrivals;
      };
      return found instanceof Promise
        ? { until: found.then(held), meanwhile: strangers.arrivals }
        : held(found);
    },
    // What is for everybody is held open by anybody.
    enter: (path, address) => (methods.has(path) ? undefined : strangers?.watchers.enter(address, address)),
    close: () => {
      options.arrivals.close();
      strangers?.arrivals.close();
    },
    ...(options.sends !== undefined && { sends: options.sends }),
    mostReceived: mostReceived(options),
    mostBytes: (path) => most.get(path) ?? options.maxRequestBytes,
    isUpload: (path) =>
      methods.get(path)?.methodKind === 'client_streaming' || (most.get(path) ?? 0) > options.maxRequestBytes,
    refusalOf: (error, path, address) => toRequestError(error, path, options, { address }),
    tooLarge: (path) => requestTooLarge(methods.get(path)?.name ?? '', options),
  });
}
