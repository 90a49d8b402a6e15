/** A file that cannot be shown. Its message is for the reader of the page. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
}
