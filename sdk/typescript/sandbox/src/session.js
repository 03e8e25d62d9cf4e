// A session as 0.x has it.
import { ChannelError } from './channel.js';
import {
  SandboxDockerCommandError,
  SandboxFileSizeError,
  SandboxPathError,
  SandboxPortError,
  SandboxProcessError,
  SandboxSessionDestroyedError,
  SandboxTimeoutError,
} from './errors.js';
import { Lifetime } from './lifetime.js';
import { pageOptions } from './page.js';
import { workspacePath } from './paths.js';

const ETIMEDOUT = 110;
const EFBIG = 27;
const GRACE_AT_END_MS = 1000;
const TOUCH_MS = 5000;

const textOf = result => ({ ...result, stdout: result.stdout.toString(), stderr: result.stderr.toString() });
const isTimeout = error => error.code === 'limit' && error.errno === ETIMEDOUT;

export function commandError(text, error) {
  return new SandboxDockerCommandError(`${text}: ${error.message}`, { stderr: error.message });
}

export class Session {
  provider = 'docker';
  #engine;
  #limits;
  #hooks;
  #names;
  #lifetime;
  #removesWorkspace;
  #directories = new Map(); // of processes that were started here: where they run
  #watches = new Set();
  #ended;

  constructor({ id, engine, limits, hooks, names, lifecycle, removesWorkspace }) {
    this.id = id;
    this.workdir = engine.workdir;
    this.publishedPorts = engine.ports;
    this.#engine = engine;
    this.#limits = limits;
    this.#hooks = hooks;
    this.#names = names;
    this.#removesWorkspace = removesWorkspace;
    const touch = () => engine.exec({ argv: ['true'], cap: 0, timeoutMs: TOUCH_MS }).catch(() => {});
    this.#lifetime = new Lifetime(lifecycle, { end: () => this.destroy().catch(() => {}), touch });
  }

  /** What hooks are told of it. */
  get event() {
    return { sessionId: this.id, provider: this.provider, workdir: this.workdir };
  }

