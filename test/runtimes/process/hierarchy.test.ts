import { describe, expect, it } from 'vitest';
import { ownHierarchies } from '../../../src/runtimes/containment/cells/hierarchy.ts';

describe('where a node finds its own cgroups', () => {
  it('is one folder where there is only version 2', () => {
    const mounts = '31 23 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate';
    expect(ownHierarchies('0::/user.slice/spear.service\n', mounts)).toEqual([
      { version: 2, controllers: [], folder: '/sys/fs/cgroup/user.slice/spear.service' },
    ]);
  });

  it('is the mount itself in a container with a namespace of its own', () => {
    const mounts = '31 23 0:27 / /sys/fs/cgroup ro - cgroup2 cgroup rw';
    expect(ownHierarchies('0::/\n', mounts)[0]?.folder).toBe('/sys/fs/cgroup');
  });

  it('is the mount itself in a container that sees only its part of version 1', () => {
    const mounts = '40 30 0:33 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory';
    const own = '5:memory:/docker/abc\n4:pids:/docker/abc\n';
    expect(ownHierarchies(own, mounts)).toEqual([
      { version: 1, controllers: ['memory'], folder: '/sys/fs/cgroup/memory' },
    ]);
  });

  it('is one folder for controllers that are mounted together, and none for those that are not mounted', () => {
    const mounts = [
      '33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
      '37 31 0:40 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd',
      '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
    ].join('\n');
    const own = '8:pids:/a\n4:cpu,cpuacct:/b:c\n1:name=systemd:/s\n0::/u\n';
    expect(ownHierarchies(own, mounts)).toEqual([
      { version: 1, controllers: ['cpu', 'cpuacct'], folder: '/sys/fs/cgroup/cpu,cpuacct/b:c' },
      { version: 1, controllers: ['name=systemd'], folder: '/sys/fs/cgroup/systemd/s' },
      { version: 2, controllers: [], folder: '/sys/fs/cgroup/unified/u' },
    ]);
  });

  it('is nowhere where the node’s own folder cannot be seen', () => {
    const mounts = '40 30 0:33 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory';
    expect(ownHierarchies('5:memory:/docker/other\n', mounts)).toEqual([]);
    expect(ownHierarchies('0::/../other\n', '1 2 0:3 / /cg rw - cgroup2 cgroup2 rw')).toEqual([]);
    expect(ownHierarchies('', '')).toEqual([]);
  });

  it('reads a mount point with a space in it', () => {
    const mounts = '31 23 0:27 / /my\\040cgroups rw - cgroup2 cgroup2 rw';
    expect(ownHierarchies('0::/x\n', mounts)[0]?.folder).toBe('/my cgroups/x');
  });
});
