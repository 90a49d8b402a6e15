/** Executions whose attempts may outlive their node. */
import { crash, type SupervisorBench } from './supervisor-bench.ts';

export const docker = { runtime: 'docker' } as const;

/** An execution whose container has had all of its input and written `out`; the id of the execution. */
export async function inContainer(
  bench: SupervisorBench,
  definition: Parameters<SupervisorBench['start']>[0] = {},
  request: Parameters<SupervisorBench['start']>[1] = {},
): Promise<string> {
  const { executionId } = await bench.start({ ...docker, ...definition }, request);
  const call = bench.docker.calls.at(-1);
  await call?.bind();
  call?.takeInput();
  void call?.write('stdout', 'out');
  await bench.clock.advance(10);
  return executionId;
}

/** The next node finds the container still there. */
export function crashBeside(
  before: SupervisorBench,
  executionId: string,
  how: Parameters<typeof crash>[1] = {},
): SupervisorBench {
  const after = crash(before, how);
  after.docker.survivors.add(`inst_${executionId}_1`);
  return after;
}
