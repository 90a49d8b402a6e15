import { isTerminal } from '../execution.ts';
import { checked, Envelope, textOf } from './envelope.ts';
import { LogCheck } from './log-check.ts';
import { partCheck } from './part-check.ts';
import { knownEnvelopes, type SnapshotPart } from './parts.ts';
import { damaged, unknownVersion } from './refusal.ts';

type Kind = SnapshotPart['kind'];

/** What may follow each part; `end` stands for the seal. */
const followers: Readonly<Record<Kind | 'start', readonly (Kind | 'end')[]>> = {
  start: ['header'],
  header: ['task', 'record'],
  task: ['record'],
  record: ['invocation'],
  invocation: ['input', 'machine', 'events'],
  input: ['input', 'machine', 'events'],
  machine: ['events'],
  events: ['events', 'artifact', 'end'],
  artifact: ['artifactBytes', 'end'],
  artifactBytes: ['artifactBytes', 'end'],
};

/** Reads the parts of a document line by line, each checked and in its place. */
export class PartReader {
  readonly #envelope = new Envelope();
  #line = 0;
  #last: Kind | 'start' = 'start';
  #executionId = '';
  #hasTask = false;
  #log: LogCheck | undefined;
  #ended = false;
  /** Bytes of an input or artifact that are still to come. */
  #missing = 0;

  /** The part that a line is; undefined for what is around them. Throws a RequestError that names the line. */
  read(line: Uint8Array): SnapshotPart | undefined {
    this.#line += 1;
    const framing = this.#envelope.frame(line);
    if (framing === 'seal') this.#finish();
    if (framing !== 'part') return undefined;
    const allowed = followers[this.#last].filter((kind) => kind !== 'end');
    return checked(this.#line, () => {
      const part = partCheck(JSON.parse(textOf(line.subarray(0, -2))), allowed);
      this.#follow(part);
      this.#last = part.kind;
      return part;
    });
  }

  /** Throws where the document is not whole. */
  end(): void {
    this.#envelope.end();
  }

  #follow(part: SnapshotPart): void {
    const continues = part.kind === 'input' || part.kind === 'artifactBytes';
    if (!continues && this.#missing > 0) {
      throw damaged(
        this.#line,
        `stands where ${this.#missing} bytes of the ${this.#contentName()} are missing`,
      );
    }
    switch (part.kind) {
      case 'header':
        this.#executionId = part.executionId;
        if (!knownEnvelopes.includes(part.versions.envelope)) {
          throw unknownVersion(String(part.versions.envelope), knownEnvelopes);
        }
        return;
      case 'task':
        this.#hasTask = true;
        return;
      case 'record':
        this.#followRecord(part.record.executionId, isTerminal(part.record.status));
        this.#log = new LogCheck(part.record);
        return;
      case 'invocation':
        this.#missing = part.invocation.inputBytes;
        return;
      case 'machine':
        if (this.#ended) throw damaged(this.#line, 'is a machine, and the execution has ended');
        return;
      case 'events':
        if (this.#last !== 'events' && this.#last !== 'machine' && !this.#ended) {
          throw damaged(this.#line, 'stands where the machine should');
        }
        for (const event of part.events) this.#log?.add(event, this.#line);
        return;
      case 'artifact':
        this.#missing = part.bytes;
        return;
      default:
        this.#missing -= part.data.byteLength;
        if (this.#missing < 0) throw damaged(this.#line, `has more bytes than the ${this.#contentName()}`);
    }
  }

  #followRecord(executionId: string, ended: boolean): void {
    if (executionId !== this.#executionId) {
      throw damaged(this.#line, `is the record of ${executionId}, and the header is of ${this.#executionId}`);
    }
    if (!ended && !this.#hasTask) throw damaged(this.#line, 'stands where the task should');
    this.#ended = ended;
  }

  #finish(): void {
    if (!followers[this.#last].includes('end') || this.#missing > 0) {
      throw damaged(this.#line, `is the seal, and stands where the document goes on after ${this.#last}`);
    }
    this.#log?.end(this.#line);
  }

  #contentName(): string {
    return this.#log !== undefined && this.#last.startsWith('artifact') ? 'artifact' : 'input';
  }
}
