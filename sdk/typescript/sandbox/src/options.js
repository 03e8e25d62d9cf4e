// What the options of DockerSandbox mean here. An option that asks for less than what is always enforced is taken and changes nothing; one that asks for what there
// is not is refused, with the way to get it.
import { userInfo } from 'node:os';
import { SandboxDockerCommandError, SandboxPortError, SandboxProcessError } from './errors.js';

const PULLS = ['missing', 'always', 'never'];
const BRIDGES = [true, 'bridge', 'default'];

function refuse(option, stderr) {
  throw new SandboxDockerCommandError(`Docker command failed: coffer session create: ${option}: ${stderr}`, { stderr });
}

const modeOf = network => (typeof network === 'object' ? network.mode : network);

let warned = false;

function warnOfNowhere() {
  if (warned) return;
  warned = true;
  process.emitWarning(
    'network: true opens the way to no host by itself. Name them, as in network: { mode: true, allowedDomains: ["packages.example.com"] }, or take the ' +
      'network of this machine as it is with network: "host".',
    { type: 'SandboxNetworkWarning', code: 'COFFER_NETWORK' },
  );
}

/** The settings' network: none, the host's own, or one of its own with a filter before the hosts that are named. */
export function networkOf(network = false) {
  const mode = modeOf(network);
  if (mode === false || mode === 'none') return { mode: 'off' };
  if (mode === 'host') return { mode: 'host' };
  if (!BRIDGES.includes(mode)) refuse('network', `there is no network "${mode}": false, true, "none", "bridge" and "host" are those that there are`);
  const allowedDomains = network.allowedDomains ?? [];
  if (allowedDomains.length === 0) warnOfNowhere();
  return { mode: 'filtered', allowedDomains: [...allowedDomains] };
}

const isPort = port => Number.isInteger(port) && port >= 1 && port <= 65_535;

/** The ports to publish, as given. */
export function portsOf(ports = [], network = false) {
  const seen = new Set();
  for (const port of ports) {
    if (!isPort(port)) throw new SandboxPortError(`Sandbox port must be an integer from 1 to 65535: ${port}`);
    if (seen.has(port)) throw new SandboxPortError(`Sandbox port is duplicated: ${port}`);
    seen.add(port);
  }
  const mode = modeOf(network);
  if (seen.size && (mode === false || mode === 'none' || mode === 'host' || String(mode).startsWith('container:'))) {
    throw new SandboxPortError('Published sandbox ports require network: true or a bridge-capable Docker network.');
  }
  return [...seen];
}

/** Programs run with the ids of whoever calls, without any capability; a user that is somebody else cannot be had. */
export function checkUser(user) {
  if (user === undefined) return;
  const { uid, gid, username } = userInfo();
  const [name, group = String(gid)] = String(user).split(':');
  const isCaller = [String(uid), username].includes(name) && group === String(gid);
  if (!isCaller) refuse('user', `programs run as the user who calls (${username}), without capabilities, and not as "${user}": leave it out`);
}

export function limitsOf({ timeoutMs = 30_000, maxOutputBytes = 1024 * 1024, maxProcesses = 4, maxFileBytes, memoryMb, cpus, pidsLimit } = {}) {
  if (!Number.isInteger(maxProcesses) || maxProcesses < 0) throw new SandboxProcessError('Sandbox maxProcesses must be a non-negative integer.');
  if (!Number.isInteger(maxOutputBytes) || maxOutputBytes < 0) {
    throw new SandboxProcessError('Sandbox maxOutputBytes must be a non-negative integer.');
  }
  if (!Number.isInteger(timeoutMs) || timeoutMs <= 0) throw new SandboxProcessError('Sandbox process startup timeout must be a positive integer.');
  return { timeoutMs, maxOutputBytes, maxProcesses, maxFileBytes, memoryMb, cpus, pidsLimit };
}

export function pullOf(pull = 'missing') {
  if (!PULLS.includes(pull)) refuse('pull', `"${pull}" is none of ${PULLS.join(', ')}`);
  return pull;
}

/** The labels of a session: those of the original, the sandbox's, and what it is told about itself. */
export function labelsOf({ labels = {}, metadata = {}, workspace, volume }) {
  const own = {
    'anvia.sandbox': 'true',
    'anvia.sandbox.workspace.mode': workspace.mode ?? 'ephemeral',
    'anvia.sandbox.workspace.volume': volume,
  };
  const about = Object.entries(metadata).map(([key, value]) => [`anvia.sandbox.metadata.${key}`, String(value)]);
  return { ...own, ...labels, ...Object.fromEntries(about) };
}
