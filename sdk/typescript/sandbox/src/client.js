// The client of 1.0: sandboxes that are made, stopped, found again by their id, and destroyed. What is needed to find one again stands in its labels.
import { randomUUID } from 'node:crypto';
import { Channel } from './channel.js';
import { asClientError, DockerSandboxError } from './client_error.js';
import { engineName, EngineSession, settingsOf } from './engine.js';
import { findImage } from './images.js';
import { networkOf, portsOf } from './options.js';
import { record, Runtime, whole } from './runtime.js';

const SCHEMA = '1';
const ID = /^[a-z0-9][a-z0-9_.-]{0,62}$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const GRACE_MS = 1000;
const HOME = '/tmp';
const LIMITS = {
  commandTimeoutMs: ['command-timeout-ms', 30_000, 1],
  maxOutputBytes: ['max-output-bytes', 1024 * 1024, 0],
  maxFileBytes: ['max-file-bytes', 10 * 1024 * 1024, 0],
  maxProcesses: ['max-processes', 4, 0],
};

function checkedId(id) {
  if (typeof id !== 'string' || !ID.test(id)) throw new TypeError('id must be at most 63 of a-z, 0-9, "_", "." and "-", the first a letter or a digit.');
  return id;
}

function limitsOf(runtime = {}) {
  const entries = Object.entries(LIMITS).map(([name, [, initial, least]]) => [name, whole(runtime[name] ?? initial, `runtime.${name}`, least)]);
  return Object.fromEntries(entries);
}

function workspaceOf(workspace) {
  const { type, name } = record(workspace, 'workspace');
  if (type === 'ephemeral') return { kind: 'ephemeral' };
  if (type !== 'docker-volume') throw new TypeError('workspace.type must be "ephemeral" or "docker-volume".');
  if (typeof name !== 'string' || name === '') throw new TypeError('workspace.name must be a non-empty string.');
  return { kind: 'persistent', id: engineName(name) };
}

function portsIn({ mode, ports = [] }) {
  if (mode !== 'none' && mode !== 'bridge') throw new TypeError('network.mode must be "none" or "bridge".');
  try {
    return mode === 'bridge' ? portsOf(ports, true) : [];
  } catch (error) {
    throw new DockerSandboxError(error.message, 'port', undefined, { cause: error });
  }
}

function variablesOf(env = {}) {
  for (const name of Object.keys(record(env, 'env'))) if (!VARIABLE.test(name)) throw new TypeError(`env: "${name}" is no name of a variable.`);
  return { HOME, ...env };
}

function labelsOf({ id, labels = {}, workdir, workspace, network, limits }) {
  const reserved = Object.keys(labels).find(name => name.startsWith('anvia.sandbox.'));
  if (reserved) throw new TypeError(`labels: "${reserved}" is reserved.`);
  const runtime = Object.entries(LIMITS).map(([name, [label]]) => [`anvia.sandbox.runtime.${label}`, String(limits[name])]);
  return {
    ...labels,
    'anvia.sandbox.schema': SCHEMA,
    'anvia.sandbox.id': id,
    'anvia.sandbox.workdir': workdir,
    'anvia.sandbox.workspace.type': workspace.type,
    'anvia.sandbox.network.mode': network.mode,
    ...Object.fromEntries(runtime),
  };
}

function limitsIn(labels, id) {
  if (labels['anvia.sandbox.schema'] !== SCHEMA || labels['anvia.sandbox.id'] !== id) {
    throw new DockerSandboxError(`Sandbox ${id} was not made by this client.`, 'invalid_state');
  }
  return limitsOf(Object.fromEntries(Object.entries(LIMITS).map(([name, [label]]) => [name, Number(labels[`anvia.sandbox.runtime.${label}`])])));
}

function foundImage(image) {
  if (typeof image !== 'string' || image === '') throw new TypeError('image must be a non-empty string.');
  try {
    return findImage(image);
  } catch (error) {
    throw new DockerSandboxError(`Docker image is not available locally: ${image}: ${error.result.stderr}`, 'image_not_found', error.result, { cause: error });
  }
}

/** A live handle. */
class ClientSandbox {
  #engine;
  #runtime;
  #ownsWorkspace;
  #state = 'running';
  #stopping;
  #destroying;

  constructor({ id, engine, limits, ownsWorkspace }) {
    this.id = id;
    this.#engine = engine;
    this.#ownsWorkspace = ownsWorkspace;
    this.#runtime = new Runtime({ id, engine, limits, state: () => this.#state });
  }

  get state() {
    return this.#state;
  }

  get runtime() {
    return this.#runtime;
  }

  /** What may look at it, and change nothing. */
  inspector(options) {
    const { files, ports, processes } = record(options);
    if (files !== true && ports !== true && processes !== true) throw new TypeError('Sandbox inspector must enable at least one capability.');
    const runtime = this.#runtime;
    const bound = (...names) => Object.fromEntries(names.map(name => [name, runtime[name].bind(runtime)]));
    return Object.freeze({
      id: this.id,
      provider: runtime.provider,
      workdir: runtime.workdir,
      ...(files === true && bound('listFiles', 'readFile')),
      ...(ports === true && { publishedPorts: runtime.publishedPorts }),
      ...(processes === true && bound('listProcesses', 'readProcessLogs')),
    });
  }

