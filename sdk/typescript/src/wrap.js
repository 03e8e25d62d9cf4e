// The manager: one configuration a process, commands wrapped for a shell. Each wrapped command is a whole `srt` of its own, with its settings on
// its command line; what they have in common is a directory in which they tell what was refused, which reset() removes.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { findSrt, isBash, quote, which } from './binary.js';
import { Decider } from './decider.js';
import { ConfigError, NetworkConfigSchema, SandboxRuntimeConfigSchema } from './schemas.js';
import { SandboxViolationStore, clean, encodeCommand, shouldIgnore } from './violations.js';

export class SandboxInitializeConflictError extends Error {
  code = 'initialize_conflict';
  constructor() {
    super('initialize() is already running with a different configuration or different callbacks');
    this.name = 'SandboxInitializeConflictError';
  }
}

export class LinuxSandboxProfileError extends Error {
  constructor(code, message, cause) {
    super(message, { cause });
    this.name = 'LinuxSandboxProfileError';
    this.code = code;
  }
}

const ARGUMENT_MAX = 100_000; // of the 128 KiB that the kernel takes, quotes included
const COMMAND_ID_MIN = 22;

const state = {
  config: undefined,
  ask: undefined,
  decider: undefined,
  initializing: undefined, // { request, done }
  folder: undefined,
  wrapped: 0,
  outcomes: new Map(), // file → { key, text, read }
  lists: new Map(), // command id → allowed domains
};
const store = new SandboxViolationStore();

/** Writable without being asked for, as srt has it. */
export function getDefaultWritePaths() {
  const home = homedir();
  return ['/dev/stdout', '/dev/stderr', '/dev/null', '/dev/tty', '/tmp/claude', join(home, '.npm/_logs'), join(home, '.claude/debug')];
}

// ---- settings

/** The parts that are given replace those of the base, network and filesystem key by key. */
function laidOver(base, custom = {}) {
  const least = { network: { allowedDomains: [], deniedDomains: [] }, filesystem: { denyRead: [], allowWrite: [], denyWrite: [] } };
  const merged = { ...base, ...custom };
  for (const section of ['network', 'filesystem']) merged[section] = { ...least[section], ...base?.[section], ...custom[section] };
  return merged;
}

/** The list of a command's id, as far as the configuration lets it count. */
function withList(document, commandId) {
  const list = state.lists.get(commandId?.slice(0, 100));
  if (!list || document.network.strictAllowlist) return document;
  return { ...document, network: { ...document.network, allowedDomains: [...document.network.allowedDomains, ...list] } };
}

// ---- what was refused

const lineOf = ({ operation, target, rule }) =>
  operation === 'connect' ? `deny network-outbound ${target} (${rule})` : `deny ${operation} ${target}`;

function collectFile(file, outcome) {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return; // it has not run
  }
  for (const line of text.slice(outcome.read).split('\n').filter(Boolean))
    for (const denial of JSON.parse(line).denials) {
      const said = lineOf(denial);
      if (!shouldIgnore(said, outcome.text, state.config?.ignoreViolations))
        store.addViolation({ line: said, command: clean(outcome.text), encodedCommand: outcome.key, timestamp: new Date() });
    }
  outcome.read = text.length;
}

function collect() {
  for (const [file, outcome] of state.outcomes) collectFile(file, outcome);
}

/** Where srt will say what the command was refused. */
function outcomeFile(command, { commandId, commandText } = {}) {
  state.folder ??= mkdtempSync(join(tmpdir(), 'coffer-srt-'));
  const file = join(state.folder, String(state.wrapped++));
  state.outcomes.set(file, { key: encodeCommand(commandId ?? command), text: commandText ?? command, read: 0 });
  return file;
}

// ---- lifecycle

function checkDependencies() {
  const errors = [];
  try {
    if (process.platform !== 'linux') errors.push('coffer runs on Linux');
    else if (!which(findSrt())) errors.push(`${findSrt()} cannot be executed`);
  } catch (error) {
    errors.push(error.message);
  }
  return { warnings: [], errors };
}

