// createSandboxTools on sessions that only note what they are asked.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { createSandboxTools, SandboxToolInputError, SandboxToolPolicyError } from '../sandbox/src/index.js';

const result = { stdout: 'ok\n', stderr: '', exitCode: 0, durationMs: 10, timedOut: false, aborted: false, stdoutTruncated: false, stderrTruncated: false };
const port = { containerPort: 5173, host: '127.0.0.1', hostPort: 49_152, protocol: 'tcp' };
const running = { id: 'process_1', command: 'pnpm', args: ['dev'], status: 'running', startedAt: '2026-07-15T00:00:00.000Z' };

function plain() {
  return {
    exec: mock.fn(async () => result),
    readTextFile: mock.fn(async () => 'one\ntwo\nthree\nfour\n'),
    writeTextFile: mock.fn(async () => {}),
    listFiles: mock.fn(async () => [{ path: 'a.txt', type: 'file', size: 12 }]),
  };
}

const paged = () => ({ ...plain(), readTextFilePage: mock.fn(async (path, page) => ({ path, ...page })) });

function managed() {
  return {
    ...paged(),
    publishedPorts: [port],
    waitForPort: mock.fn(async () => port),
    startProcess: mock.fn(async () => running),
    listProcesses: mock.fn(async () => [running, { ...running, id: 'process_2', status: 'exited', exitCode: 3 }]),
    readProcessLogs: mock.fn(async () => ({ stdout: 'ready\n', stderr: '', stdoutTruncated: false, stderrTruncated: false })),
    stopProcess: mock.fn(async () => ({ ...running, status: 'stopped', exitCode: 143 })),
  };
}

const EVERY = [
  'exec_command', 'read_file', 'write_file', 'list_files', 'list_ports', 'start_process', 'list_processes', 'read_process_logs', 'stop_process',
  'wait_for_port',
]; // prettier-ignore
const named = (session, options) => Object.fromEntries(createSandboxTools(session, options).map(tool => [tool.name, tool]));
const asked = method => method.mock.calls.at(-1).arguments;
const refusal = message => ({ name: 'SandboxToolPolicyError', message });

test('four tools unless others are named, ten in all, in one order', () => {
  assert.deepEqual(Object.keys(named(plain())), EVERY.slice(0, 4));
  assert.deepEqual(Object.keys(named(plain(), { include: ['read_file'] })), ['read_file']);
  assert.deepEqual(Object.keys(named(plain(), { allow: ['list_files'], include: ['read_file'] })), ['list_files']);
  assert.deepEqual(Object.keys(named(managed(), { include: [...EVERY].reverse() })), EVERY);
});

test('each tool says what it is and takes', () => {
  for (const tool of createSandboxTools(managed(), { include: EVERY })) {
    const { name, description, parameters } = tool.definition('');
    assert.equal(name, tool.name);
    assert.ok(description.length > 10);
    assert.equal(parameters.type, 'object');
    assert.equal(parameters.additionalProperties, false);
  }
  const { parameters } = named(plain()).exec_command.definition('');
  assert.deepEqual(parameters.required, ['command']);
  assert.deepEqual(Object.keys(parameters.properties), ['command', 'args', 'cwd', 'env', 'timeoutMs', 'input']);
  assert.equal(parameters.properties.timeoutMs.maximum, 300_000);
});

test('whose session it is stands in a hidden member', () => {
  const session = plain();
  const [tool] = createSandboxTools(session);
  const member = Object.getOwnPropertyDescriptor(tool, Symbol.for('anvia.sandbox.tool.metadata'));
  assert.deepEqual([member.value.session, member.enumerable], [session, false]);
});

test('exec_command hands on what it is given, and tells the result', async () => {
  const session = plain();
  const { exec_command } = named(session, { execTimeoutMs: 1234 });
  const output = await exec_command.call({ command: 'node', args: ['index.js'], cwd: 'src', input: 'hello', invented: 1 });
  assert.deepEqual(asked(session.exec), [{ command: 'node', args: ['index.js'], cwd: 'src', timeoutMs: 1234, input: 'hello' }]);
  assert.equal(output, 'exit_code: 0\n\nstdout:\nok');
  await exec_command.call({ command: 'node', timeoutMs: 5 });
  assert.deepEqual(asked(session.exec), [{ command: 'node', timeoutMs: 5 }]);
  await named(session).exec_command.call({ command: 'true' });
  assert.deepEqual(asked(session.exec), [{ command: 'true' }]);
  await named(session, { exec: { defaultTimeoutMs: 7 }, execTimeoutMs: 8 }).exec_command.call({ command: 'true' });
  assert.deepEqual(asked(session.exec), [{ command: 'true', timeoutMs: 7 }]);
});

test('all that a result can say', async () => {
  const session = plain();
  session.exec = async () => ({ ...result, exitCode: 124, timedOut: true, aborted: true, stdout: 'a\n\n', stderr: ' b ', stderrTruncated: true });
  assert.equal(
    await named(session).exec_command.call({ command: 'x' }),
    'exit_code: 124\n\ntimed_out: true\n\naborted: true\n\nstdout:\na\n\nstderr:\n b\n\noutput_truncated: true',
  );
});

