import type { MessageInitShape } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { isServiceError } from '../client/rpc-details.ts';
import type { RegisterTaskRequestSchema, RegisterTaskResponse } from '../server/gen/spearlet/task_pb.js';
import { ProgressDisplay } from './progress.ts';
import type { Session } from './session.ts';

type Request = MessageInitShape<typeof RegisterTaskRequestSchema>;

/** Registers a task and says how far its artifact is, except where the user wants JSON. */
export async function register(session: Session, request: Request): Promise<RegisterTaskResponse> {
  const display = session.json ? undefined : new ProgressDisplay(session.shell);
  try {
    return await registerWithProgress(session, request, display);
  } catch (error) {
    // A server from before this call. It says so before it does anything.
    if (isServiceError(error) && error.code === status.UNIMPLEMENTED) {
      return await session.tasks.registerTask(request);
    }
    throw error;
  }
}

async function registerWithProgress(
  session: Session,
  { definition, ifAbsent }: Request,
  display: ProgressDisplay | undefined,
): Promise<RegisterTaskResponse> {
  let answer: RegisterTaskResponse | undefined;
  try {
    const steps = session.tasks.registerTaskWithProgress({
      ...(definition !== undefined && { definition }),
      ...(ifAbsent !== undefined && { ifAbsent }),
    });
    for await (const { step } of steps) {
      if (step.case === 'registered') answer = step.value;
      if (step.case === 'progress') await display?.show(step.value);
    }
  } finally {
    await display?.end();
  }
  if (answer !== undefined) return answer;
  throw new Error(`the server ended the registration without an answer: ${session.command('task', 'list')}`);
}