function start(request) {
  const { errors } = checkDependencies();
  if (errors.length) throw new Error(`Sandbox dependencies not available: ${errors.join(', ')}`);
  SandboxRuntimeConfigSchema.parse(request.config);
  Object.assign(state, { config: request.config, ask: request.ask });
}

async function initialize(config, ask, enableLogMonitor = false, options = {}) {
  const request = { config, ask, enableLogMonitor, options };
  if (state.initializing) {
    if (!isDeepStrictEqual(state.initializing.request, request)) throw new SandboxInitializeConflictError();
    return state.initializing.done;
  }
  const done = Promise.resolve().then(() => start(request));
  state.initializing = { request, done };
  try {
    await done;
  } finally {
    state.initializing = undefined;
  }
}

function drop() {
  state.decider?.close();
  if (state.folder) rmSync(state.folder, { recursive: true, force: true });
  Object.assign(state, { config: undefined, ask: undefined, decider: undefined, folder: undefined, wrapped: 0 });
  state.outcomes.clear();
  state.lists.clear();
}

process.on('exit', drop);

async function reset() {
  await state.initializing?.done.catch(() => {});
  collect();
  drop();
}

function updateConfig(config) {
  SandboxRuntimeConfigSchema.parse(config);
  state.config = config;
}

// ---- wrapping

function forShell(command, binShell) {
  if (isBash(binShell)) return command;
  const shell = which(binShell);
  if (!shell) throw new Error(`Shell '${binShell}' not found in PATH`);
  return `exec ${quote([shell, '-c', command])}`;
}

/** COFFER_SRT_DECIDER, where there is something to ask; `folder` is there. */
async function deciderVariable({ strictAllowlist, filterRequest }) {
  const ask = strictAllowlist ? undefined : state.ask;
  if (!ask && !filterRequest) return {};
  state.decider ??= new Decider(state.folder);
  return { COFFER_SRT_DECIDER: await state.decider.variable({ ask, filterRequest }) };
}

async function plan(command, binShell, customConfig, abortSignal, options) {
  abortSignal?.throwIfAborted();
  if (!state.config && !customConfig) throw new Error('SandboxManager.initialize() has not been called');
  const document = withList(laidOver(state.config, customConfig), options?.commandId);
  if (customConfig) SandboxRuntimeConfigSchema.parse(document);
  const settings = JSON.stringify(document); // a function is no part of it
  if (command.includes('\0')) throw new LinuxSandboxProfileError('nul_in_path', 'the command holds a NUL byte');
  if (Math.max(Buffer.byteLength(settings), Buffer.byteLength(command)) > ARGUMENT_MAX)
    throw new LinuxSandboxProfileError('command_too_long', `the settings or the command are longer than ${ARGUMENT_MAX} bytes`);
  const variables = { COFFER_SRT_PROFILE: 'npm', COFFER_SRT_SETTINGS: settings, COFFER_SRT_OUTCOME: outcomeFile(command, options) };
  return { argv: [findSrt(), '-c', forShell(command, binShell)], variables: { ...variables, ...(await deciderVariable(document.network)) } };
}

async function wrapWithSandbox(command, binShell, customConfig, abortSignal, options) {
  await state.initializing?.done;
  const { argv, variables } = await plan(command, binShell, customConfig, abortSignal, options);
  return quote(['env', ...Object.entries(variables).map(([name, value]) => `${name}=${value}`), ...argv]);
}

async function wrapWithSandboxArgv(command, binShell, customConfig, abortSignal, cwd, options) {
  await state.initializing?.done;
  const { argv, variables } = await plan(command, binShell, customConfig, abortSignal, options);
  return { argv, env: { ...process.env, ...variables } };
}

