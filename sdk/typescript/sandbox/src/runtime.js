// What runs in a sandbox, as 1.0 has it: one object of options a call, bytes for output, a signal everywhere.
import { asClientError, DockerSandboxError } from './client_error.js';
import { pageOf, pageOptions } from './page.js';
import { workspacePath } from './paths.js';

const LONGEST_WAIT_MS = 30_000;
const GRACE_MS = 5000;

export function record(value, name = 'options') {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${name} must be an object.`);
  return value;
}

function filled(value, name) {
  if (typeof value !== 'string' || value === '') throw new TypeError(`${name} must be a non-empty string.`);
  return value;
}

/** A whole number from `least` on. */
export function whole(value, name, least) {
  if (!Number.isSafeInteger(value) || value < least) throw new TypeError(`${name} must be an integer of at least ${least}.`);
  return value;
}

/** UTF-8 as it must be, or an error. */
export const decode = bytes => new TextDecoder('utf-8', { fatal: true }).decode(bytes);

const exact = ({ exitCode, timedOut, stdout, stderr, durationMs, stdoutTruncated, stderrTruncated }) => ({
  ...(timedOut ? { status: 'timed_out' } : { status: 'exited', exitCode }),
  stdout: new Uint8Array(stdout),
  stderr: new Uint8Array(stderr),
  durationMs,
  stdoutTruncated,
  stderrTruncated,
});

export class Runtime {
  provider = 'docker';
  #engine;
  #limits;
  #state;
  #closing = new AbortController();
  #active = new Set();
  #directories = new Map();

  /** `state` is asked before each call. */
  constructor({ id, engine, limits, state }) {
    this.id = id;
    this.workdir = engine.workdir;
    this.publishedPorts = Object.freeze(engine.ports.map(port => Object.freeze({ ...port })));
    this.#engine = engine;
    this.#limits = limits;
    this.#state = state;
  }

  #path(path, allowRoot = false) {
    return workspacePath(path, { allowRoot, workdir: this.workdir });
  }

  /** Does it with a signal that the caller's, or the sandbox's end, sets off. */
  async #do(what, { abortSignal }, operation, codes) {
    const state = this.#state();
    if (state !== 'running') throw new DockerSandboxError(`Sandbox ${this.id} is ${state}.`, 'invalid_state');
    abortSignal?.throwIfAborted();
    const stop = new AbortController();
    const abort = () => stop.abort();
    const sources = [abortSignal, this.#closing.signal].filter(Boolean);
    for (const source of sources) source.addEventListener('abort', abort, { once: true });
    const work = operation(stop.signal);
    this.#active.add(work);
    try {
      const result = await work;
      for (const source of sources) source.throwIfAborted();
      return result;
    } catch (error) {
      throw sources.find(({ aborted }) => aborted)?.reason ?? asClientError(error, what, codes);
    } finally {
      this.#active.delete(work);
      for (const source of sources) source.removeEventListener('abort', abort);
    }
  }

  async #run(options, more = {}) {
    const { command, args = [], cwd = '.', env, input, timeoutMs = this.#limits.commandTimeoutMs } = record(options);
    const argv = [filled(command, 'command'), ...args];
    const where = this.#path(cwd, true);
    whole(timeoutMs, 'timeoutMs', 1);
    const run = { argv, cwd: where, env, input, timeoutMs, cap: this.#limits.maxOutputBytes, ...more };
    return this.#do(`exec ${command}`, options, async signal => exact(await this.#engine.exec({ ...run, signal })));
  }

  async exec(options) {
    try {
      return await this.#run(options);
    } catch (error) {
      throw asClientError(error, 'exec');
    }
  }

  /** Events as they come, then the result. Whoever leaves more than maxOutputBytes waiting, or the loop, ends the command. */
  async *execStream(options) {
    const events = [];
    let waiting = 0;
    let wake = () => {};
    const stop = new AbortController();
    const { abortSignal } = record(options);
    const abort = () => stop.abort(abortSignal.reason);
    if (abortSignal?.aborted) abort();
    else abortSignal?.addEventListener('abort', abort, { once: true });
    const push = event => {
      waiting += event.data?.length ?? 0;
      if (waiting > this.#limits.maxOutputBytes) stop.abort(new DockerSandboxError('Sandbox stream consumer is too slow.', 'docker_command_failed'));
      else events.push(event);
      wake();
    };
    const watch = { onStdout: data => push({ type: 'stdout', data }), onStderr: data => push({ type: 'stderr', data }) };
    const run = this.#run({ ...options, abortSignal: stop.signal }, watch).then(
      result => events.push({ type: 'result', result }) && wake(),
      error => events.push({ error: asClientError(error, 'exec') }) && wake(),
    );
    try {
      for (;;) {
        while (events.length === 0) await new Promise(resolve => (wake = resolve));
        const event = events.shift();
        if (event.error) throw event.error;
        waiting -= event.data?.length ?? 0;
        yield event;
        if (event.type === 'result') return;
      }
    } finally {
      stop.abort(new DOMException('Stream closed', 'AbortError'));
      abortSignal?.removeEventListener('abort', abort);
      await run;
    }
  }

  // ---- files

  async #file(what, options, operation) {
    try {
      return await this.#do(what, record(options), operation);
    } catch (error) {
      throw asClientError(error, what);
    }
  }

  #fits(size, path) {
    const most = this.#limits.maxFileBytes;
    if (size > most) throw new DockerSandboxError(`Sandbox file exceeds maxFileBytes (${size} > ${most}): ${path}`, 'file_too_large');
  }

  async readFile(options) {
    return this.#file('Unable to read sandbox file', options, async signal => {
      const path = this.#path(options.path);
      try {
        return await this.#engine.readFile(path, { largest: this.#limits.maxFileBytes, signal });
      } catch (error) {
        if (asClientError(error).code === 'file_too_large') this.#fits(await this.#engine.size(path), path);
        throw error;
      }
    });
  }

  async readTextFile(options) {
    return decode(await this.readFile(options));
  }

  async readTextFilePage(options) {
    const page = pageOptions(record(options));
    return pageOf(await this.readTextFile(options), page);
  }

  async #write(options, data) {
    await this.#file('Unable to write sandbox file', options, async signal => {
      const path = this.#path(options.path);
      this.#fits(data.byteLength, path);
      await this.#engine.writeFile(path, data, { signal });
    });
  }

  async writeFile(options) {
    if (!(record(options).data instanceof Uint8Array)) throw new TypeError('data must be a Uint8Array.');
    await this.#write(options, options.data.slice());
  }

  async writeTextFile(options) {
    if (typeof record(options).text !== 'string') throw new TypeError('text must be a string.');
    await this.#write(options, new TextEncoder().encode(options.text));
  }

  async listFiles(options = {}) {
    return this.#file('Unable to list sandbox files', options, async signal => {
      const { entries, cut } = await this.#engine.list(this.#path(options.path ?? '.', true), { signal });
      if (cut) throw new DockerSandboxError(`Unable to list sandbox files: they are not told whole (${cut})`, 'docker_command_failed');
      return entries;
    });
  }

  async makeDirectory(options) {
    await this.#file('Unable to create sandbox directory', options, signal => this.#engine.makeDirectory(this.#path(options.path), { signal }));
  }

  // ---- processes

  #told(info) {
    const cwd = this.#directories.get(info.id);
    return cwd === undefined ? info : { ...info, cwd };
  }

  async #makeRoom() {
    const known = await this.#engine.processes();
    const over = known.filter(({ status }) => status !== 'running');
    for (const { id } of over.slice(0, Math.max(0, known.length - this.#limits.maxProcesses + 1))) await this.#engine.forgetProcess(id);
    const running = known.length - over.length;
    if (running >= this.#limits.maxProcesses) {
      throw new DockerSandboxError(`Sandbox process limit reached (${running} >= ${this.#limits.maxProcesses}).`, 'process');
    }
  }

  async startProcess(options) {
    return this.#file('Unable to start sandbox process', options, async signal => {
      const { command, args = [], cwd, env } = options;
      const where = this.#path(cwd ?? '.', true);
      if (filled(command, 'command').trim() === '') throw new DockerSandboxError('Sandbox process command cannot be empty.', 'process');
      await this.#makeRoom();
      const start = { argv: [command, ...args], cwd: where, env, logBytes: this.#limits.maxOutputBytes };
      const info = await this.#engine.startProcess(start, { signal });
      if (cwd !== undefined) this.#directories.set(info.id, cwd);
      return this.#told(info);
    });
  }

  async listProcesses(options = {}) {
    return this.#file('Unable to list sandbox processes', options, async () => (await this.#engine.processes()).map(info => this.#told(info)));
  }

  #process(options, operation) {
    const id = filled(record(options).processId, 'processId');
    return this.#do(`Unknown sandbox process: ${id}`, options, () => operation(id), { notfound: 'process' });
  }

  async readProcessLogs(options) {
    const { tailBytes = this.#limits.maxOutputBytes } = record(options);
    whole(tailBytes, 'tailBytes', 0);
    return this.#process(options, async id => {
      const { stdout, stderr, ...truncated } = await this.#engine.processLogs(id, tailBytes);
      return { stdout: new Uint8Array(stdout), stderr: new Uint8Array(stderr), ...truncated };
    });
  }

  async stopProcess(options) {
    const { gracePeriodMs = GRACE_MS } = record(options);
    whole(gracePeriodMs, 'gracePeriodMs', 0);
    return this.#process(options, async id => this.#told(await this.#engine.stopProcess(id, gracePeriodMs)));
  }

  // ---- ports

  async waitForPort(options) {
    const { containerPort, timeoutMs = LONGEST_WAIT_MS, intervalMs = 100 } = record(options);
    const port = this.publishedPorts.find(each => each.containerPort === containerPort);
    if (!port) throw new DockerSandboxError(`Sandbox port is not published: ${containerPort}/tcp`, 'port');
    whole(timeoutMs, 'timeoutMs', 1);
    whole(intervalMs, 'intervalMs', 1);
    return this.#do(`Waiting for sandbox port timed out: ${containerPort}`, options, async signal => {
      await this.#engine.waitForPort(containerPort, { timeoutMs, intervalMs, signal });
      return { ...port };
    });
  }

  // ---- its end

  /** Ends what is under way with that reason, then its processes. */
  async close(reason, graceMs) {
    this.#closing.abort(new DockerSandboxError(reason, 'invalid_state'));
    await Promise.allSettled(this.#active);
    await this.#engine.forgetProcesses(graceMs);
  }
}
