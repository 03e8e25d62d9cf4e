// A session as tools of an agent: ten of them, four unless others are asked for. Their texts are those of the original.
import { SandboxToolPolicyError } from './errors.js';
import { pageOf } from './page.js';
import { count, parseInput, record, text, variables, words } from './schema.js';

const MEBIBYTE = 1024 * 1024;
const LONGEST_MS = 300_000;
const MOST_LINES = 10_000;
const USUAL = ['exec_command', 'read_file', 'write_file', 'list_files'];
const METADATA = Symbol.for('anvia.sandbox.tool.metadata');

const integer = value => Number.isInteger(value);

/** Whether it can be asked about ports: `publishedPorts` and `waitForPort`. */
export function isSandboxPortSession(session) {
  return Array.isArray(session.publishedPorts) && typeof session.waitForPort === 'function';
}

/** Whether it can have processes that stay. */
export function isSandboxProcessSession(session) {
  return ['startProcess', 'listProcesses', 'readProcessLogs', 'stopProcess'].every(name => typeof session[name] === 'function');
}

// ---- policies

function allowCommand(command, { blockedCommands, allowedCommands } = {}) {
  if (blockedCommands?.includes(command)) throw new SandboxToolPolicyError(`Command is blocked by sandbox tool policy: ${command}`);
  if (allowedCommands && !allowedCommands.includes(command)) {
    throw new SandboxToolPolicyError(`Command is not allowed by sandbox tool policy: ${command}`);
  }
}

function withinLimit(what, value, limit) {
  if (limit !== undefined && value > limit) throw new SandboxToolPolicyError(`${what} exceeds sandbox tool policy (${value} > ${limit}).`);
  return value;
}

function refuse(text) {
  throw new SandboxToolPolicyError(text);
}

function pagePolicy({ maxBytes = 64 * 1024, maxLineCount = 2000, defaultLineCount = Math.min(500, maxLineCount) } = {}) {
  if (!integer(defaultLineCount) || defaultLineCount <= 0) refuse('File defaultLineCount must be a positive integer.');
  if (!integer(maxLineCount) || maxLineCount <= 0 || maxLineCount > MOST_LINES) {
    refuse(`File maxLineCount must be a positive integer no greater than ${MOST_LINES}.`);
  }
  if (defaultLineCount > maxLineCount) refuse(`File defaultLineCount exceeds maxLineCount (${defaultLineCount} > ${maxLineCount}).`);
  if (!integer(maxBytes) || maxBytes <= 0 || maxBytes > MEBIBYTE) {
    refuse(`File maxBytes must be a positive integer no greater than ${MEBIBYTE}.`);
  }
  return { maxBytes, maxLineCount, defaultLineCount };
}

function processPolicy({ maxLogBytes = 64 * 1024, defaultWaitTimeoutMs, maxWaitTimeoutMs = LONGEST_MS, stopGracePeriodMs = 5000 } = {}) {
  if (!integer(maxLogBytes) || maxLogBytes < 0 || maxLogBytes > MEBIBYTE) refuse(`Process maxLogBytes must be an integer from 0 to ${MEBIBYTE}.`);
  if (!integer(maxWaitTimeoutMs) || maxWaitTimeoutMs <= 0 || maxWaitTimeoutMs > LONGEST_MS) {
    refuse(`Process maxWaitTimeoutMs must be an integer from 1 to ${LONGEST_MS}.`);
  }
  const wait = defaultWaitTimeoutMs ?? Math.min(30_000, maxWaitTimeoutMs);
  if (!integer(wait) || wait <= 0 || wait > maxWaitTimeoutMs) {
    refuse('Process defaultWaitTimeoutMs must be positive and no greater than maxWaitTimeoutMs.');
  }
  if (!integer(stopGracePeriodMs) || stopGracePeriodMs < 0) refuse('Process stopGracePeriodMs must be a non-negative integer.');
  return { maxLogBytes, maxWaitTimeoutMs, defaultWaitTimeoutMs: wait, stopGracePeriodMs };
}

