/** What must hold whatever guests do. Each rule says what is against it, in words. */
import { ErrorCode, ErrorOrigin, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import type { Attack, AttackEnd, History } from './history.ts';
import { ranAsRoot } from './process-attacks.ts';

type Rule = (history: History) => string[];

const mebibyte = 1024 * 1024;
/** What the node's own process may have more than before the attacks, at any time and after them. */
const room = { most: 512 * mebibyte, heapAfter: 64 * mebibyte, descriptors: 1000 };
/** What may be open more than before, such as the host of a folder that is about to go. */
export const moreDescriptors = 40;

/** Refusals that say what is wrong with a request. A task may be gone because its slice is over. */
const fairRefusals = ['INVALID_ARGUMENT', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION'];

function named({ name, number }: Attack): string {
  return `attack ${number} (${name})`;
}

export const rules: Readonly<Record<string, Rule>> = {
  'an innocent call ends well': ({ calls }) =>
    calls
      .filter(({ problem }) => problem !== '')
      .map(({ innocent, phase, problem }) => `${innocent}, ${phase}: ${problem}`),

  'an attack ends by its own fault': ({ attacks }) =>
    attacks.flatMap((attack) =>
      attack.ends
        .filter((end) => !isFair(attack, end))
        .map((end) => `${named(attack)} ended ${ErrorCode[end.code]}: ${end.message}`),
    ),

  'a refusal says what is wrong': ({ attacks }) =>
    attacks.flatMap((attack) =>
      attack.refusals
        .filter(({ code, reason }) => !fairRefusals.includes(code) && reason !== 'TASK_NOT_FOUND')
        .map(
          ({ code, reason, message }) => `${named(attack)} was refused with ${code} ${reason}: ${message}`,
        ),
    ),

  'nothing leaks': ({ attacks }) =>
    attacks.flatMap((attack) => attack.leaks.map((leak) => `${named(attack)}: ${leak}`)),

  'a process is never root': ({ attacks }) =>
    attacks
      .filter(({ ends }) => ends.some(({ message }) => message.includes(`(exit code ${ranAsRoot})`)))
      .map((attack) => `${named(attack)} ran as root`),

  'nothing is touched outside': ({ touched }) => [...touched],

  'everything ends': ({ unfinished }) => [...unfinished],

  'the memory of the node is bounded': ({ use: { before, most, after } }) => [
    ...above('memory at most', most.residentBytes - before.residentBytes, room.most),
    ...above('heap afterwards', after.heapBytes - before.heapBytes, room.heapAfter),
  ],

  'the descriptors of the node are bounded': ({ use: { before, most, after } }) => [
    ...above('descriptors at most', most.descriptors - before.descriptors, room.descriptors),
    ...above('descriptors afterwards', after.descriptors - before.descriptors, moreDescriptors),
  ],

  'nothing is left': ({ remains }) => [...remains],

  'the node finds no bug of its own': ({ bugs }) => [...bugs],

  'the node ends when it is told': ({ exit }) =>
    exit.code === 0 ? [] : [`the server ended with ${exit.signal ?? exit.code}`],
};

/** All that is against a rule. */
export function judge(history: History): string[] {
  return Object.entries(rules).flatMap(([name, rule]) => rule(history).map((what) => `${name}: ${what}`));
}

function isFair({ random }: Attack, { status, code, origin }: AttackEnd): boolean {
  if (status === ExecutionStatus.COMPLETED) return true;
  if (origin === ErrorOrigin.USER || origin === ErrorOrigin.POLICY) return true;
  return random && code === ErrorCode.START_FAILED;
}

function above(what: string, more: number, most: number): string[] {
  return more > most ? [`${what}: ${more} more than before, of ${most}`] : [];
}
