/** The user and the group that a program runs as. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}
