import { ControlFile } from './control-file.ts';

/** A cgroup file that holds one value, written only where it changes. */
export class Setting {
  /** What a new cgroup has. */
  readonly initial: string;
  readonly #file: ControlFile;
  #value: string;

  constructor(path: string, initial: string) {
    this.initial = initial;
    this.#file = new ControlFile(path, 'write');
    this.#value = initial;
  }

  prepare(): void {
    this.#file.prepare();
  }

  set(value: string): void {
    if (value === this.#value) return;
    this.#file.write(value);
    this.#value = value;
  }

  close(): void {
    this.#file.close();
  }
}
