// The client of 1.0, and its tools.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, mock, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createDockerSandboxTools, DockerSandboxClient, DockerSandboxError } from '../sandbox/src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'coffer-client-test-'));
const log = join(folder, 'log');
const basis = { image: 'node:22-bookworm', workspace: { type: 'ephemeral' }, network: { mode: 'none' } };
const client = new DockerSandboxClient();

before(() => Object.assign(process.env, { COFFER: fileURLToPath(new URL('fake/coffer.mjs', import.meta.url)), FAKE_LOG: log }));
beforeEach(() => rmSync(log, { force: true }));
after(() => rmSync(folder, { recursive: true }));

const wire = method => readFileSync(log, 'utf8').trim().split('\n').map(line => JSON.parse(line)).filter(each => each.method === method).map(({ params }) => params); // prettier-ignore
const coded = (code, pattern = /./) => error => {
  assert.ok(error instanceof DockerSandboxError, error);
  assert.equal(error.code, code);
  assert.match(error.message, pattern);
  return true;
};

test('a sandbox, what it is made of, and its end', async () => {
  const sandbox = await client.createSandbox({ ...basis, id: 'owned', files: { 'a.txt': 'x' }, directories: ['d'], env: { A: 'b' }, labels: { team: 't' } });
  assert.deepEqual([sandbox.id, sandbox.state, sandbox.runtime.provider, sandbox.runtime.workdir], ['owned', 'running', 'docker', '/workspace']);
  const [{ labels, workspace, env, policy }] = wire('session.create');
  assert.deepEqual(labels, {
    team: 't',
    'anvia.sandbox.schema': '1',
    'anvia.sandbox.id': 'owned',
    'anvia.sandbox.workdir': '/workspace',
    'anvia.sandbox.workspace.type': 'ephemeral',
    'anvia.sandbox.network.mode': 'none',
    'anvia.sandbox.runtime.command-timeout-ms': '30000',
    'anvia.sandbox.runtime.max-output-bytes': '1048576',
    'anvia.sandbox.runtime.max-file-bytes': '10485760',
    'anvia.sandbox.runtime.max-processes': '4',
  });
  assert.deepEqual([workspace, env, policy.network.mode], [{ kind: 'ephemeral' }, { HOME: '/tmp', A: 'b' }, 'off']);
  assert.equal(wire('file.mkdir').length + wire('file.write').length, 2);
  await sandbox.destroy();
  await sandbox.destroy();
  assert.equal(sandbox.state, 'destroyed');
  assert.deepEqual(wire('session.remove'), [{ session: 'owned', workspace: true }]);
  await assert.rejects(sandbox.runtime.exec({ command: 'say' }), coded('invalid_state', /destroyed/));
  await assert.rejects(sandbox.stop(), coded('invalid_state'));
});

test('a workspace that is the caller\'s stays; ports', async () => {
  const network = { mode: 'bridge', ports: [4310], allowedDomains: ['example.com'] };
  const sandbox = await client.createSandbox({ ...basis, network, workspace: { type: 'docker-volume', name: 'caller-data' } });
  assert.deepEqual(wire('session.create')[0].workspace, { kind: 'persistent', id: 'caller-data' });
  assert.deepEqual(sandbox.runtime.publishedPorts, [{ containerPort: 4310, host: '127.0.0.1', hostPort: 40_000, protocol: 'tcp' }]);
  await sandbox.destroy();
  assert.equal(wire('session.remove')[0].workspace, false);
});

test('stopped, and found again with its limits', async () => {
  const first = await client.createSandbox({ ...basis, id: 'resumed', runtime: { commandTimeoutMs: 77, maxFileBytes: 3 } });
  await first.stop();
  await first.stop();
  assert.equal(first.state, 'stopped');
  assert.equal(wire('session.pause').length, 1);
  await assert.rejects(first.runtime.exec({ command: 'say' }), coded('invalid_state', /stopped/));
  const second = await new DockerSandboxClient().resumeSandbox({ id: 'resumed' });
  assert.deepEqual(await second.runtime.listProcesses(), []);
  await second.runtime.exec({ command: 'say', args: ['x'] });
  assert.equal(wire('exec')[0].timeout_ms, 77);
  await assert.rejects(second.runtime.writeTextFile({ path: 'a', text: '1234' }), coded('file_too_large', /exceeds maxFileBytes \(4 > 3\): a/));
  await second.destroy();
  await assert.rejects(client.resumeSandbox({ id: 'resumed' }), coded('sandbox_not_found'));
});