  #destroyed() {
    return new SandboxSessionDestroyedError(`Sandbox session ${this.id} has been destroyed.`);
  }

  /** Does it as an activity of the session; `translate` makes of the engine's error one of ours. */
  #do(operation, translate) {
    if (this.#ended) return Promise.reject(this.#destroyed());
    return this.#lifetime.during(async () => {
      try {
        return await operation();
      } catch (error) {
        if (!(error instanceof ChannelError)) throw error;
        if (this.#ended || !(await this.#engine.exists())) throw this.#destroyed();
        throw translate(error);
      }
    });
  }

  // ---- commands

  #argv(command, args = []) {
    return [this.#names[command] ?? command, ...args];
  }

  #execEvent({ command, args = [], cwd }) {
    return { ...this.event, command, args: [...args], ...(cwd === undefined ? {} : { cwd }) };
  }

  exec(options) {
    return this.#do(
      async () => {
        await this.#hooks.onExecStart?.(this.#execEvent(options));
        const result = await this.#run(options);
        await this.#hooks.onExecEnd?.({ ...this.#execEvent(options), result });
        return result;
      },
      error => commandError(`Docker command failed: coffer exec ${options.command}`, error),
    );
  }

  async #run({ command, args, cwd = '.', env, timeoutMs = this.#limits.timeoutMs, input, signal, onStdout, onStderr }) {
    if (command.trim() === '') throw new SandboxDockerCommandError('Sandbox command cannot be empty.');
    const where = workspacePath(cwd, { allowRoot: true });
    if (signal?.aborted) return notStarted();
    const cap = this.#limits.maxOutputBytes;
    return textOf(await this.#engine.exec({ argv: this.#argv(command, args), cwd: where, env, timeoutMs, cap, input, signal, onStdout, onStderr }));
  }

  /** Its output as it comes, then its result. Whoever leaves the loop ends the command. */
  async *execStream(options) {
    const events = [];
    let wake = () => {};
    let left = false;
    const leaving = new AbortController();
    const abort = () => leaving.abort();
    options.signal?.addEventListener('abort', abort, { once: true });
    if (options.signal?.aborted) abort();
    const push = event => {
      if (!left) events.push(event);
      wake();
    };
    const watcher = (type, also) => {
      const decoder = new TextDecoder();
      return chunk => {
        also?.(chunk);
        push({ type, chunk, text: decoder.decode(chunk, { stream: true }) });
      };
    };
    const run = this.exec({
      ...options,
      signal: leaving.signal,
      onStdout: watcher('stdout', options.onStdout),
      onStderr: watcher('stderr', options.onStderr),
    }).then(
      result => push({ type: 'exit', result }),
      error => push({ error }),
    );
    try {
      for (;;) {
        while (events.length === 0) await new Promise(resolve => (wake = resolve));
        const event = events.shift();
        if (event.error) throw event.error;
        yield event;
        if (event.type === 'exit') return;
      }
    } finally {
      left = true;
      abort();
      options.signal?.removeEventListener('abort', abort);
      await run;
    }
  }

  // ---- files

  #fileError(what, path) {
    return error => {
      if (error.code === 'denied' || error.code === 'policy') return new SandboxPathError(`Sandbox path cannot leave the workspace: ${path}`, error);
      return commandError(what, error);
    };
  }

  #checkSize(size, path) {
    const { maxFileBytes } = this.#limits;
    if (maxFileBytes === undefined || size <= maxFileBytes) return;
    throw new SandboxFileSizeError(`Sandbox file exceeds maxFileBytes (${size} > ${maxFileBytes}): ${path}`);
  }

  readFile(path) {
    const read = async () => {
      const name = workspacePath(path);
      try {
        return await this.#engine.readFile(name, { largest: this.#limits.maxFileBytes });
      } catch (error) {
        if (error.errno === EFBIG) this.#checkSize(await this.#engine.size(name), path);
        throw error;
      }
    };
    return this.#do(read, this.#fileError(`Docker command failed: coffer session cat ${this.id} ${path}`, path));
  }

  async readTextFile(path) {
    return Buffer.from(await this.readFile(path)).toString();
  }

  readTextFilePage(path, options) {
    const read = async () => {
      const page = pageOptions(options);
      return this.#engine.page(workspacePath(path), page);
    };
    return this.#do(read, this.#fileError(`Unable to read sandbox text file: ${path}`, path));
  }

  writeFile(path, data) {
    const write = async () => {
      const size = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
      this.#checkSize(size, path);
      const name = workspacePath(path);
      await this.#engine.writeFile(name, data);
      await this.#hooks.onFileWrite?.({ ...this.event, path: name, size });
    };
    return this.#do(write, this.#fileError(`Docker command failed: coffer session write ${this.id} ${path}`, path));
  }

  writeTextFile(path, content) {
    return this.writeFile(path, content);
  }

  /** One directory, by name; paths from the workspace on. */
  listFiles(path = '.') {
    const what = `Unable to list sandbox path: ${path}`;
    const list = async () => {
      const { entries, cut } = await this.#engine.list(workspacePath(path, { allowRoot: true }));
      if (cut === 'time') throw new SandboxTimeoutError(`Listing files timed out for ${path}.`);
      if (cut) throw new SandboxDockerCommandError(`${what}: it is not told whole (${cut})`);
      return entries;
    };
    return this.#do(list, this.#fileError(what, path));
  }

  /** Directories first, then files, as given: what a new session begins with. */
  async apply({ directories = [], files = {} } = {}) {
    for (const path of directories) {
      const make = () => this.#engine.makeDirectory(workspacePath(path, { allowRoot: true }));
      await this.#do(async () => path !== '.' && make(), this.#fileError(`Unable to create sandbox directory: ${path}`, path));
    }
    for (const [path, content] of Object.entries(files)) await this.writeFile(path, content);
  }

  // ---- processes that stay

  #processError(id) {
    return error => (error.code === 'notfound' ? new SandboxProcessError(`Unknown sandbox process: ${id}`) : commandError('Docker command failed', error));
  }

  #told(info) {
    const cwd = this.#directories.get(info.id);
    return cwd === undefined ? info : { ...info, cwd };
  }

  /** There may be so many; those that have ended make room, the oldest first. */
  async #makeRoom() {
    const { maxProcesses } = this.#limits;
    const known = await this.#engine.processes();
    let count = known.length;
    for (const { id, status } of known) {
      if (count < maxProcesses) break;
      if (status === 'running') continue;
      await this.#engine.forgetProcess(id);
      this.#directories.delete(id);
      count--;
    }
    if (count >= maxProcesses) throw new SandboxProcessError(`Sandbox process limit reached (${count} >= ${maxProcesses}).`);
  }

  startProcess(options) {
    const start = async () => {
      const { command, args, cwd, env } = options;
      if (command.trim() === '') throw new SandboxProcessError('Sandbox process command cannot be empty.');
      const where = workspacePath(cwd ?? '.', { allowRoot: true });
      await this.#makeRoom();
      const logBytes = this.#limits.maxOutputBytes;
      const started = await this.#engine.startProcess({ argv: this.#argv(command, args), cwd: where, env, logBytes });
      const info = { ...started, command, args: [...(args ?? [])] };
      if (cwd !== undefined) this.#directories.set(info.id, cwd);
      try {
        await this.#hooks.onExecStart?.(this.#execEvent(options));
      } catch (error) {
        await this.#engine.stopProcess(info.id, GRACE_AT_END_MS).catch(() => {});
        await this.#engine.forgetProcess(info.id).catch(() => {});
        throw error;
      }
      this.#watch(info, options);
      return this.#told(info);
    };
    return this.#do(start, error => commandError(`Docker command failed: coffer session exec ${options.command}`, error));
  }

  /** Calls onExecEnd when it has ended. Nobody waits for that hook, so nobody hears that it failed. */
  #watch(started, options) {
    if (!this.#hooks.onExecEnd) return;
    const end = async () => {
      const info = await this.#engine.processEnd(started.id);
      const { stdout, stderr, ...truncated } = await this.#engine.processLogs(started.id, this.#limits.maxOutputBytes);
      const result = {
        ...textOf({ stdout, stderr }),
        exitCode: info.exitCode ?? 1,
        durationMs: Date.parse(info.endedAt ?? new Date().toISOString()) - Date.parse(info.startedAt),
        timedOut: false,
        aborted: info.status === 'stopped',
        ...truncated,
      };
      await this.#hooks.onExecEnd({ ...this.#execEvent(options), result });
    };
    const watch = end().catch(() => {});
    this.#watches.add(watch);
    watch.then(() => this.#watches.delete(watch));
  }

  listProcesses() {
    return this.#do(
      async () => (await this.#engine.processes()).map(info => this.#told(info)),
      error => commandError('Docker command failed: coffer session ps', error),
    );
  }

  readProcessLogs(processId, { tailBytes = this.#limits.maxOutputBytes } = {}) {
    const read = async () => {
      if (!Number.isInteger(tailBytes) || tailBytes < 0) throw new SandboxProcessError('Process tailBytes must be a non-negative integer.');
      return textOf(await this.#engine.processLogs(processId, tailBytes));
    };
    return this.#do(read, this.#processError(processId));
  }

  stopProcess(processId, { gracePeriodMs = 5000 } = {}) {
    const stop = async () => {
      if (!Number.isInteger(gracePeriodMs) || gracePeriodMs < 0) {
        throw new SandboxProcessError('Process gracePeriodMs must be a non-negative integer.');
      }
      return this.#told(await this.#engine.stopProcess(processId, gracePeriodMs));
    };
    return this.#do(stop, this.#processError(processId));
  }

  // ---- ports

  waitForPort(containerPort, { timeoutMs = this.#limits.timeoutMs, intervalMs = 250, signal } = {}) {
    const wait = async () => {
      const port = this.publishedPorts.find(each => each.containerPort === containerPort);
      if (!port) throw new SandboxPortError(`Sandbox port is not published: ${containerPort}/tcp`);
      for (const [name, value] of Object.entries({ timeoutMs, intervalMs })) {
        if (!Number.isInteger(value) || value <= 0) throw new SandboxPortError(`Port wait ${name} must be a positive integer.`);
      }
      if (signal?.aborted) throw signal.reason;
      await this.#engine.waitForPort(containerPort, { timeoutMs, intervalMs, signal });
      return port;
    };
    return this.#do(wait, error => {
      if (signal?.aborted) return signal.reason ?? new SandboxPortError('Waiting for sandbox port was aborted.');
      if (isTimeout(error)) return new SandboxTimeoutError(`Waiting for sandbox port ${containerPort}/tcp timed out.`);
      return new SandboxPortError(`Sandbox port cannot be waited for: ${error.message}`, error);
    });
  }

  // ---- its end

  /** Ends all of it. Once is enough: further calls wait for the first one's end. */
  destroy() {
    if (this.#ended) return this.#ended.catch(() => {});
    this.#ended = this.#destroy();
    return this.#ended;
  }

  async #destroy() {
    this.#lifetime.stop();
    await this.#stopProcesses().catch(() => {});
    const failure = await this.#engine.remove(this.#removesWorkspace).then(
      () => undefined,
      error => (error.code === 'notfound' ? undefined : error), // it may have ended by itself
    );
    await Promise.all(this.#watches);
    await this.#hooks.onDestroy?.(this.event);
    if (failure) throw commandError(`Docker command failed: coffer session rm ${this.id}`, failure);
  }

  /** For one that was not made to the end: no hook is called, and what cannot be undone is left. */
  async abandon() {
    this.#ended ??= Promise.resolve();
    this.#lifetime.stop();
    await this.#engine.remove(this.#removesWorkspace).catch(() => {});
  }

  async #stopProcesses() {
    const running = (await this.#engine.processes()).filter(({ status }) => status === 'running');
    await Promise.all(running.map(({ id }) => this.#engine.stopProcess(id, GRACE_AT_END_MS).catch(() => {})));
  }
}

const notStarted = () => ({
  stdout: '',
  stderr: '',
  exitCode: 1,
  durationMs: 0,
  timedOut: false,
  aborted: true,
  stdoutTruncated: false,
  stderrTruncated: false,
});