// ---- texts

const streams = ({ stdout, stderr, stdoutTruncated, stderrTruncated }) => [
  stdout && `stdout:\n${stdout.trimEnd()}`,
  stderr && `stderr:\n${stderr.trimEnd()}`,
  (stdoutTruncated || stderrTruncated) && 'output_truncated: true',
];

const paragraphs = parts => parts.filter(Boolean).join('\n\n');

function resultText(result) {
  const { exitCode, timedOut, aborted } = result;
  return paragraphs([`exit_code: ${exitCode}`, timedOut && 'timed_out: true', aborted && 'aborted: true', ...streams(result)]);
}

function processText({ id, status, command, args, exitCode }) {
  const lines = [`process_id: ${id}`, `status: ${status}`, `command: ${[command, ...args].join(' ')}`];
  return [...lines, ...(exitCode === undefined ? [] : [`exit_code: ${exitCode}`])].join('\n');
}

const portText = ({ containerPort, protocol, host, hostPort }, between) => `${containerPort}/${protocol}${between}${host}:${hostPort}`;
const fileText = ({ type, size, path }) => `${type}${size === undefined ? '' : ` ${size}b`}\t${path}`;

// ---- what they take

const command = {
  command: text('Program to run in the workspace of the sandbox; no shell reads it.', { minLength: 1 }),
  args: words('Its arguments, one by one.'),
  cwd: text('Directory to run it in, relative to the workspace.'),
  env: variables('Environment variables for it.'),
};
const file = { path: text('Path of the file, relative to the workspace.', { minLength: 1 }) };
const processId = { processId: text('Identifier of a managed process.', { minLength: 1 }) };

const inputs = {
  exec_command: record(
    {
      ...command,
      timeoutMs: count('Time limit in milliseconds.', LONGEST_MS),
      input: text('Text for its standard input.'),
    },
    ['command'],
  ),
  read_file: record(
    { ...file, startLine: count('First line to read, from 1 on; initially 1.'), lineCount: count('How many lines at most; initially 500.', MOST_LINES) },
    ['path'],
  ),
  write_file: record({ ...file, content: text('The whole new content.') }, ['path', 'content']),
  list_files: record({ path: text('Path of the directory, relative to the workspace; initially the workspace.') }, []),
  list_ports: record({}, []),
  start_process: record(command, ['command']),
  list_processes: record({}, []),
  read_process_logs: record(
    {
      ...processId,
      tailBytes: { type: 'integer', minimum: 0, maximum: MEBIBYTE, description: 'How many bytes from the end of each stream.' },
    },
    ['processId'],
  ),
  stop_process: record(processId, ['processId']),
  wait_for_port: record(
    {
      containerPort: { type: 'integer', minimum: 1, maximum: 65_535, description: 'A published TCP port, by its number inside.' },
      timeoutMs: count('How long to wait, in milliseconds.', LONGEST_MS),
    },
    ['containerPort'],
  ),
};

const descriptions = {
  exec_command: 'Run a command in the workspace of the sandbox. Give arguments in args; there is no shell.',
  read_file: 'Read a page of a text file in the workspace of the sandbox. The next page starts at nextStartLine.',
  write_file: 'Write a text file in the workspace of the sandbox, with the directories that lead to it.',
  list_files: 'List a directory in the workspace of the sandbox.',
  list_ports: 'List the published ports of the sandbox. A server is reached through one when it listens on 0.0.0.0.',
  start_process: 'Start a process that goes on, such as a server. Ask list_ports for its port and listen on 0.0.0.0.',
  list_processes: 'List the managed processes of the sandbox and how they are.',
  read_process_logs: 'Read the latest output of a managed process.',
  stop_process: 'Stop a managed process and all that came of it.',
  wait_for_port: 'Wait until a server listens on a published port.',
};

// ---- what they do

