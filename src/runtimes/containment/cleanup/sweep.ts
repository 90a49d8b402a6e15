import { existsSync } from 'node:fs';
import { runCommand } from '../command.ts';
import { volumesName } from '../folders/volumes.ts';

/** A node's folders that something may be left in. */
export interface Remains {
  readonly scratch: string;
  readonly cgroups: readonly string[];
}

/**
 * Kills what is in the cgroup folders `$2`… and below, removes them, and removes the folder `$1` with what is mounted
 * in it. Ends after some
 * seconds also where something cannot be killed; then its cgroup and the folder stay. As a shell's, because the
 * watchdog runs it when there is no node any more.
 */
export const sweepScript = `
scratch=$1; shift
for group do for file in "$group"/*/pids.max; do
  [ ! -e "$file" ] || echo 0 >"$file"
done; done
rounds=0
while :; do
  left=
  for group do
    [ ! -e "$group/cgroup.kill" ] || echo 1 >"$group/cgroup.kill"
    for procs in "$group/cgroup.procs" "$group"/*/cgroup.procs; do
      [ -e "$procs" ] || continue
      while read -r pid; do
        left=1
        [ "$pid" -le 0 ] || kill -9 "$pid"
      done <"$procs"
    done
  done
  [ -n "$left" ] || break
  rounds=$((rounds + 1))
  [ $rounds -lt 100 ] || exit 1
  sleep 0.05 || sleep 1
done
for group do
  for cell in "$group"/*/; do [ ! -d "$cell" ] || rmdir "$cell"; done
  [ ! -d "$group" ] || rmdir "$group"
done
[ ! -d "$scratch/${volumesName}" ] || umount -R -l "$scratch/${volumesName}"
rm -rf -- "$scratch"
[ ! -e "$scratch" ]
`;

/** Ends and removes what another node of this name has left. Resolves with false where something stays. */
export async function sweep({ scratch, cgroups }: Remains): Promise<boolean> {
  if (![scratch, ...cgroups].some((folder) => existsSync(folder))) return true;
  return runCommand('/bin/sh', ['-c', sweepScript, 'sh', scratch, ...cgroups]);
}
