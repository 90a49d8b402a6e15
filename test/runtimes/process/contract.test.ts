import { afterAll } from 'vitest';
import { type RuntimeFixtures, runtimeContract } from '../contract.ts';
import { openRuntime, Programs } from './fixtures.ts';

const programs: Programs[] = [];

async function fixtures(): Promise<RuntimeFixtures> {
  const made = await Programs.make();
  programs.push(made);
  return {
    cat: await made.script('cat', 'exec cat'),
    exit: await made.script('exit', 'echo bye\necho leaving >&2\nexit 7'),
    env: await made.script(
      'env',
      [
        // What its own shell adds.
        'unset PWD OLDPWD SHLVL _',
        "env | sed 's/^/env /'",
        'n=0',
        'for arg in "$0" "$@"; do echo "arg $n $arg"; n=$((n + 1)); done',
      ].join('\n'),
    ),
    loop: await made.script('loop', "trap '' TERM\necho looping\nwhile :; do :; done", { graceMs: 200 }),
    flood: await made.script('flood', 'exec yes'),
  };
}

afterAll(async () => {
  for (const made of programs) await made.remove();
});

runtimeContract('process', () => openRuntime(), fixtures);
