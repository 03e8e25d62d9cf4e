// One session of the engine, in the words of the protocol: what the two interfaces, that of 0.x and that of 1.0, have in common.
import { createHash } from 'node:crypto';
import { posix } from 'node:path';

const MOST_ENTRIES = 100_000;
const MOST_TOLD_LOGS = 1024 * 1024;
const MOST_KEPT_LOGS = 64 * 1024 * 1024;
const LARGEST_FILE = 2 ** 31 - 1;
const NAME = /^[a-z0-9][a-z0-9_.-]{0,62}$/;

/** A name that the engine takes: the given one, or the beginning of it and a hash where it is too long or begins with a sign. */
export function engineName(name) {
  if (NAME.test(name)) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 12);
  return `s-${name.slice(0, 40)}-${hash}`;
}

/** The settings document for what the options of both interfaces say. The workspace is found at `workdir` as well, and nothing in it is hidden or protected. */
export function settingsOf({ workdir, network, memoryMb, cpus, pidsLimit }) {
  const limits = { memory: memoryMb && `${memoryMb}M`, cpus, processes: pidsLimit && pidsLimit + 2 }; // two are the sandbox's own
  return {
    workspace: { alias: workdir },
    filesystem: { view: 'toolchain', protectedPlaces: false, allowRead: ['**/.env', '**/.env.*'] },
    network,
    limits: Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)),
  };
}

/** The head of a stream, as much as `cap` allows. */
class Head {
  #parts = [];
  #room;
  truncated = false;

  constructor(cap) {
    this.#room = cap;
  }

  add(chunk) {
    if (chunk.length > this.#room) this.truncated = true;
    if (this.#room > 0) this.#parts.push(chunk.subarray(0, this.#room));
    this.#room = Math.max(0, this.#room - chunk.length);
  }

  get bytes() {
    return Buffer.concat(this.#parts);
  }
}

const NOT_BEGUN = ['setup', 'denied'];

/** A command that could not be begun, in a directory that is not there for example: as a shell tells it, by status 126 and a reason. */
const notBegun = message => ({
  exit_code: 126,
  message,
  duration_ms: 0,
  timed_out: false,
  aborted: false,
  stdout_truncated: false,
  stderr_truncated: false,
});

const bytesOf = data => (typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength));
const given = object => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

export class EngineSession {
  #channel;
  #name;

  constructor(channel, state, workdir = state.workdir) {
    this.#channel = channel;
    this.#name = state.id;
    this.workdir = workdir;
    this.labels = state.labels ?? {};
    this.metadata = state.metadata ?? {};
    this.workspace = state.workspace;
    this.state = state.state;
    this.ports = (state.ports ?? []).map(({ port, host_port }) => ({ containerPort: port, host: '127.0.0.1', hostPort: host_port, protocol: 'tcp' }));
  }

  static async create(channel, params) {
    return new EngineSession(channel, await channel.request('session.create', given(params)), params.policy.workspace.alias);
  }

  static async open(channel, name) {
    const state = await channel.request('session.open', { session: name });
    return new EngineSession(channel, state, state.labels?.['anvia.sandbox.workdir']);
  }

  #ask(method, params = {}, options) {
    return this.#channel.request(method, given({ session: this.#name, ...params }), options);
  }

  #askWithInput(method, params, input, options) {
    return this.#channel.requestWithInput(method, given({ session: this.#name, ...params }), input, options);
  }