test('an id that is taken, and one that is none', async () => {
  const first = await client.createSandbox({ ...basis, id: 'taken' });
  await assert.rejects(client.createSandbox({ ...basis, id: 'taken' }), coded('invalid_state'));
  await first.destroy();
  for (const id of ['', 'A', '-a', 'a'.repeat(64), 7]) await assert.rejects(client.createSandbox({ ...basis, id }), TypeError);
});

test('what cannot be had', async () => {
  await assert.rejects(client.createSandbox({ ...basis, image: 'acme/none' }), coded('image_not_found', /acme\/none/));
  await assert.rejects(client.pullImage({ image: 'acme/none' }), coded('image_not_found'));
  await client.pullImage({ image: 'node:22' });
  await assert.rejects(client.createSandbox({ ...basis, containerRuntime: 'runsc' }), coded('runtime_not_found', /runsc/));
  await assert.rejects(client.createSandbox({ ...basis, security: { addCapabilities: ['SYS_ADMIN'] } }), coded('docker_command_failed'));
  await assert.rejects(client.createSandbox({ ...basis, network: { mode: 'bridge', ports: [0] } }), coded('port'));
  await assert.rejects(client.createSandbox({ ...basis, network: { mode: 'host' } }), TypeError);
  await assert.rejects(client.createSandbox({ ...basis, labels: { 'anvia.sandbox.id': 'x' } }), TypeError);
  await assert.rejects(client.createSandbox({ ...basis, env: { 'A-B': '' } }), TypeError);
  assert.throws(() => new DockerSandboxClient({ dockerPath: '' }), TypeError);
});

