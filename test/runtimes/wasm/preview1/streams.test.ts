import { describe, expect, it } from 'vitest';
import { errno } from './errno.ts';
import { RawHost } from './raw-host.ts';

const list = 0;
const result = 64;
const data = 1024;

describe('standard output', () => {
  it('comes chunk by chunk, one for each call, however many buffers that has', () => {
    const host = new RawHost();
    host.put(data, 'one two ');
    host.putVectors(list, [
      [data, 4],
      [data, 0],
      [data + 4, 4],
    ]);
    expect(host.call('fd_write', 1, list, 3, result)).toBe(errno.success);
    expect(host.u32(result)).toBe(8);
    expect(host.call('fd_write', 2, list, 1, result)).toBe(errno.success);
    expect(host.chunks).toEqual([
      ['stdout', 'one two '],
      ['stderr', 'one '],
    ]);
  });

  it('of nothing is success on an open descriptor and EBADF on one that is not', () => {
    const host = new RawHost();
    expect(host.call('fd_write', 1, list, 0, result)).toBe(errno.success);
    expect(host.u32(result)).toBe(0);
    host.putVectors(list, [[data, 0]]);
    expect(host.call('fd_write', 99, list, 1, result)).toBe(errno.badf);
    expect(host.call('fd_write', 99, list, 0, result)).toBe(errno.badf);
    expect(host.chunks).toEqual([]);
  });

  it('cannot be read, and standard input cannot be written', () => {
    const host = new RawHost({ input: 'text' });
    host.putVectors(list, [[data, 4]]);
    expect(host.call('fd_read', 1, list, 1, result)).toBe(errno.badf);
    expect(host.call('fd_write', 0, list, 1, result)).toBe(errno.badf);
    expect(host.chunks).toEqual([]);
  });
});

it('output that nobody takes any more ends the guest, and is no answer to its call', () => {
  const host = new RawHost();
  host.context.write = () => {
    throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
  };
  host.putVectors(list, [[data, 4]]);
  expect(() => host.call('fd_write', 1, list, 1, result)).toThrow('cannot be delivered');
});

describe('standard input', () => {
  it('is read into one buffer after another, and ends', () => {
    const host = new RawHost({ input: 'abcdefg' });
    host.putVectors(list, [
      [data, 2],
      [data + 100, 3],
    ]);
    expect(host.call('fd_read', 0, list, 2, result)).toBe(errno.success);
    expect([host.u32(result), host.text(data, 2), host.text(data + 100, 3)]).toEqual([5, 'ab', 'cde']);
    expect(host.call('fd_read', 0, list, 2, result)).toBe(errno.success);
    expect([host.u32(result), host.text(data, 2), host.text(data + 100, 3)]).toEqual([2, 'fg', 'cde']);
    expect(host.call('fd_read', 0, list, 2, result)).toBe(errno.success);
    expect(host.u32(result)).toBe(0);
  });

  it('keeps what a call that failed did not take', () => {
    const host = new RawHost({ input: 'abc' });
    host.putVectors(list, [[data, 3]]);
    expect(host.call('fd_read', 0, list, 1, 0xffff_fff0)).toBe(errno.fault);
    expect(host.call('fd_read', 0, list, 1, result)).toBe(errno.success);
    expect(host.text(data, 3)).toBe('abc');
  });
});

describe('a standard stream', () => {
  it('has no position, no size, no terminal, and is no directory and no socket', () => {
    const host = new RawHost({ input: 'text' });
    for (const fd of [0, 1, 2]) {
      host.putVectors(list, [[data, 4]]);
      expect(host.call('fd_seek', fd, 0n, 0, result)).toBe(errno.spipe);
      expect(host.call('fd_tell', fd, result)).toBe(errno.spipe);
      expect(host.call('fd_pread', fd, list, 1, 0n, result)).toBe(errno.spipe);
      expect(host.call('fd_pwrite', fd, list, 1, 0n, result)).toBe(errno.spipe);
      expect(host.call('fd_readdir', fd, data, 100, 0n, result)).toBe(errno.notdir);
      expect(host.call('path_unlink_file', fd, data, 1)).toBe(errno.notdir);
      expect(host.call('sock_shutdown', fd, 0)).toBe(errno.notsock);
      expect(host.call('fd_sync', fd)).toBe(errno.inval);
      expect(host.call('fd_filestat_set_size', fd, 0n)).toBe(errno.inval);
      expect(host.call('fd_prestat_get', fd, data)).toBe(errno.badf);
      expect(host.call('fd_fdstat_get', fd, data)).toBe(errno.success);
      expect(host.view.getUint8(data)).toBe(0);
      expect(host.call('fd_filestat_get', fd, data)).toBe(errno.success);
      expect(host.view.getUint8(data + 16)).toBe(0);
    }
  });

  it('says in its rights whether it reads or writes', () => {
    const host = new RawHost();
    const rights = [0, 1, 2].map((fd) => {
      expect(host.call('fd_fdstat_get', fd, data)).toBe(errno.success);
      return host.u64(data + 8) & 0b100_0010n;
    });
    expect(rights).toEqual([0b10n, 0b100_0000n, 0b100_0000n]);
  });

  it('can be closed once, and takes the place of another', () => {
    const host = new RawHost();
    host.putVectors(list, [[data, 1]]);
    host.put(data, 'x');
    expect(host.call('fd_renumber', 2, 1)).toBe(errno.success);
    expect(host.call('fd_write', 2, list, 1, result)).toBe(errno.badf);
    expect(host.call('fd_write', 1, list, 1, result)).toBe(errno.success);
    expect(host.chunks).toEqual([['stderr', 'x']]);
    expect(host.call('fd_renumber', 1, 2)).toBe(errno.badf);
    expect(host.call('fd_close', 1)).toBe(errno.success);
    expect(host.call('fd_close', 1)).toBe(errno.badf);
  });

  it('gives up rights for good', () => {
    const host = new RawHost({ input: 'text' });
    host.putVectors(list, [[data, 4]]);
    expect(host.call('fd_fdstat_set_rights', 0, 0n, 0n)).toBe(errno.success);
    expect(host.call('fd_read', 0, list, 1, result)).toBe(errno.badf);
    expect(host.call('fd_filestat_get', 0, data)).toBe(errno.notcapable);
    expect(host.call('fd_fdstat_set_rights', 0, 2n, 0n)).toBe(errno.notcapable);
  });
});

it('a program that looks for preopens finds the end of them at once', () => {
  expect(new RawHost().call('fd_prestat_get', 3, data)).toBe(errno.badf);
});

it.each(['sock_accept', 'sock_recv', 'sock_send', 'sock_shutdown'])('%s of nothing is EBADF', (name) => {
  expect(new RawHost().call(name, 3, 0, 0, 0, 0, 0)).toBe(errno.badf);
});

it('proc_raise is ENOSYS, and sched_yield succeeds', () => {
  const host = new RawHost();
  expect(host.call('proc_raise', 6)).toBe(errno.nosys);
  expect(host.call('sched_yield')).toBe(errno.success);
});
