import { randomFillSync } from 'node:crypto';
import { exitGuest } from '../guest-host/host/context.ts';
import { CallError } from './errno.ts';
import type { GuestHost, HostCalls } from './host.ts';

const randomBytesAtOnce = 1024 * 1024;

/** `clock_*`, `proc_*`, `random_get`, `sched_yield`, and `sock_*`, for sockets that nobody has. */
export function processCalls({ context, memory, descriptors, clocks }: GuestHost): HostCalls {
  const noSocket = (fd: number) => {
    descriptors.get(fd);
    throw new CallError('ENOTSOCK');
  };
  return {
    clock_res_get(id: number, result: number) {
      memory.setU64(result, clocks.resolution(id));
    },
    clock_time_get(id: number, _precision: bigint, result: number) {
      memory.setU64(result, clocks.now(id));
    },
    proc_exit(code: number) {
      exitGuest(context, code);
    },
    proc_raise() {
      throw new CallError('ENOSYS');
    },
    sched_yield() {},
    random_get(pointer: number, length: number) {
      const bytes = memory.bytes(pointer, length);
      for (let from = 0; from < bytes.length; from += randomBytesAtOnce) {
        randomFillSync(bytes, from, Math.min(randomBytesAtOnce, bytes.length - from));
      }
    },
    sock_accept: noSocket,
    sock_recv: noSocket,
    sock_send: noSocket,
    sock_shutdown: noSocket,
  };
}
