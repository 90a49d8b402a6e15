import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import type { Limits } from '../../domain/task.ts';

/** The blocks of `ulimit -f` in POSIX, and in every shell that is called sh. */
export const fileSizeBlock = 512;

/** bash takes a socket as its stdin for a remote shell's, and would run its user's startup file. */
export const noStartup = '--norc';

/** What shells set by themselves, where they were not given it. */
const setByShells = ['PATH', 'PWD', 'OLDPWD', 'SHLVL', '_'];

/** Names that a shell, or its libraries, would act on or change; and those that it cannot carry at all. */
const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const interpreted =
  /^(?:PWD|OLDPWD|SHLVL|_|IFS|ENV|OPT\w*|PPID|E?UID|GROUPS|RANDOM|SECONDS|LINENO|PS\d|BASH\w*|SHELLOPTS|POSIXLY_CORRECT|FUNCNAME|LD_\w+|LC_\w+|LANG|LANGUAGE|TMOUT|FC\w*|HIST\w*|EPOCH\w*|DIRSTACK|HOSTTYPE|HOSTNAME|MACHTYPE|OSTYPE|PIPESTATUS|MALLOC_\w+|GLIBC_TUNABLES)$/;

export interface LaunchPlan {
  readonly joins: number;
  readonly wrapper: readonly string[];
  readonly limits: Limits;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface LaunchCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The shell that turns into the program: it joins the cell, sets limits, closes what the program must not
 * have, and execs. Where that fails it writes how far it came (`cell`, `limits`, `program`) to the descriptor after
 * those of the cell.
 */
export class Launcher {
  readonly #shell: readonly string[];
  /** bash always passes SHLVL on, and has to be told to go on after a failed exec. */
  readonly #bash: boolean;

  constructor(shell = '/bin/sh') {
    this.#bash = basename(realpathSync(shell)) === 'bash';
    this.#shell = this.#bash ? [shell, noStartup, '--posix'] : [shell];
  }

  command(plan: LaunchPlan): LaunchCommand {
    const { environment, program, args } = plan;
    const names = Object.keys(environment);
    const carried = !this.#bash && names.every((name) => plainName.test(name) && !interpreted.test(name));
    const target = carried
      ? [program, ...args]
      : ['/usr/bin/env', '-i', ...names.map((name) => `${name}=${environment[name]}`), program, ...args];
    const script = this.#script(
      plan,
      carried
        ? `unset ${setByShells.filter((name) => !(name in environment)).join(' ')}`
        : // env could not say that it failed; it gets the program after its own name, -i, and the variables.
          `[ -x "\${${3 + names.length}}" ] || exit`,
    );
    const [file = '', ...before] = [...plan.wrapper, ...this.#shell];
    return {
      file,
      args: [...before, '-c', script, 'sh', ...target],
      environment: carried ? environment : {},
    };
  }

  #script({ joins, limits, wrapper }: LaunchPlan, prepare: string): string {
    const marker = 3 + joins;
    const ours = Array.from({ length: joins + 1 }, (_, index) => `${3 + index}>&-`).join(' ');
    const note = `trap 'echo $at >&${marker}' EXIT`;
    const become = `${this.#bash ? 'shopt -s execfail; ' : ''}{ exec "$@"; } ${ours}; exit 126`;
    return [
      `at=cell; ${note}`,
      ...Array.from({ length: joins }, (_, index) => `echo 0 >&${3 + index} || exit`),
      'at=limits; ulimit -c 0 || exit',
      ...ulimits(limits).map((limit) => `ulimit ${limit} || exit`),
      'at=program',
      prepare,
      // The first process of a namespace has to be one that can be asked nothing: it stays, and starts the program.
      ...(wrapper.length === 0 ? [become] : ['trap - EXIT', `( ${note}; ${become} )`, 'exit $?']),
    ].join('\n');
  }
}

function ulimits({ cpuTimeMs, fileSize, openFiles }: Limits): string[] {
  const seconds = cpuTimeMs === undefined ? undefined : Math.ceil(cpuTimeMs / 1000);
  return [
    // At the hard limit it would be killed without a reason.
    ...(seconds === undefined ? [] : [`-S -t ${seconds}`, `-H -t ${seconds + 1}`]),
    ...(fileSize === undefined ? [] : [`-f ${Math.floor(fileSize / fileSizeBlock)}`]),
    ...(openFiles === undefined ? [] : [`-n ${openFiles}`]),
  ];
}
