/**
 * Tells systemd how far this process is, as sd_notify(3) says. Node has no datagram sockets of the file system, so that
 * `systemd-notify` sends it, in the name of its parent where that is root (`NotifyAccess=main`), and in its own
 * otherwise (`NotifyAccess=all`).
 */
import { spawn } from 'node:child_process';
import type { ServiceManager } from '../config.ts';

export interface ServiceNotice {
  /** The node takes calls. From now on signs of life are sent, as long as the main thread has turns. */
  ready(status: string): void;
  /** It takes no new work, and ends when what runs has ended. */
  stopping(): void;
}

const silent: ServiceNotice = { ready() {}, stopping() {} };

/**
 * Says nothing where nobody listens.
 *
 * @param failed hears why a notice was not sent
 */
export function createServiceNotice(
  manager: ServiceManager | undefined,
  failed: (why: string) => void,
): ServiceNotice {
  if (manager === undefined) return silent;
  const { socket, watchdogMs } = manager;
  const send = (...lines: string[]): void => {
    const env = { NOTIFY_SOCKET: socket, PATH: '/usr/bin:/bin' };
    const child = spawn('systemd-notify', lines, { env, stdio: 'ignore' });
    child.on('error', ({ message }) => failed(message));
    child.on('exit', (code, signal) => {
      if (code !== 0) failed(`systemd-notify ended with ${code ?? signal}`);
    });
    child.unref();
  };
  return {
    ready(status) {
      send('READY=1', `STATUS=${status}`);
      if (watchdogMs === 0) return;
      // A timer of this thread, because its turns are what is watched; half of the time, as sd_watchdog_enabled(3) recommends.
      setInterval(() => send('WATCHDOG=1'), watchdogMs / 2).unref();
    },
    stopping() {
      // Signs of life go on: a drain takes its time, and one that hangs is to be seen.
      send('STOPPING=1');
    },
  };
}
