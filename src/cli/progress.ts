import type { ArtifactProgress } from '../server/gen/spearlet/task_pb.js';
import type { CommandOutput } from './output.ts';
import { printable } from './printable.ts';
import type { Shell } from './shell.ts';
import { sizeText } from './size.ts';

/** What a server can make us keep and say. */
const mostParts = 1000;
const mostLines = 500;
/** A line that changes faster than this cannot be read. */
const rewriteMs = 50;

interface Part {
  status: string;
  done: number;
  total: number;
}

/**
 * How far an artifact is, on stderr: one line that is written over on a terminal, else a line for each part and
 * status. `end` takes the line away, whatever came of the registration.
 */
export class ProgressDisplay {
  readonly #err: CommandOutput;
  readonly #parts = new Map<string, Part>();
  #lines = 0;
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor({ err }: Pick<Shell, 'err'>) {
    this.#err = err;
  }

  async show(step: ArtifactProgress): Promise<void> {
    const name = printable(step.part);
    const part = this.#parts.get(name) ?? { status: '', done: 0, total: 0 };
    if (!this.#parts.has(name) && this.#parts.size < mostParts) this.#parts.set(name, part);
    const status = printable(step.status);
    const isNews = part.status !== status;
    part.status = status;
    // Each stage of a layer counts its bytes anew; a sum that falls would look like a loss.
    part.done = Math.max(part.done, Number(step.doneBytes));
    part.total = Math.max(part.total, Number(step.totalBytes));
    const text = `${name === '' ? '' : `${name}: `}${status}`;
    if (this.#err.isTerminal) await this.#rewrite(`${text}${this.#sum()}`, isNews);
    else if (isNews) await this.#say(text, part);
  }

  /** Leaves the cursor where it was before the first step. */
  async end(): Promise<void> {
    await this.#err.showLine('');
  }

  async #rewrite(text: string, isNews: boolean): Promise<void> {
    const now = performance.now();
    if (!isNews && now - this.#shownAt < rewriteMs) return;
    this.#shownAt = now;
    await this.#err.showLine(`spear: ${text}`);
  }

  async #say(text: string, { total }: Part): Promise<void> {
    this.#lines += 1;
    if (this.#lines > mostLines + 1) return;
    const size = total === 0 ? '' : ` (${sizeText(total)})`;
    await this.#err.write(this.#lines > mostLines ? 'spear: and so on\n' : `spear: ${text}${size}\n`);
  }

  /** ` (3 parts, 1.5 MiB of 4 MiB)`; the whole only where every part that has begun knows its own. */
  #sum(): string {
    // What is said of the whole, such as an image's digest, is no part of it.
    const named = [...this.#parts].filter(([name, { done }]) => name !== '' || done > 0);
    const parts = named.map(([, part]) => part);
    const done = parts.reduce((sum, part) => sum + part.done, 0);
    const total = parts.reduce((sum, part) => sum + part.total, 0);
    const isKnown = parts.every((part) => part.done <= part.total);
    const sums = [
      ...(parts.length > 1 ? [`${parts.length} parts`] : []),
      ...(done > 0 ? [`${sizeText(done)}${isKnown ? ` of ${sizeText(total)}` : ''}`] : []),
    ];
    return sums.length === 0 ? '' : ` (${sums.join(', ')})`;
  }
}
