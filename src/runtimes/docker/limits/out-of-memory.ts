import type { EngineConnection } from '../engine/connection.ts';
import { killedForMemory } from './kernel-log.ts';

const inspectMs = 10_000;
/** What a program exits with that was ended by SIGKILL, which may be the kernel's for want of memory. */
const killedCode = 137;

/** Whether the kernel killed something in a container that has ended. Rejects with an EngineError. */
export async function ranOutOfMemory(
  connection: EngineConnection,
  containerId: string,
  exitCode: number,
): Promise<boolean> {
  const { State } = await connection.call(inspectMs, (docker) => docker.getContainer(containerId).inspect());
  return State.OOMKilled || (exitCode === killedCode && killedForMemory(containerId));
}