function fileTools(session, options) {
  return {
    async exec_command({ timeoutMs, ...request }) {
      allowCommand(request.command, options.exec);
      const limit = timeoutMs ?? options.exec?.defaultTimeoutMs ?? options.execTimeoutMs;
      if (limit !== undefined) request.timeoutMs = withinLimit('Command timeout', limit, options.exec?.maxTimeoutMs);
      return resultText(await session.exec(request));
    },
    async read_file({ path, startLine = 1, lineCount }) {
      const { maxBytes, maxLineCount, defaultLineCount } = pagePolicy(options.readFile);
      const page = { startLine, lineCount: withinLimit('File read line count', lineCount ?? defaultLineCount, maxLineCount), maxBytes };
      return session.readTextFilePage ? session.readTextFilePage(path, page) : pageOf(await session.readTextFile(path), page);
    },
    async write_file({ path, content }) {
      const limit = options.writeFile?.maxBytes;
      if (limit !== undefined && Buffer.byteLength(content) > limit) throw new SandboxToolPolicyError('File content exceeds sandbox tool policy.');
      await session.writeTextFile(path, content);
      return `Wrote ${path}`;
    },
    async list_files({ path }) {
      return (await session.listFiles(path)).map(fileText).join('\n') || 'No files found.';
    },
  };
}

function portTools(session, policy) {
  return {
    async list_ports() {
      return session.publishedPorts.map(port => portText(port, '\t')).join('\n') || 'No sandbox ports are published.';
    },
    async wait_for_port({ containerPort, timeoutMs = policy.defaultWaitTimeoutMs }) {
      withinLimit('Port wait timeout', timeoutMs, policy.maxWaitTimeoutMs);
      return `ready: ${portText(await session.waitForPort(containerPort, { timeoutMs }), ' -> ')}`;
    },
  };
}

function processTools(session, policy, options) {
  return {
    async start_process(request) {
      allowCommand(request.command, options.exec);
      return processText(await session.startProcess(request));
    },
    async list_processes() {
      return paragraphs((await session.listProcesses()).map(processText)) || 'No managed processes.';
    },
    async read_process_logs({ processId, tailBytes = policy.maxLogBytes }) {
      withinLimit('Process log request', tailBytes, policy.maxLogBytes);
      return paragraphs(streams(await session.readProcessLogs(processId, { tailBytes }))) || 'No process output.';
    },
    async stop_process({ processId }) {
      return processText(await session.stopProcess(processId, { gracePeriodMs: policy.stopGracePeriodMs }));
    },
  };
}

/** A tool as @anvia/core wants one: its definition for the model, and the call, whose input is checked. */
export function makeTool(name, { description, parameters }, execute) {
  const parse = input => parseInput(name, parameters, input ?? {});
  return {
    name,
    definition: () => ({ name, description, parameters: structuredClone(parameters) }),
    call: async (input, context = {}) => execute(parse(input), context),
    parseApprovalArgs: parse,
    parseInput: parse,
  };
}

/** The descriptions and schemas, for those who make tools of another form of them. */
export function toolShape(name) {
  return { description: descriptions[name], parameters: inputs[name] };
}

export function createSandboxTools(session, options = {}) {
  const wanted = new Set(options.allow ?? options.include ?? USUAL);
  const policy = processPolicy(options.process);
  const ports = portTools(session, policy);
  const processes = processTools(session, policy, options);
  const deeds = { ...fileTools(session, options), list_ports: ports.list_ports, ...processes, wait_for_port: ports.wait_for_port };
  const asks = group => Object.keys(group).some(name => wanted.has(name));
  if (asks(ports) && !isSandboxPortSession(session)) {
    throw new SandboxToolPolicyError('The sandbox session does not support published port tools.');
  }
  if (asks(processes) && !isSandboxProcessSession(session)) {
    throw new SandboxToolPolicyError('The sandbox session does not support managed process tools.');
  }
  const chosen = Object.entries(deeds).filter(([name]) => wanted.has(name));
  const tools = chosen.map(([name, execute]) => makeTool(name, toolShape(name), execute));
  for (const tool of tools) Object.defineProperty(tool, METADATA, { value: { session }, enumerable: false });
  return tools;
}
