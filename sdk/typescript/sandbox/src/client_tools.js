// The same ten tools on a runtime of 1.0: what they give is objects, and the policy for commands has a mode.
import { DockerSandboxError } from './client_error.js';
import { decode, record } from './runtime.js';
import { makeTool, toolShape } from './tools.js';

const MEBIBYTE = 1024 * 1024;
const LONGEST_MS = 300_000;
const MOST_LINES = 10_000;

function refuse(message) {
  throw new DockerSandboxError(message, 'tool_policy');
}

function within(what, value, limit) {
  if (value > limit) refuse(`${what} exceeds policy (${value} > ${limit}).`);
  return value;
}

/** Each number of the policies: its least value, its greatest, and what it is when it is not said. */
const NUMBERS = {
  'exec.defaultTimeoutMs': [1, LONGEST_MS, undefined],
  'exec.maxTimeoutMs': [1, LONGEST_MS, undefined],
  'readFile.maxBytes': [1, MEBIBYTE, 64 * 1024],
  'readFile.maxLineCount': [1, MOST_LINES, 2000],
  'readFile.defaultLineCount': [1, MOST_LINES, 500],
  'writeFile.maxBytes': [0, MEBIBYTE, undefined],
  'process.maxLogBytes': [0, MEBIBYTE, 64 * 1024],
  'process.maxWaitTimeoutMs': [1, LONGEST_MS, LONGEST_MS],
  'process.defaultWaitTimeoutMs': [1, LONGEST_MS, 30_000],
  'process.stopGracePeriodMs': [0, Number.MAX_SAFE_INTEGER, 5000],
};
const ORDER = [
  ['exec.defaultTimeoutMs', 'exec.maxTimeoutMs'],
  ['readFile.defaultLineCount', 'readFile.maxLineCount'],
  ['process.defaultWaitTimeoutMs', 'process.maxWaitTimeoutMs'],
];

function numbersOf(options) {
  const numbers = {};
  for (const [name, [least, most, initial]] of Object.entries(NUMBERS)) {
    const [group, member] = name.split('.');
    const said = record(options[group] ?? {}, group)[member];
    if (said !== undefined && (!Number.isSafeInteger(said) || said < least)) {
      refuse(`${name} must be a ${least ? 'positive' : 'non-negative'} safe integer.`);
    }
    if (said > most) refuse(`${name} cannot exceed ${most}.`);
    numbers[name] = said ?? initial;
  }
  for (const [usual, most] of ORDER) {
    if (!(numbers[usual] > numbers[most])) continue;
    const [group, member] = usual.split('.');
    if (options[group]?.[member] !== undefined) refuse(`${usual} cannot exceed ${most}.`);
    numbers[usual] = numbers[most];
  }
  return numbers;
}

function commandsOf(commands) {
  if (commands === undefined) return () => {};
  const { mode, values } = record(commands, 'exec.commands');
  if (mode !== 'allow' && mode !== 'block') refuse('exec.commands must use mode allow or block.');
  if (!Array.isArray(values)) refuse('exec.commands.values must be an array.');
  const names = new Set();
  for (const value of values) {
    if (typeof value !== 'string' || value === '') refuse('exec.commands.values must contain non-empty strings.');
    if (names.has(value)) refuse(`exec.commands.values contains a duplicate: ${value}`);
    names.add(value);
  }
  return command => {
    if (names.has(command) !== (mode === 'allow')) refuse(`Command is rejected by sandbox tool policy: ${command}`);
  };
}

function deedsOf(sandbox, numbers, allow) {
  return {
    async exec_command({ timeoutMs = numbers['exec.defaultTimeoutMs'], ...run }, { abortSignal }) {
      allow(run.command);
      if (timeoutMs !== undefined) run.timeoutMs = within('Command timeout', timeoutMs, numbers['exec.maxTimeoutMs']);
      const result = await sandbox.exec({ ...run, abortSignal });
      return { ...result, stdout: decode(result.stdout), stderr: decode(result.stderr) };
    },
    async read_file({ path, startLine = 1, lineCount = numbers['readFile.defaultLineCount'] }, { abortSignal }) {
      within('File read line count', lineCount, numbers['readFile.maxLineCount']);
      return sandbox.readTextFilePage({ path, startLine, lineCount, maxBytes: numbers['readFile.maxBytes'], abortSignal });
    },
    async write_file({ path, content }, { abortSignal }) {
      const bytesWritten = within('File content', Buffer.byteLength(content), numbers['writeFile.maxBytes']);
      await sandbox.writeTextFile({ path, text: content, abortSignal });
      return { path, bytesWritten };
    },
    async list_files({ path = '.' }, { abortSignal }) {
      return { path, entries: [...(await sandbox.listFiles({ path, abortSignal }))] };
    },
    list_ports: async () => ({ ports: [...sandbox.publishedPorts] }),
    async start_process(run, { abortSignal }) {
      allow(run.command);
      return sandbox.startProcess({ ...run, abortSignal });
    },
    list_processes: async (_, { abortSignal }) => ({ processes: [...(await sandbox.listProcesses({ abortSignal }))] }),
    async read_process_logs({ processId, tailBytes = numbers['process.maxLogBytes'] }, { abortSignal }) {
      within('Process log request', tailBytes, numbers['process.maxLogBytes']);
      const logs = await sandbox.readProcessLogs({ processId, tailBytes, abortSignal });
      return { processId, ...logs, stdout: decode(logs.stdout), stderr: decode(logs.stderr) };
    },
    stop_process: ({ processId }, { abortSignal }) =>
      sandbox.stopProcess({ processId, gracePeriodMs: numbers['process.stopGracePeriodMs'], abortSignal }),
    async wait_for_port({ containerPort, timeoutMs = numbers['process.defaultWaitTimeoutMs'] }, { abortSignal }) {
      within('Port wait timeout', timeoutMs, numbers['process.maxWaitTimeoutMs']);
      return { port: await sandbox.waitForPort({ containerPort, timeoutMs, abortSignal }) };
    },
  };
}

const CALLS = ['exec', 'readTextFilePage', 'writeTextFile', 'listFiles', 'startProcess', 'waitForPort'];
const isRuntime = sandbox => CALLS.every(name => typeof sandbox?.[name] === 'function');

/** The tools that are named, in that order. */
export function createDockerSandboxTools(options) {
  const { sandbox, tools } = record(options);
  if (!isRuntime(sandbox)) throw new TypeError('sandbox must be a DockerSandboxRuntime.');
  if (!Array.isArray(tools) || tools.length === 0) throw new TypeError('tools must be a non-empty array.');
  const deeds = deedsOf(sandbox, numbersOf(options), commandsOf(options.exec?.commands));
  const duplicate = tools.find((name, i) => tools.indexOf(name) !== i);
  if (duplicate !== undefined) throw new TypeError(`tools contains a duplicate: ${duplicate}`);
  if (!tools.every(name => Object.hasOwn(deeds, name))) throw new TypeError('tools contains an unsupported sandbox tool name.');
  return Object.freeze(tools.map(name => makeTool(name, toolShape(name), deeds[name])));
}
