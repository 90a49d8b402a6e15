import { invalidArgument } from '../../domain/errors.ts';
import type { TaskDefinition } from '../../domain/task.ts';
import type { Cells } from '../containment/cells/cell.ts';
import { fileSizeBlock } from '../containment/launch/launcher.ts';
import { maxOpenFiles } from '../containment/open-files.ts';

/** Rejects what a process cannot be given or held to, with a RequestError that names the field. */
export function checkAbilities(task: TaskDefinition, holds: Cells['holds']): void {
  if (Object.keys(task.preopens).length > 0) {
    throw invalidArgument('definition.preopens', 'a process sees the host as its user does; allowed is none');
  }
  if (task.instancePolicy === 'reused') {
    throw invalidArgument('definition.instance_policy', 'a process runs once; allowed is FRESH');
  }
  if (task.container !== undefined) {
    throw invalidArgument('definition.container', 'a process has no container; allowed is none');
  }
  const { limits } = task;
  if (limits.memory !== undefined && !holds.memory) throw cannotHold('memory');
  if (limits.processes !== undefined && !holds.processes) throw cannotHold('processes');
  if (limits.cpu !== undefined && !holds.cpu) throw cannotHold('cpu');
  if (limits.cpuTimeMs !== undefined && !holds.cpuTime) throw cannotHold('cpu_time');
  if (limits.fileSize !== undefined && limits.fileSize < fileSizeBlock) {
    throw invalidArgument('definition.limits.file_size', `allowed is ${fileSizeBlock} or more for a process`);
  }
  const most = maxOpenFiles();
  if (limits.openFiles !== undefined && limits.openFiles > most) {
    throw invalidArgument(
      'definition.limits.open_files',
      `the node itself is held to ${most}; allowed is at most that, or start the node with a higher limit`,
    );
  }
}

function cannotHold(limit: string): Error {
  return invalidArgument(
    `definition.limits.${limit}`,
    'this node cannot hold a process to it, because it can make no cgroup with that controller; remove the limit, or start the node as root or in a cgroup that is delegated to its user',
  );
}
