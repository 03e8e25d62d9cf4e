// The way to the engine: one `coffer channel` for this process, and on it JSON lines (docs/PROTOCOL.md), requests side by side. It is started by
// the first request and does not keep Node alive when none is under way. When it ends, what is under way fails, and the next request starts another.
import { spawn } from 'node:child_process';
import { SandboxDockerUnavailableError, SandboxError } from './errors.js';
import { findCoffer } from './find.js';

const VERSION = 1;
const HELLO_MS = 10_000;
const RESERVED = 16; // of the requests that may run at once, so many are kept for those that say more to others: cancel, input
const TOLD_BYTES = 4096; // of what it says on standard error, the last so many are told when it dies

/** An error of the protocol: `code`, `errno`, `where` and `cancelled` as it says. */
export class ChannelError extends SandboxError {
  constructor({ code, errno, where, text, cancelled = false }) {
    super(text);
    Object.assign(this, { code, errno, where, cancelled });
  }
}

function unavailable(dockerPath) {
  const tried = process.env.COFFER ? `COFFER names ${process.env.COFFER}, which is no program` : 'coffer, which stands in its place, is not in PATH';
  return new SandboxDockerUnavailableError(`Docker CLI was not found. ${tried}: install it, or name it in COFFER (dockerPath: ${dockerPath}).`);
}

class Line {
  #child;
  #pending = new Map();
  #queue = [];
  #last = 0;
  #awaited = 0; // requests that Node has to stay for
  #partial = [];
  #said = '';
  #hello;
  limits = {};
  methods = [];
  ended = false;

  constructor(program) {
    this.#child = spawn(program, ['channel'], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.on('error', error => this.#end(`cannot be started: ${error.message}`, error));
    this.#child.on('close', (code, signal) => this.#end(`ended (${signal ?? `status ${code}`})`));
    this.#child.stdin.on('error', () => {}); // its end is told by 'close'
    this.#child.stdout.on('data', chunk => this.#take(chunk));
    this.#child.stderr.on('data', chunk => {
      this.#said = (this.#said + chunk).slice(-TOLD_BYTES);
    });
    this.greeted = new Promise((resolve, reject) => {
      const late = setTimeout(() => this.#end(`said nothing for ${HELLO_MS} ms`), HELLO_MS);
      this.#hello = { resolve: () => resolve(clearTimeout(late)), reject: error => reject(error, clearTimeout(late)) };
    });
    this.greeted.catch(() => {});
    this.#hold(false);
  }

  #hold(held) {
    for (const end of [this.#child, this.#child.stdin, this.#child.stdout, this.#child.stderr]) held ? end.ref?.() : end.unref?.();
  }

  #await(change) {
    this.#awaited += change;
    if (this.#awaited <= 1) this.#hold(this.#awaited > 0);
  }

  #take(chunk) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...this.#partial, chunk.subarray(from, at)]).toString();
      this.#partial = [];
      from = at + 1;
      this.#read(line);
    }
    if (from < chunk.length) this.#partial.push(chunk.subarray(from));
  }

  #read(line) {
    let message;
    try {
      message = JSON.parse(line);
    } catch (error) {
      this.#end('speaks something else than the protocol', error);
      return;
    }
    if (message.id === undefined) this.#greet(message);
    else this.#answer(message);
  }

  #greet({ event, protocol, version, limits, methods }) {
    if (event !== 'hello') return;
    if (protocol !== 'coffer-channel' || version !== VERSION) {
      this.#end(`speaks ${protocol} ${version}, and this package coffer-channel ${VERSION}: install those that belong together`);
      return;
    }
    this.limits = limits;
    this.methods = methods;
    this.#hello.resolve();
  }

  #answer(message) {
    const request = this.#pending.get(message.id);
    if (!request) return;
    if (message.event) {
      request.onEvent?.(message);
      return;
    }
    this.#settle(message.id);
    if (message.error) request.reject(new ChannelError(message.error));
    else request.resolve(message.result);
  }

  #settle(id) {
    const request = this.#pending.get(id);
    this.#pending.delete(id);
    request.signal?.removeEventListener('abort', request.cancel);
    if (request.awaited) this.#await(-1);
    this.#queue.shift()?.();
  }

  #end(how, cause) {
    if (this.ended) return;
    this.ended = true;
    const said = this.#said.trim();
    const error = new SandboxDockerUnavailableError(`coffer's channel ${how}${said ? `: ${said}` : ''}. What was under way in it has failed.`, cause);
    this.#hello.reject(error);
    for (const [id, request] of this.#pending) {
      this.#settle(id);
      request.reject(error);
    }
    for (const go of this.#queue.splice(0)) go();
    this.#child.kill('SIGKILL');
  }

  #write(message) {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** No more may run now. */
  get full() {
    return !this.ended && this.#pending.size >= this.limits.running - RESERVED;
  }

  /** Until one has ended. */
  turn() {
    return new Promise(resolve => this.#queue.push(resolve));
  }

  /** Sends it; the promise has the request's `id`, by which more is said to it. */
  send(method, params, { onEvent, awaited = true, signal } = {}) {
    const id = ++this.#last;
    const promise = new Promise((resolve, reject) => {
      if (this.ended) {
        reject(new SandboxDockerUnavailableError("coffer's channel has ended."));
        return;
      }
      const cancel = () => this.send('cancel', { id }, { awaited: false }).catch(() => {});
      this.#pending.set(id, { resolve, reject, onEvent, awaited, signal, cancel });
      if (awaited) this.#await(1);
      this.#write({ id, method, params });
      if (signal?.aborted) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    });
    return Object.assign(promise, { id });
  }

  /** Sends a request with more input than one line holds: a piece at a time, each when the one before has been taken. */
  async sendWithInput(method, params, more, bytes, options) {
    const answer = this.send(method, { ...params, stream_input: true }, options);
    answer.catch(() => {});
    const piece = Math.min(this.limits.input_bytes, Math.floor(this.limits.line_bytes / 2));
    for (let at = 0; at < bytes.length; at += piece) {
      const data = bytes.subarray(at, at + piece);
      try {
        await this.send(more, { id: answer.id, data: data.toString('base64'), end: at + piece >= bytes.length });
      } catch (error) {
        if (error.code !== 'notfound') throw error; // a command need not read its input; what became of it is in the answer
        break;
      }
    }
    return answer;
  }

  /** How many bytes of input fit into the line of a request. */
  get roomForInput() {
    return Math.min(this.limits.input_bytes, Math.floor(this.limits.line_bytes / 2));
  }
}

const lines = new Map(); // by program

export class Channel {
  #dockerPath;

  constructor(dockerPath = 'docker') {
    this.#dockerPath = dockerPath;
  }

  async #line() {
    const program = findCoffer(this.#dockerPath);
    if (!program) throw unavailable(this.#dockerPath);
    if (!lines.has(program) || lines.get(program).ended) lines.set(program, new Line(program));
    const line = lines.get(program);
    await line.greeted;
    return line;
  }

  /** `onEvent` sees each event, `signal` cancels it; Node does not stay for its end when `awaited` is false. */
  async request(method, params, options) {
    const line = await this.#line();
    while (line.full) await line.turn();
    return line.send(method, params, options);
  }

  /** The same with input, a Buffer: for `method` it is its member `name`, and for what does not fit there, `more` takes it. */
  async requestWithInput(method, params, { name, more, bytes }, options) {
    const line = await this.#line();
    while (line.full) await line.turn();
    if (bytes.length > line.roomForInput) return line.sendWithInput(method, params, more, bytes, options);
    return line.send(method, { ...params, [name]: bytes.toString('base64') }, options);
  }
}
