// What was refused: the last hundred, and how many there were.
export const KEY_LENGTH = 100;
const MAX_SIZE = 100;

// What would make a line show something else than it says, and the brackets that would end <sandbox_violations> early.
const UNSAFE = /[\p{Cc}\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]+/gu;

export const clean = text => text.replace(UNSAFE, ' ').replace(/[<>]/g, '').trim();
export const encodeCommand = command => Buffer.from(command.slice(0, KEY_LENGTH)).toString('base64');

export class SandboxViolationStore {
  #violations = [];
  #total = 0;
  #listeners = new Set();

  addViolation(violation) {
    this.#violations = [...this.#violations, { ...violation, line: clean(violation.line) }].slice(-MAX_SIZE);
    this.#total++;
    this.#tell();
  }

  getViolations(limit) {
    const all = this.#violations;
    return limit === undefined ? [...all] : all.slice(Math.max(0, all.length - limit));
  }

  getCount() {
    return this.#violations.length;
  }

  getTotalCount() {
    return this.#total;
  }

  getViolationsForCommand(command) {
    const key = encodeCommand(command);
    return this.#violations.filter(violation => violation.encodedCommand === key);
  }

  /** Forgets them; the total goes on. */
  clear() {
    this.#violations = [];
    this.#tell();
  }

  /** Calls the listener now and at each change. Returns what ends that. */
  subscribe(listener) {
    this.#listeners.add(listener);
    listener(this.getViolations());
    return () => void this.#listeners.delete(listener);
  }

  #tell() {
    for (const listener of [...this.#listeners]) listener(this.getViolations());
  }
}

/** ignoreViolations: parts of lines, by a part of the command or "*". */
export function shouldIgnore(line, command, ignored = {}) {
  return Object.entries(ignored).some(
    ([pattern, parts]) => (pattern === '*' || command.includes(pattern)) && parts.some(part => line.includes(part)),
  );
}
