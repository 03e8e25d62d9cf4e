// DockerSandbox: options once, and sessions that are made with them.
import { randomUUID } from 'node:crypto';
import { Channel, ChannelError } from './channel.js';
import { engineName, EngineSession, settingsOf } from './engine.js';
import { findImage } from './images.js';
import { checkUser, labelsOf, limitsOf, networkOf, portsOf, pullOf } from './options.js';
import { resourceName } from './paths.js';
import { commandError, Session } from './session.js';

const HOME = '/tmp'; // the one place besides the workspace that can be written

export class DockerSandbox {
  provider = 'docker';
  #options;
  #limits;
  #channel;

  constructor(options = {}) {
    const { image = 'node:22-bookworm', workdir = '/workspace', workspace = {}, network = false, hooks = {} } = options;
    this.#options = { ...options, image, workdir, workspace, network, hooks };
    this.#limits = limitsOf(options.limits);
    pullOf(options.pull);
    this.#channel = new Channel(options.dockerPath);
  }

  static node(options = {}) {
    return new DockerSandbox({ ...options, image: options.image ?? 'node:22-bookworm' });
  }

  static python(options = {}) {
    return new DockerSandbox({ ...options, image: options.image ?? 'python:3.13-bookworm' });
  }

  static deno(options = {}) {
    return new DockerSandbox({ ...options, image: options.image ?? 'denoland/deno:debian' });
  }

  async createSession({ id: wanted, workspace = this.#options.workspace, manifest, metadata, ports } = {}) {
    const { network, hooks, lifecycle, user, image, labels, workdir } = this.#options;
    const published = portsOf(ports, network);
    checkUser(user);
    const { names } = findImage(image);
    const id = resourceName(wanted ?? '') || randomUUID();
    const persistent = workspace.mode === 'persistent';
    const workspaceId = persistent ? resourceName(workspace.id) || randomUUID() : id;
    const lasts = lifecycle?.autoDestroy === false ? {} : { ttl_ms: lifecycle?.ttlMs, idle_ms: lifecycle?.idleTimeoutMs };
    const engine = await this.#create(id, {
      policy: settingsOf({ workdir, network: networkOf(network), ...this.#limits }),
      workspace: persistent ? { kind: 'persistent', id: engineName(workspaceId) } : { kind: 'ephemeral' },
      labels: labelsOf({ labels, metadata, workspace, volume: `anvia-sandbox-${workspaceId}-workspace` }),
      metadata,
      env: { HOME, ...manifest?.env },
      ports: published.length ? published : undefined,
      ...lasts,
    });
    const removesWorkspace = persistent ? workspace.destroyOnSessionDestroy ?? false : true;
    const session = new Session({ id, engine, limits: this.#limits, hooks, names, lifecycle, removesWorkspace });
    try {
      await session.apply(manifest);
      await hooks.onSessionCreate?.(session.event);
    } catch (error) {
      await session.abandon();
      throw error;
    }
    return session;
  }

  async #create(id, params) {
    try {
      return await EngineSession.create(this.#channel, { id: engineName(id), ...params });
    } catch (error) {
      if (error instanceof ChannelError) throw commandError(`Docker command failed: coffer session create ${id}`, error);
      throw error;
    }
  }
}
