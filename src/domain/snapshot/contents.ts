/** What a document of an execution carries and what it cannot, in lines for people. */
import { type ExecutionRecord, isTerminal } from '../execution.ts';
import { interruptPolicyOf, mayRerun } from '../interruption.ts';
import type { Artifact, RuntimeKind, TaskDefinition } from '../task.ts';

export interface Contents {
  readonly record: ExecutionRecord;
  /** Absent where this node no longer has it, which may be for what has ended. */
  readonly definition: TaskDefinition | undefined;
  readonly inputBytes: number;
  /** Names of the environment variables of the task and the invocation. */
  readonly variables: readonly string[];
  /** Their values are in it. */
  readonly withEnvironment: boolean;
  /** The bytes of the artifact are in it. */
  readonly withArtifact: boolean;
  /** An attempt runs, is being stopped or stands still. */
  readonly leavesAttempt: boolean;
}

/** What an attempt is made of, which stays where it runs. */
const remainders: Readonly<Record<RuntimeKind, string>> = {
  wasm: 'the memory',
  process: 'the process',
  docker: 'the container',
};

/** There are values, and they are left out. */
export function isRedacted({ variables, withEnvironment }: Contents): boolean {
  return variables.length > 0 && !withEnvironment;
}

export function carriedLines(contents: Contents): string[] {
  const { record, definition, inputBytes, variables, withEnvironment, withArtifact } = contents;
  const lines = [
    `the execution in ${record.state}, attempt ${record.attempt}`,
    `events 1 to ${record.lastSequence} of its log, with ${record.outputBytes} bytes of output`,
    `its invocation, with ${inputBytes} bytes of input`,
  ];
  if (definition !== undefined) lines.push(`task ${definition.name}, revision ${record.taskRevision}`);
  if (variables.length > 0 && withEnvironment) lines.push('the values of its environment variables');
  if (withArtifact) lines.push('the bytes of its artifact');
  return lines;
}

export function notCarriedLines(contents: Contents): string[] {
  const { record, definition, variables, withArtifact, leavesAttempt } = contents;
  const lines: string[] = [];
  if (definition === undefined) {
    lines.push(`task ${record.taskName}, which this node no longer has; what has ended does not need it`);
  }
  if (definition !== undefined && leavesAttempt) lines.push(lostAttempt(record, definition));
  if (isRedacted(contents)) {
    lines.push(
      `the values of the environment variables ${variables.join(', ')}, unless the restore gives them`,
    );
  }
  if (definition !== undefined && !withArtifact && !isTerminal(record.status)) {
    lines.push(artifactLine(definition.artifact));
  }
  return lines;
}

function lostAttempt({ attempt }: ExecutionRecord, definition: TaskDefinition): string {
  const policy = interruptPolicyOf(definition);
  const next = mayRerun(policy) ? 'runs it again' : 'ends the execution with INTERRUPTED';
  return `${remainders[definition.runtime]} of attempt ${attempt}: the attempt is lost, and its task's on_interrupt ${next} at the restore`;
}

function artifactLine(artifact: Artifact): string {
  switch (artifact.kind) {
    case 'wasm':
      return `the bytes of its artifact, sha256 ${artifact.sha256}: the node that restores it must have them`;
    case 'process':
      return `its program, which must be at ${artifact.path} with sha256 ${artifact.sha256} where it is restored`;
    case 'docker':
      return `its image ${artifact.image}, id ${artifact.imageId}, which must be in the engine where it is restored`;
  }
}
