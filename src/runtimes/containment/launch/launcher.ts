import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import type { Limits } from '../../../domain/task.ts';
import type { Cell } from '../cells/cell.ts';
import type { Room } from '../folders/rooms.ts';
import type { Identity } from '../users/identity.ts';
import { environmentStep } from './environment-step.ts';
import type { SpawnRequest } from './spawner-protocol.ts';

/** The blocks of `ulimit -f` in POSIX, and in every shell that is called sh. */
export const fileSizeBlock = 512;

/** bash takes a socket as its stdin for a remote shell's, and would run its user's startup file. */
export const noStartup = '--norc';

/**
 * Signals that the launcher lives through when its process group gets them; the program has them as they were. Those
 * that no shell can catch are not here.
 */
const livedThrough = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31],
  ...Array.from({ length: 31 }, (_, index) => 34 + index),
].join(' ');

export interface LaunchPlan {
  readonly cell: Pick<Cell, 'joins' | 'wrapper' | 'outerWrapper'>;
  /** Absent where the node can make none. */
  readonly room?: Room | undefined;
  /** Put before a command that is to run confined; absent where the program is another user's than the node's. */
  readonly confined?: readonly string[] | undefined;
  /** Absent means the node's own. */
  readonly identity?: Identity;
  readonly limits: Limits;
  readonly directory: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The shell that a program is a child of: it joins the cell, sets limits, and starts the program with nothing of
 * its own. It stays, because it alone can tell every signal that ends the program; see exit-report.ts for what it
 * writes to the marker. No value of the environment stands on a command line.
 */
export class Launcher {
  /** The path of the shell. */
  readonly shell: string;
  readonly #shell: readonly string[];
  readonly #bash: boolean;

  constructor(shell = '/bin/sh') {
    this.shell = shell;
    this.#bash = basename(realpathSync(shell)) === 'bash';
    this.#shell = this.#bash ? [shell, noStartup, '--posix'] : [shell];
  }

  request(plan: LaunchPlan): SpawnRequest {
    const { cell, room, confined, identity, directory, program, args } = plan;
    const marker = 3 + cell.joins.length;
    const reads = marker + (room === undefined ? 1 : 3);
    const step = environmentStep(plan.environment, { bash: this.#bash, reads });
    const enter = room === undefined ? [] : room.enter(marker + 1, identity);
    const wrapper = confined === undefined ? cell.wrapper : [...cell.outerWrapper, ...confined];
    const [file = '', ...before] = [...enter, ...wrapper, ...this.#shell];
    return {
      file,
      args: [
        ...[...before, '-c', this.#script(plan, marker, step.script), 'sh', directory],
        ...[...step.before, program, ...args],
      ],
      environment: step.environment,
      cwd: '/',
      joins: cell.joins,
      ...(room !== undefined && { room: room.command }),
      ...(step.reads !== undefined && { reads: step.reads }),
      // A room is entered by root, and only then left to the user.
      ...(room === undefined && identity !== undefined && { identity }),
    };
  }

  #script({ cell, room, limits }: LaunchPlan, marker: number, environment: string): string {
    const joins = cell.joins.map((_, index) => 3 + index);
    const spaces = room === undefined ? [] : [marker + 1, marker + 2];
    // With few a shell cannot move its own out of the way: last, and tried before.
    const openFiles = limits.openFiles === undefined ? '' : `ulimit -n ${limits.openFiles}; `;
    // One that is free by then.
    const errors = joins.length > 0 ? 3 : 5;
    const close = (descriptors: readonly number[]) => descriptors.map((fd) => `${fd}>&-`).join(' ');
    const fail = `trap 'echo at $at >&${marker}' EXIT`;
    return [
      `at=cell; ${fail}`,
      ...joins.map((fd) => `echo 0 >&${fd} || exit`),
      ...[...joins, ...spaces].map((fd) => `exec ${fd}>&-`),
      'at=folder; cd -- "$1" 2>/dev/null || exit; shift',
      'at=limits; ulimit -c 0 || exit',
      ...ulimits(limits).map((limit) => `ulimit ${limit} || exit`),
      ...(openFiles === '' ? [] : [`( ulimit -n ${limits.openFiles} ) || exit`]),
      'at=program',
      environment,
      // What the shell says about the end of the program is for us, not for who reads the program's errors.
      `exec ${errors}>&2 2>&${marker}; echo begun >&2; trap - EXIT; trap : ${livedThrough}`,
      `( ${fail}; ${this.#bash ? 'shopt -s execfail; ' : ''}{ ${openFiles}exec "$@"; } 2>&${errors} ${close([errors, marker])}; exit 126 )`,
      'code=$?; echo "end $code" >&2; exit $code',
    ].join('\n');
  }
}

function ulimits({ cpuTimeMs, fileSize }: Limits): string[] {
  const seconds = cpuTimeMs === undefined ? undefined : Math.ceil(cpuTimeMs / 1000);
  return [
    // At the hard limit it would be killed without a reason.
    ...(seconds === undefined ? [] : [`-S -t ${seconds}`, `-H -t ${seconds + 1}`]),
    ...(fileSize === undefined ? [] : [`-f ${Math.floor(fileSize / fileSizeBlock)}`]),
  ];
}