function registerCommandNetworkLists(commandId, { allowedDomains = [] }) {
  if (commandId.length < COMMAND_ID_MIN) throw new Error(`a command id has at least ${COMMAND_ID_MIN} characters that nobody can guess`);
  NetworkConfigSchema.parse({ allowedDomains, deniedDomains: [] });
  state.lists.set(commandId.slice(0, 100), [...allowedDomains]);
}

// ---- what is in force

const listOf = (section, key) => [...(state.config?.[section]?.[key] ?? [])];
const spelled = list => list.filter(entry => typeof entry === 'string');
const marked = list => list.filter(entry => typeof entry !== 'string').map(entry => entry.path);
const withMarked = (lists, literal) => {
  for (const [key, list] of Object.entries(literal)) if (list.length) lists[key] = list;
  return lists;
};

function getFsReadConfig() {
  const [deny, allow] = [listOf('filesystem', 'denyRead'), listOf('filesystem', 'allowRead')];
  return withMarked({ denyOnly: spelled(deny), allowWithinDeny: spelled(allow) }, { literalDenyOnly: marked(deny), literalAllowWithinDeny: marked(allow) });
}

function getFsWriteConfig() {
  const [allow, deny] = [listOf('filesystem', 'allowWrite'), listOf('filesystem', 'denyWrite')];
  const lists = { allowOnly: [...getDefaultWritePaths(), ...spelled(allow)], denyWithinAllow: spelled(deny) };
  return withMarked(lists, { literalAllowOnly: marked(allow), literalDenyWithinAllow: marked(deny) });
}

function getNetworkRestrictionConfig() {
  const [allowedHosts, deniedHosts] = [listOf('network', 'allowedDomains'), listOf('network', 'deniedDomains')];
  return deniedHosts.length ? { allowedHosts, deniedHosts } : { allowedHosts };
}

function annotateStderrWithSandboxFailures(command, stderr) {
  if (!state.config) return stderr;
  collect();
  const violations = store.getViolationsForCommand(command);
  if (!violations.length) return stderr;
  return `${stderr}\n<sandbox_violations>\n${violations.map(({ line }) => `${line}\n`).join('')}</sandbox_violations>`;
}

/** What another system has, or what the filter of each command keeps to itself. */
const none = () => undefined;

export const SandboxManager = {
  initialize,
  isSupportedPlatform: () => process.platform === 'linux',
  isSandboxingEnabled: () => state.config !== undefined,
  checkDependencies,
  checkDependenciesAsync: async () => checkDependencies(),
  getFsReadConfig,
  getFsWriteConfig,
  getNetworkRestrictionConfig,
  getAllowUnixSockets: () => state.config?.network?.allowUnixSockets,
  getAllowLocalBinding: () => state.config?.network?.allowLocalBinding,
  getAllowMachLookup: () => state.config?.network?.allowMachLookup,
  getIgnoreViolations: () => state.config?.ignoreViolations,
  getEnableWeakerNestedSandbox: () => state.config?.enableWeakerNestedSandbox,
  getProxyPort: none,
  getProxyAuthToken: none,
  getSocksProxyPort: none,
  getLinuxHttpSocketPath: none,
  getLinuxSocksSocketPath: none,
  waitForNetworkInitialization: async () => {
    await state.initializing?.done.catch(() => {});
    return state.config !== undefined;
  },
  wrapWithSandbox,
  wrapWithSandboxArgv,
  registerCommandNetworkLists,
  unregisterCommandNetworkLists: commandId => void state.lists.delete(commandId.slice(0, 100)),
  askCallbackDenyReason: true,
  getSandboxViolationStore: () => {
    collect();
    return store;
  },
  annotateStderrWithSandboxFailures,
  getLinuxGlobPatternWarnings: () => [], // patterns that would be skipped: none are
  getConfig: () => state.config,
  getMitmCA: none,
  getWindowsBackend: none,
  getWindowsProfileRead: none,
  getWindowsProfileReadWarnings: () => [],
  getWindowsProfileReadRefresh: none,
  updateConfig,
  cleanupAfterCommand: collect, // a command leaves nothing behind but what it was refused
  reset,
};

export { ConfigError };