  async #become(passing, end, deed) {
    this.#state = passing;
    try {
      await deed();
      this.#state = end;
    } catch (error) {
      this.#state = 'error';
      throw asClientError(error, `Sandbox ${this.id} cannot be ${end}`);
    }
  }

  /** Its processes end; workspace and settings stay, for resumeSandbox. */
  async stop(options = {}) {
    record(options).abortSignal?.throwIfAborted();
    if (this.#state === 'stopped') return;
    if (this.#state.startsWith('destroy')) throw new DockerSandboxError(`Sandbox ${this.id} is ${this.#state}.`, 'invalid_state');
    this.#stopping ??= this.#become('stopping', 'stopped', async () => {
      await this.#runtime.close('Sandbox is stopping.', GRACE_MS);
      await this.#engine.pause();
    }).finally(() => (this.#stopping = undefined));
    await this.#stopping;
  }

  async destroy() {
    if (this.#state === 'destroyed') return;
    this.#destroying ??= this.#destroy().finally(() => (this.#destroying = undefined));
    await this.#destroying;
  }

  async #destroy() {
    await this.#stopping?.catch(() => {});
    await this.#become('destroying', 'destroyed', async () => {
      const gone = error => {
        if (error.code !== 'notfound') throw error;
      };
      await this.#runtime.close('Sandbox is being destroyed.', GRACE_MS).catch(gone);
      await this.#engine.remove(this.#ownsWorkspace).catch(gone);
    });
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.destroy();
  }
}

export class DockerSandboxClient {
  #channel;

  constructor(options = {}) {
    const { dockerPath = 'docker' } = record(options);
    if (typeof dockerPath !== 'string' || dockerPath === '') throw new TypeError('dockerPath must be a non-empty string.');
    this.#channel = new Channel(dockerPath);
  }

  /** Nothing is pulled: whether the image's programs are there. */
  async pullImage(options) {
    record(options).abortSignal?.throwIfAborted();
    foundImage(options.image);
  }

  async createSandbox(options) {
    const { id = randomUUID(), image, workdir = '/workspace', workspace, network, env, labels, resources = {}, security, containerRuntime, abortSignal } = record(options);
    const limits = limitsOf(options.runtime);
    const ports = portsIn(record(network, 'network'));
    const params = {
      id: checkedId(id),
      policy: settingsOf({ workdir, network: networkOf(network.mode === 'none' ? false : { ...network, mode: true }), ...resources }),
      workspace: workspaceOf(workspace),
      labels: labelsOf({ id, labels, workdir, workspace, network, limits }),
      env: variablesOf(env),
      ports: ports.length ? ports : undefined,
    };
    foundImage(image);
    if (containerRuntime !== undefined) {
      throw new DockerSandboxError(`Docker runtime is not available: ${containerRuntime}: coffer is the runtime here, leave it out`, 'runtime_not_found');
    }
    if (security?.addCapabilities?.length) {
      throw new DockerSandboxError('security.addCapabilities: programs in a sandbox of coffer get no capability', 'docker_command_failed');
    }
    abortSignal?.throwIfAborted();
    const engine = await EngineSession.create(this.#channel, params).catch(error => {
      throw asClientError(error, 'Unable to create sandbox', { busy: 'invalid_state' });
    });
    const sandbox = new ClientSandbox({ id, engine, limits, ownsWorkspace: workspace.type === 'ephemeral' });
    try {
      await fill(sandbox.runtime, options);
    } catch (error) {
      await sandbox.destroy();
      throw error;
    }
    return sandbox;
  }

  /** A new handle on one that is there, with no process in it. */
  async resumeSandbox(options) {
    const id = checkedId(record(options).id);
    options.abortSignal?.throwIfAborted();
    const failed = error => {
      throw asClientError(error, `Sandbox ${id} cannot be resumed`, { notfound: 'sandbox_not_found' });
    };
    const engine = await EngineSession.open(this.#channel, id).catch(failed);
    const limits = limitsIn(engine.labels, id);
    if (engine.state === 'broken') throw new DockerSandboxError(`Sandbox cannot be resumed from Docker state: ${engine.state}`, 'invalid_state');
    await engine.resume().catch(failed);
    await engine.forgetProcesses(GRACE_MS).catch(failed);
    return new ClientSandbox({ id, engine, limits, ownsWorkspace: engine.workspace.kind === 'ephemeral' });
  }
}

async function fill(runtime, { directories = [], files = {}, abortSignal }) {
  for (const path of directories) await runtime.makeDirectory({ path, abortSignal });
  for (const [path, content] of Object.entries(files)) {
    if (typeof content === 'string') await runtime.writeTextFile({ path, text: content, abortSignal });
    else await runtime.writeFile({ path, data: content, abortSignal });
  }
}