test('commands are allowed and blocked by their exact name, blocked first', async () => {
  const { exec_command } = named(plain(), { exec: { allowedCommands: ['node', 'rm'], blockedCommands: ['rm'], maxTimeoutMs: 1000 } });
  await assert.rejects(exec_command.call({ command: 'python' }), refusal('Command is not allowed by sandbox tool policy: python'));
  await assert.rejects(exec_command.call({ command: 'rm' }), refusal('Command is blocked by sandbox tool policy: rm'));
  await assert.rejects(exec_command.call({ command: 'node', timeoutMs: 2000 }), refusal('Command timeout exceeds sandbox tool policy (2000 > 1000).'));
  await exec_command.call({ command: 'node', timeoutMs: 1000 });
});

test('reading goes by pages, within the policy', async () => {
  const session = paged();
  await named(session, { readFile: { maxBytes: 4 } }).read_file.call({ path: 'a.txt' });
  assert.deepEqual(asked(session.readTextFilePage), ['a.txt', { startLine: 1, lineCount: 500, maxBytes: 4 }]);
  await named(session).read_file.call({ path: 'a.txt', startLine: 6, lineCount: 10 });
  assert.deepEqual(asked(session.readTextFilePage), ['a.txt', { startLine: 6, lineCount: 10, maxBytes: 65_536 }]);
  const { read_file } = named(session, { readFile: { defaultLineCount: 20, maxLineCount: 50 } });
  await read_file.call({ path: 'a.txt' });
  assert.equal(asked(session.readTextFilePage)[1].lineCount, 20);
  await assert.rejects(read_file.call({ path: 'a', lineCount: 51 }), refusal('File read line count exceeds sandbox tool policy (51 > 50).'));
});

test('a session that has no pages is read whole and cut here', async () => {
  assert.deepEqual(await named(plain()).read_file.call({ path: 'a.txt', startLine: 2, lineCount: 2 }), {
    content: 'two\nthree\n',
    startLine: 2,
    endLine: 3,
    nextStartLine: 4,
    truncated: true,
    truncatedBy: 'lines',
  });
});

test('limits of reading that are none', async () => {
  const faults = {
    'File defaultLineCount must be a positive integer.': { defaultLineCount: 0 },
    'File maxLineCount must be a positive integer no greater than 10000.': { maxLineCount: 10_001 },
    'File defaultLineCount exceeds maxLineCount (9 > 8).': { defaultLineCount: 9, maxLineCount: 8 },
    'File maxBytes must be a positive integer no greater than 1048576.': { maxBytes: 1024 * 1024 + 1 },
  };
  for (const [message, readFile] of Object.entries(faults)) {
    await assert.rejects(named(paged(), { readFile }).read_file.call({ path: 'a' }), refusal(message));
  }
});

test('writing and listing', async () => {
  const session = paged();
  const { write_file, list_files } = named(session, { writeFile: { maxBytes: 4 } });
  assert.equal(await write_file.call({ path: 'a.txt', content: 'äb' }), 'Wrote a.txt');
  assert.deepEqual(asked(session.writeTextFile), ['a.txt', 'äb']);
  await assert.rejects(write_file.call({ path: 'a.txt', content: 'äöü' }), refusal('File content exceeds sandbox tool policy.'));
  assert.equal(await list_files.call({ path: '.' }), 'file 12b\ta.txt');
  assert.deepEqual(asked(session.listFiles), ['.']);
  session.listFiles.mock.mockImplementation(async () => [{ path: 'b', type: 'other' }, { path: 'c', type: 'directory', size: 0 }]);
  assert.equal(await list_files.call({}), 'other\tb\ndirectory 0b\tc');
  session.listFiles.mock.mockImplementation(async () => []);
  assert.equal(await list_files.call(), 'No files found.');
});