  /** With PWD, since a shell that finds it true calls the workspace by the name that it has here. */
  #environment(cwd, env) {
    return { PWD: posix.join(this.workdir, cwd ?? '.'), ...env };
  }

  /** `cap`: of each stream so many bytes are kept; onStdout and onStderr see all of them. */
  async exec({ argv, cwd, env, timeoutMs, cap, input, signal, onStdout, onStderr }) {
    const heads = { stdout: new Head(cap), stderr: new Head(cap) };
    const watched = { stdout: onStdout, stderr: onStderr };
    let fault;
    const stop = new AbortController();
    const abort = () => stop.abort();
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    const onEvent = ({ event, data }) => {
      if (!heads[event]) return;
      const chunk = Buffer.from(data, 'base64');
      heads[event].add(chunk);
      try {
        if (!fault) watched[event]?.(new Uint8Array(chunk));
      } catch (error) {
        fault = { error };
        stop.abort();
      }
    };
    const told = onStdout || onStderr ? undefined : cap;
    const params = { argv, cwd, env: this.#environment(cwd, env), timeout_ms: timeoutMs, max_output_bytes: told };
    const options = { onEvent, signal: stop.signal };
    try {
      const result = await (input === undefined
        ? this.#ask('exec', params, options)
        : this.#askWithInput('exec', params, { name: 'input', more: 'exec.input', bytes: bytesOf(input) }, options));
      if (fault) throw fault.error;
      return EngineSession.#outcome(result, heads, signal?.aborted ?? false);
    } catch (error) {
      if (!NOT_BEGUN.includes(error.code)) throw error;
      return EngineSession.#outcome(notBegun(error.message), heads, false);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  static #outcome(result, { stdout, stderr }, aborted) {
    const why = result.message && stderr.bytes.length === 0 ? Buffer.from(`${result.message}\n`) : stderr.bytes;
    return {
      stdout: stdout.bytes,
      stderr: why,
      exitCode: result.exit_code ?? 1,
      durationMs: result.duration_ms,
      timedOut: result.timed_out,
      aborted: result.aborted && aborted,
      stdoutTruncated: stdout.truncated || result.stdout_truncated,
      stderrTruncated: stderr.truncated || result.stderr_truncated,
    };
  }

  async readFile(path, { largest = LARGEST_FILE, signal } = {}) {
    const parts = [];
    const onEvent = ({ event, data }) => event === 'data' && parts.push(Buffer.from(data, 'base64'));
    await this.#ask('file.read', { path, max_bytes: largest }, { onEvent, signal });
    return new Uint8Array(Buffer.concat(parts));
  }

  async size(path) {
    return (await this.#ask('file.stat', { path })).size;
  }

  async writeFile(path, data, { signal } = {}) {
    await this.#askWithInput('file.write', { path }, { name: 'data', more: 'file.input', bytes: bytesOf(data) }, { signal });
  }

  async page(path, { startLine, lineCount, maxBytes }, { signal } = {}) {
    const page = await this.#ask('file.page', { path, start_line: startLine, line_count: lineCount, max_bytes: maxBytes }, { signal });
    const { text, start_line, end_line, next_line, truncated } = page;
    return {
      content: text,
      startLine: start_line,
      endLine: text === '' ? null : end_line,
      nextStartLine: next_line,
      truncated: truncated !== null,
      truncatedBy: truncated,
    };
  }

  /** A directory's entries; { entries, cut }. */
  async list(path, { signal } = {}) {
    const { entries, cut } = await this.#ask('file.list', { path: path === '.' ? '' : path, max_entries: MOST_ENTRIES }, { signal });
    const named = entries.map(({ path: name, type, size }) => ({ path: typeof name === 'string' ? name : printable(name), type, size }));
    return { entries: named, cut };
  }

  async makeDirectory(path, { signal } = {}) {
    await this.#ask('file.mkdir', { path }, { signal });
  }

  async startProcess({ argv, cwd, env, logBytes }, { signal } = {}) {
    const kept = Math.min(Math.max(logBytes, 1), MOST_KEPT_LOGS);
    return processOf(await this.#ask('process.start', { argv, cwd, env: this.#environment(cwd, env), log_bytes: kept }, { signal }));
  }

  async processes() {
    return (await this.#ask('process.list')).processes.map(processOf);
  }

  /** Its end; Node does not stay for that. */
  async processEnd(id) {
    return processOf(await this.#ask('process.wait', { process: id, timeout_ms: 0 }, { awaited: false }));
  }

  async processLogs(id, tailBytes) {
    const told = Math.min(Math.max(tailBytes, 1), MOST_TOLD_LOGS);
    const logs = await this.#ask('process.logs', { process: id, tail_bytes: told });
    const stream = (data, bytes, truncated) => {
      const tail = tailBytes === 0 ? Buffer.alloc(0) : Buffer.from(data, 'base64');
      return { tail, truncated: truncated || tail.length < bytes };
    };
    const stdout = stream(logs.stdout, logs.stdout_bytes, logs.stdout_truncated);
    const stderr = stream(logs.stderr, logs.stderr_bytes, logs.stderr_truncated);
    return { stdout: stdout.tail, stderr: stderr.tail, stdoutTruncated: stdout.truncated, stderrTruncated: stderr.truncated };
  }

  async stopProcess(id, graceMs) {
    return processOf(await this.#ask('process.stop', { process: id, grace_ms: graceMs }));
  }

  async forgetProcess(id) {
    await this.#ask('process.remove', { process: id });
  }

  /** Ends those that run, and forgets all of them. */
  async forgetProcesses(graceMs) {
    for (const { id, status } of await this.processes()) {
      if (status === 'running') await this.stopProcess(id, graceMs);
      await this.forgetProcess(id);
    }
  }

  async waitForPort(port, { timeoutMs, intervalMs, signal }) {
    await this.#ask('port.wait', { port, timeout_ms: timeoutMs, interval_ms: intervalMs }, { signal });
  }

  async pause() {
    await this.#ask('session.pause');
  }

  async resume() {
    await this.#ask('session.resume');
  }

  /** False when it is no more; true as well when nobody can be asked. */
  async exists() {
    return this.#ask('session.info').then(
      () => true,
      error => error.code !== 'notfound',
    );
  }

  async remove(withWorkspace) {
    await this.#ask('session.remove', { workspace: withWorkspace });
  }
}

const printable = ({ base64 }) => Buffer.from(base64, 'base64').toString('utf8'); // no UTF-8: what can be shown of it

function processOf({ id, argv, status, exit_code, started_at_ms, ended_at_ms }) {
  const time = ms => new Date(ms).toISOString();
  return given({
    id,
    command: argv[0],
    args: argv.slice(1),
    status,
    exitCode: exit_code ?? undefined,
    startedAt: time(started_at_ms),
    endedAt: ended_at_ms === null ? undefined : time(ended_at_ms),
  });
}
