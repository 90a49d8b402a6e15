type CoreType = 'i32' | 'i64';

interface Signature {
  readonly params: readonly CoreType[];
  readonly results: readonly CoreType[];
}

const i32 = 'i32';
const i64 = 'i64';

function answering(...params: readonly CoreType[]): Signature {
  return { params, results: [i32] };
}

/**
 * The functions of WASI preview 1 with their types as core WebAssembly has them, from
 * `legacy/preview1/witx/wasi_snapshot_preview1.witx` of WebAssembly/WASI. `wasi_unstable` has the same.
 */
export const preview1Functions: Readonly<Record<string, Signature>> = {
  args_get: answering(i32, i32),
  args_sizes_get: answering(i32, i32),
  environ_get: answering(i32, i32),
  environ_sizes_get: answering(i32, i32),
  clock_res_get: answering(i32, i32),
  clock_time_get: answering(i32, i64, i32),
  fd_advise: answering(i32, i64, i64, i32),
  fd_allocate: answering(i32, i64, i64),
  fd_close: answering(i32),
  fd_datasync: answering(i32),
  fd_fdstat_get: answering(i32, i32),
  fd_fdstat_set_flags: answering(i32, i32),
  fd_fdstat_set_rights: answering(i32, i64, i64),
  fd_filestat_get: answering(i32, i32),
  fd_filestat_set_size: answering(i32, i64),
  fd_filestat_set_times: answering(i32, i64, i64, i32),
  fd_pread: answering(i32, i32, i32, i64, i32),
  fd_prestat_get: answering(i32, i32),
  fd_prestat_dir_name: answering(i32, i32, i32),
  fd_pwrite: answering(i32, i32, i32, i64, i32),
  fd_read: answering(i32, i32, i32, i32),
  fd_readdir: answering(i32, i32, i32, i64, i32),
  fd_renumber: answering(i32, i32),
  fd_seek: answering(i32, i64, i32, i32),
  fd_sync: answering(i32),
  fd_tell: answering(i32, i32),
  fd_write: answering(i32, i32, i32, i32),
  path_create_directory: answering(i32, i32, i32),
  path_filestat_get: answering(i32, i32, i32, i32, i32),
  path_filestat_set_times: answering(i32, i32, i32, i32, i64, i64, i32),
  path_link: answering(i32, i32, i32, i32, i32, i32, i32),
  path_open: answering(i32, i32, i32, i32, i32, i64, i64, i32, i32),
  path_readlink: answering(i32, i32, i32, i32, i32, i32),
  path_remove_directory: answering(i32, i32, i32),
  path_rename: answering(i32, i32, i32, i32, i32, i32),
  path_symlink: answering(i32, i32, i32, i32, i32),
  path_unlink_file: answering(i32, i32, i32),
  poll_oneoff: answering(i32, i32, i32, i32),
  proc_exit: { params: [i32], results: [] },
  proc_raise: answering(i32),
  random_get: answering(i32, i32),
  sched_yield: answering(),
  sock_accept: answering(i32, i32, i32),
  sock_recv: answering(i32, i32, i32, i32, i32, i32),
  sock_send: answering(i32, i32, i32, i32, i32),
  sock_shutdown: answering(i32, i32),
};