test('ports and processes', async () => {
  const session = managed();
  const policy = { maxLogBytes: 1024, defaultWaitTimeoutMs: 1234, stopGracePeriodMs: 250 };
  const tools = named(session, { include: EVERY, exec: { allowedCommands: ['pnpm'] }, process: policy });
  assert.equal(await tools.list_ports.call({}), '5173/tcp\t127.0.0.1:49152');
  assert.equal(await tools.start_process.call({ command: 'pnpm', args: ['dev'], cwd: 'site' }), 'process_id: process_1\nstatus: running\ncommand: pnpm dev');
  assert.deepEqual(asked(session.startProcess), [{ command: 'pnpm', args: ['dev'], cwd: 'site' }]);
  const [first, second] = (await tools.list_processes.call({})).split('\n\n');
  assert.equal(first, 'process_id: process_1\nstatus: running\ncommand: pnpm dev');
  assert.equal(second, 'process_id: process_2\nstatus: exited\ncommand: pnpm dev\nexit_code: 3');
  assert.equal(await tools.read_process_logs.call({ processId: 'process_1', tailBytes: 512 }), 'stdout:\nready');
  assert.deepEqual(asked(session.readProcessLogs), ['process_1', { tailBytes: 512 }]);
  await tools.read_process_logs.call({ processId: 'process_1' });
  assert.deepEqual(asked(session.readProcessLogs), ['process_1', { tailBytes: 1024 }]);
  assert.match(await tools.stop_process.call({ processId: 'process_1' }), /status: stopped\n.*\nexit_code: 143$/);
  assert.deepEqual(asked(session.stopProcess), ['process_1', { gracePeriodMs: 250 }]);
  assert.equal(await tools.wait_for_port.call({ containerPort: 5173 }), 'ready: 5173/tcp -> 127.0.0.1:49152');
  assert.deepEqual(asked(session.waitForPort), [5173, { timeoutMs: 1234 }]);
});

test('nothing to tell is told', async () => {
  const session = managed();
  session.publishedPorts = [];
  session.listProcesses = async () => [];
  session.readProcessLogs = async () => ({ stdout: '', stderr: '', stdoutTruncated: false, stderrTruncated: false });
  const tools = named(session, { include: EVERY });
  assert.equal(await tools.list_ports.call({}), 'No sandbox ports are published.');
  assert.equal(await tools.list_processes.call({}), 'No managed processes.');
  assert.equal(await tools.read_process_logs.call({ processId: 'p' }), 'No process output.');
});

test('the policies of processes', async () => {
  const tools = named(managed(), { include: EVERY, exec: { allowedCommands: ['node'] }, process: { maxLogBytes: 128, maxWaitTimeoutMs: 500 } });
  await assert.rejects(tools.start_process.call({ command: 'pnpm' }), refusal('Command is not allowed by sandbox tool policy: pnpm'));
  await assert.rejects(
    tools.read_process_logs.call({ processId: 'p', tailBytes: 129 }),
    refusal('Process log request exceeds sandbox tool policy (129 > 128).'),
  );
  await assert.rejects(
    tools.wait_for_port.call({ containerPort: 5173, timeoutMs: 501 }),
    refusal('Port wait timeout exceeds sandbox tool policy (501 > 500).'),
  );
  const faults = {
    'Process maxLogBytes must be an integer from 0 to 1048576.': { maxLogBytes: -1 },
    'Process maxWaitTimeoutMs must be an integer from 1 to 300000.': { maxWaitTimeoutMs: 300_001 },
    'Process defaultWaitTimeoutMs must be positive and no greater than maxWaitTimeoutMs.': { defaultWaitTimeoutMs: 9, maxWaitTimeoutMs: 8 },
    'Process stopGracePeriodMs must be a non-negative integer.': { stopGracePeriodMs: 0.5 },
  };
  for (const [message, process] of Object.entries(faults)) {
    assert.throws(() => named(managed(), { include: ['stop_process'], process }), refusal(message));
  }
});

test('a session that cannot do it gets no such tool', () => {
  for (const name of ['start_process', 'list_processes', 'read_process_logs', 'stop_process']) {
    assert.throws(() => named(plain(), { include: [name] }), refusal('The sandbox session does not support managed process tools.'));
  }
  for (const name of ['list_ports', 'wait_for_port']) {
    assert.throws(() => named(plain(), { include: [name] }), refusal('The sandbox session does not support published port tools.'));
  }
  assert.throws(() => named(plain(), { include: ['list_ports'] }), SandboxToolPolicyError);
});

test('input that the schema does not allow is refused with its place', async () => {
  const tools = named(managed(), { include: EVERY });
  const faults = [
    ['exec_command', {}, 'exec_command: command: is required'],
    ['exec_command', { command: '' }, 'exec_command: command: must not be empty'],
    ['exec_command', { command: 'x', args: ['a', 1] }, 'exec_command: args.1: expected string'],
    ['exec_command', { command: 'x', env: { A: 1 } }, 'exec_command: env.A: expected string'],
    ['exec_command', { command: 'x', timeoutMs: 300_001 }, 'exec_command: timeoutMs: must be from 1 to 300000'],
    ['read_file', { path: 'a', lineCount: 0 }, 'read_file: lineCount: must be from 1 to 10000'],
    ['read_file', { path: 'a', startLine: 1.5 }, 'read_file: startLine: expected integer'],
    ['wait_for_port', { containerPort: 65_536 }, 'wait_for_port: containerPort: must be from 1 to 65535'],
    ['read_process_logs', { processId: 'p', tailBytes: -1 }, 'read_process_logs: tailBytes: must be from 0 to 1048576'],
    ['list_files', 'src', 'list_files: input: expected object'],
  ];
  for (const [name, input, message] of faults) {
    await assert.rejects(tools[name].call(input), error => error instanceof SandboxToolInputError && error.message === message && error.issues.length === 1);
  }
});
