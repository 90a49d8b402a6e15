/** Shells set these by themselves, where they were not given them. */
const setByShells = 'PATH PWD OLDPWD SHLVL _';

const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** dash takes nothing but a number for it. */
const interpretedByAll = /^OPTIND$/;
/** What bash counts, computes or keeps for itself. */
const interpretedByBash =
  /^(?:_|SHLVL|PPID|E?UID|GROUPS|S?RANDOM|SECONDS|LINENO|HISTCMD|BASH\w*|SHELLOPTS|FUNCNAME|EPOCH\w*|DIRSTACK|PIPESTATUS|COMP_\w+)$/;

/** Small and quick to start, see Spawner. */
const nodeFlags = ['--no-warnings', '--jitless', '--v8-pool-size=0'];

/** How a program gets its environment: a part of the launcher. */
interface EnvironmentStep {
  /** The launcher's own: the entries of the program's under names that mean nothing to anybody. */
  readonly environment: Readonly<Record<string, string>>;
  /** For the launcher's shell, before the program is started. */
  readonly script: string;
  /** Put before the program. */
  readonly before: readonly string[];
  /** A file that has to be open for reading. */
  readonly reads?: string;
}

/**
 * Values reach the program through the environment of the launcher, never through a command line, which everybody on
 * the machine can read. What comes before the shell runs as root and would act on names such as LD_PRELOAD: so each
 * entry, NAME=VALUE, is the value of a variable with a name of ours. The shell exports them; where there is a name
 * that the shell cannot carry or would change, Node does, which takes tens of milliseconds. `reads` is the descriptor
 * that its program is opened at.
 */
export function environmentStep(
  environment: Readonly<Record<string, string>>,
  { bash, reads }: { bash: boolean; reads: number },
): EnvironmentStep {
  const names = Object.keys(environment);
  let prefix = 'SPEAR_';
  while (names.some((name) => name.startsWith(prefix))) prefix += '_';
  const ours = names.map((_, index) => `${prefix}${index}`);
  const carried = Object.fromEntries(
    names.map((name, index) => [ours[index], `${name}=${environment[name]}`]),
  );
  const shellCan = names.every(
    (name) => plainName.test(name) && !interpretedByAll.test(name) && !(bash && interpretedByBash.test(name)),
  );
  if (!shellCan) {
    const before = [`/proc/self/fd/${reads}`, ...nodeFlags, '-e', becomeProgram(prefix), '--'];
    return {
      environment: carried,
      script: `unset ${setByShells}; ${checked(before)}`,
      before,
      reads: process.execPath,
    };
  }
  // It always hands its own SHLVL on.
  const before = bash ? ['/usr/bin/env', '-u', 'SHLVL'] : [];
  const values = ours.map((name) => `"$${name}"`).join(' ');
  return {
    environment: carried,
    script: [
      `unset ${setByShells}`,
      // bash complains about a locale that is not installed.
      ...(ours.length === 0 ? [] : [`export ${values} 2>/dev/null; unset ${ours.join(' ')}`]),
      ...(before.length === 0 ? [] : [checked(before)]),
    ].join('\n'),
    before,
  };
}

/** What stands before the program could not say that it cannot be executed. */
function checked(before: readonly string[]): string {
  return `[ -x "\${${before.length + 1}}" ] || exit`;
}

/** Node hands on no descriptor but the three streams. */
function becomeProgram(prefix: string): string {
  return [
    'const entries = Object.entries(process.env)',
    `.filter(([name]) => name.startsWith(${JSON.stringify(prefix)}))`,
    `.map(([, entry]) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]);`,
    'process.execve(process.argv[1], process.argv.slice(1), Object.fromEntries(entries));',
  ].join('');
}