test('commands: bytes, a status, a signal', async () => {
  const sandbox = await client.createSandbox(basis);
  const { runtime } = sandbox;
  const done = await runtime.exec({ command: 'say', args: ['hi'] });
  assert.deepEqual([done.status, done.exitCode, Buffer.from(done.stdout).toString()], ['exited', 0, 'hi']);
  assert.ok(done.stdout instanceof Uint8Array);
  const late = await runtime.exec({ command: 'late' });
  assert.deepEqual([late.status, 'exitCode' in late], ['timed_out', false]);
  await assert.rejects(runtime.exec({ command: 'hang', abortSignal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
  await assert.rejects(runtime.exec({ command: 'say', cwd: '/etc' }), coded('invalid_path'));
  await assert.rejects(runtime.exec({ command: 'say', cwd: '../x' }), coded('invalid_path', /cannot leave the workspace/));
  await runtime.exec({ command: 'say', args: ['x'], cwd: '/workspace/src' });
  assert.equal(wire('exec').at(-1).cwd, 'src');
  await sandbox.destroy();
});

test('streams: data, the result, and the end of those who do not read', async () => {
  const sandbox = await client.createSandbox({ ...basis, runtime: { maxOutputBytes: 20_000 } });
  const events = [];
  for await (const event of sandbox.runtime.execStream({ command: 'say', args: ['hi'] })) events.push(event.type);
  assert.deepEqual(events, ['stdout', 'result']);
  const slow = sandbox.runtime.execStream({ command: 'pour' });
  await assert.rejects(
    async () => {
      for await (const event of slow) await new Promise(resolve => setTimeout(resolve, event.type === 'stdout' ? 50 : 0));
    },
    coded('docker_command_failed', /^Sandbox stream consumer is too slow\.$/),
  );
  await sandbox.destroy();
});

test('the end of a sandbox is the end of what is under way', async () => {
  const sandbox = await client.createSandbox(basis);
  const hanging = sandbox.runtime.exec({ command: 'hang' });
  const refused = assert.rejects(hanging, coded('invalid_state', /^Sandbox is being destroyed\.$/));
  await new Promise(resolve => setTimeout(resolve, 30));
  await sandbox.destroy();
  await refused;
});

test('an inspector looks and changes nothing', async () => {
  const sandbox = await client.createSandbox(basis);
  const inspector = sandbox.inspector({ files: true, ports: true });
  assert.deepEqual(Object.keys(inspector), ['id', 'provider', 'workdir', 'listFiles', 'readFile', 'publishedPorts']);
  assert.throws(() => sandbox.inspector({}), TypeError);
  await sandbox.destroy();
});

// ---- tools

const bytes = text => new TextEncoder().encode(text);
const port = { containerPort: 5173, host: '127.0.0.1', hostPort: 49_152, protocol: 'tcp' };

function fakeRuntime() {
  const info = { id: 'p', command: 'node', args: [], status: 'running', startedAt: 't' };
  return {
    publishedPorts: [port],
    exec: mock.fn(async () => ({ status: 'exited', exitCode: 0, stdout: bytes('ü'), stderr: bytes(''), durationMs: 1, stdoutTruncated: false, stderrTruncated: false })),
    readTextFilePage: mock.fn(async () => ({ content: '' })),
    writeTextFile: mock.fn(async () => {}),
    listFiles: mock.fn(async () => []),
    startProcess: mock.fn(async () => info),
    listProcesses: mock.fn(async () => [info]),
    readProcessLogs: mock.fn(async () => ({ stdout: bytes('log'), stderr: bytes(''), stdoutTruncated: false, stderrTruncated: true })),
    stopProcess: mock.fn(async () => info),
    waitForPort: mock.fn(async () => port),
  };
}

const NAMES = ['wait_for_port', 'exec_command', 'read_file', 'write_file', 'list_files', 'list_ports', 'start_process', 'list_processes', 'read_process_logs', 'stop_process']; // prettier-ignore
const made = (sandbox, more) => Object.fromEntries(createDockerSandboxTools({ sandbox, tools: NAMES, ...more }).map(tool => [tool.name, tool]));

test('tools give objects', async () => {
  const runtime = fakeRuntime();
  const tools = made(runtime);
  assert.deepEqual(Object.keys(tools), NAMES);
  const { stdout, status } = await tools.exec_command.call({ command: 'node' });
  assert.deepEqual([stdout, status], ['ü', 'exited']);
  assert.deepEqual(await tools.write_file.call({ path: 'a', content: 'ü' }), { path: 'a', bytesWritten: 2 });
  assert.deepEqual(await tools.list_files.call({}), { path: '.', entries: [] });
  assert.deepEqual(await tools.list_ports.call({}), { ports: [port] });
  assert.deepEqual(await tools.wait_for_port.call({ containerPort: 5173 }), { port });
  assert.equal(runtime.waitForPort.mock.calls[0].arguments[0].timeoutMs, 30_000);
  assert.equal((await tools.list_processes.call({})).processes[0].id, 'p');
  assert.deepEqual(await tools.read_process_logs.call({ processId: 'p' }), { processId: 'p', stdout: 'log', stderr: '', stdoutTruncated: false, stderrTruncated: true });
  runtime.exec.mock.mockImplementation(async () => ({ stdout: new Uint8Array([255]), stderr: bytes('') }));
  await assert.rejects(tools.exec_command.call({ command: 'node' }), TypeError);
});

test('their policies', async () => {
  const refused = (promise, message) => assert.rejects(promise, coded('tool_policy', message));
  const allow = made(fakeRuntime(), { exec: { commands: { mode: 'allow', values: ['node'] }, maxTimeoutMs: 10 }, readFile: { maxLineCount: 5 }, writeFile: { maxBytes: 1 } });
  await refused(allow.exec_command.call({ command: 'sh' }), /^Command is rejected by sandbox tool policy: sh$/);
  await refused(allow.exec_command.call({ command: 'node', timeoutMs: 11 }), /^Command timeout exceeds policy \(11 > 10\)\.$/);
  await refused(allow.read_file.call({ path: 'a', lineCount: 6 }), /^File read line count exceeds policy \(6 > 5\)\.$/);
  await refused(allow.write_file.call({ path: 'a', content: 'ü' }), /^File content exceeds policy \(2 > 1\)\.$/);
  const block = made(fakeRuntime(), { exec: { commands: { mode: 'block', values: ['rm'] } } });
  await refused(block.start_process.call({ command: 'rm' }), /rejected/);
  await block.start_process.call({ command: 'node' });
  const faults = [
    [{ exec: { commands: { mode: 'x', values: [] } } }, /mode allow or block/],
    [{ exec: { commands: { mode: 'allow', values: ['a', 'a'] } } }, /duplicate: a/],
    [{ exec: { defaultTimeoutMs: 2, maxTimeoutMs: 1 } }, /exec\.defaultTimeoutMs cannot exceed exec\.maxTimeoutMs/],
    [{ process: { maxLogBytes: 1024 * 1024 + 1 } }, /process\.maxLogBytes cannot exceed 1048576/],
    [{ readFile: { maxBytes: 0 } }, /readFile\.maxBytes must be a positive safe integer/],
  ];
  for (const [options, message] of faults) assert.throws(() => made(fakeRuntime(), options), coded('tool_policy', message));
  for (const tools of [[], ['no_such'], ['read_file', 'read_file']]) assert.throws(() => createDockerSandboxTools({ sandbox: fakeRuntime(), tools }), TypeError);
  assert.throws(() => createDockerSandboxTools({ sandbox: {}, tools: ['read_file'] }), TypeError);
});
