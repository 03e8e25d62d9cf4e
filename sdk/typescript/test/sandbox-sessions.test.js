// The sandbox interface on real sessions: the cases of the original's integration tests, and what is promised beyond them.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test as plainTest } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Channel } from '../sandbox/src/channel.js';
import { findCoffer, which } from '../sandbox/src/find.js';
import {
  createSandboxTools,
  DockerSandbox,
  DockerSandboxClient,
  SandboxDockerCommandError,
  SandboxDockerUnavailableError,
  SandboxFileSizeError,
  SandboxPathError,
  SandboxSessionDestroyedError,
  SandboxTimeoutError,
} from '../sandbox/src/index.js';

const data = mkdtempSync(join(tmpdir(), 'coffer-sessions-test-'));
process.env.XDG_DATA_HOME = data;
delete process.env.COFFER;

function obstacle() {
  const coffer = findCoffer();
  if (!coffer) return 'no coffer in PATH';
  if (spawnSync(coffer, ['run', '--', 'true']).status !== 0) return 'this machine makes no sandbox: see coffer doctor';
  return spawnSync(coffer, ['channel'], { input: '' }).status === 0 ? false : 'this coffer has no channel';
}

const skip = obstacle();
const test = (name, body) => plainTest(name, { skip, timeout: 60_000 }, body);
const INDEX = new URL('../sandbox/src/index.js', import.meta.url).href;

after(async () => {
  if (!skip) for (const { id } of (await new Channel().request('session.list', {})).sessions) execFileSync(findCoffer(), ['session', 'rm', id]);
  rmSync(data, { recursive: true, force: true });
});

async function withSession(options, body, sandbox = new DockerSandbox()) {
  const session = await sandbox.createSession(options);
  try {
    return await body(session);
  } finally {
    await session.destroy();
  }
}

const js = (session, code, more) => session.exec({ command: 'node', args: ['-e', code], ...more });

/** Whether a process of this machine has the mark on its command line. */
function runs(mark) {
  return readdirSync('/proc').some(pid => {
    try {
      return /^\d+$/.test(pid) && pid !== `${process.pid}` && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
    } catch {
      return false;
    }
  });
}

async function soon(condition, what) {
  for (const end = Date.now() + 10_000; Date.now() < end; await sleep(25)) if (await condition()) return;
  assert.fail(`not within ten seconds: ${what}`);
}

const sessions = async () => (await new Channel().request('session.list', {})).sessions.map(({ id }) => id);

// ---- the original's

test('an ephemeral workspace: commands, files, and nothing afterwards', async () => {
  const manifest = { directories: ['src', 'deep/er'], files: { 'src/index.js': "console.log('hello sandbox')" }, env: { FROM: 'manifest' } };
  let id;
  await withSession({ id: `Eph ${process.pid}`, manifest }, async session => {
    id = session.id;
    assert.ok((await sessions()).includes(id));
    const result = await session.exec({ command: 'node', args: ['src/index.js'] });
    assert.deepEqual([result.exitCode, result.stdout, result.stderr], [0, 'hello sandbox\n', '']);
    assert.ok(result.durationMs >= 0);
    await session.writeTextFile('out/result.txt', 'done');
    assert.equal(await session.readTextFile('out/result.txt'), 'done');
    await session.writeTextFile('out/lines.txt', 'one\ntwo\nthree\nfour\n');
    assert.deepEqual(await session.readTextFilePage('out/lines.txt', { startLine: 2, lineCount: 2, maxBytes: 1024 }), {
      content: 'two\nthree\n',
      startLine: 2,
      endLine: 3,
      nextStartLine: 4,
      truncated: true,
      truncatedBy: 'lines',
    });
    assert.deepEqual(await session.listFiles('out'), [
      { path: 'out/lines.txt', type: 'file', size: 19 },
      { path: 'out/result.txt', type: 'file', size: 4 },
    ]);
    assert.deepEqual((await session.listFiles()).map(({ path, type }) => [path, type]), [['deep', 'directory'], ['out', 'directory'], ['src', 'directory']]); // prettier-ignore
    assert.equal((await session.exec({ command: 'sh', args: ['-c', 'echo $FROM $MORE; pwd'], cwd: 'src', env: { MORE: 'x' } })).stdout, `manifest x\n${session.workdir}/src\n`);
  });
  assert.ok(!(await sessions()).includes(id));
});

test('a command that takes too long is ended with all that came of it, and is no error', async () => {
  await withSession({}, async session => {
    const mark = `coffer-test-late-${process.pid}`;
    const child = `require("child_process").spawn("sh", ["-c", "sleep 600; : ${mark}"], { detached: true, stdio: "inherit" })`;
    const result = await js(session, `${child}; console.log("begun"); setTimeout(() => {}, 60000)`, { timeoutMs: 700 });
    assert.deepEqual([result.timedOut, result.aborted, result.exitCode, result.stdout], [true, false, 124, 'begun\n']);
    await soon(() => !runs(mark), 'the child is gone');
  });
});

test('output comes as it is written; the size of files has a limit', async () => {
  const sandbox = new DockerSandbox({ limits: { maxFileBytes: 4 } });
  await withSession({}, async session => {
    const events = [];
    for await (const event of session.execStream({ command: 'node', args: ['-e', "console.log('one'); console.error('two')"] })) events.push(event);
    assert.equal(events.at(-1).type, 'exit');
    const text = type => events.filter(event => event.type === type).map(event => event.text).join(''); // prettier-ignore
    assert.deepEqual([text('stdout'), text('stderr'), events.at(-1).result.exitCode], ['one\n', 'two\n', 0]);
    await assert.rejects(session.writeTextFile('large.txt', '12345'), { name: 'SandboxFileSizeError', message: 'Sandbox file exceeds maxFileBytes (5 > 4): large.txt' });
    await session.exec({ command: 'sh', args: ['-c', 'printf 123456 > large.txt'] });
    await assert.rejects(session.readFile('large.txt'), error => error instanceof SandboxFileSizeError && /\(6 > 4\): large\.txt$/.test(error.message));
    await session.writeTextFile('small.txt', '1234');
    assert.equal(await session.readTextFile('small.txt'), '1234');
  }, sandbox);
});

test('hooks see what is done, in its order', async () => {
  const events = [];
  const sandbox = new DockerSandbox({
    hooks: {
      onSessionCreate: ({ sessionId }) => void events.push(`create:${sessionId}`),
      onExecStart: ({ command }) => void events.push(`exec:start:${command}`),
      onExecEnd: ({ result }) => void events.push(`exec:end:${result.exitCode}:${result.stdout.trim()}`),
      onFileWrite: ({ path, size }) => void events.push(`write:${path}:${size}`),
      onDestroy: ({ sessionId }) => void events.push(`destroy:${sessionId}`),
    },
  });
  const session = await sandbox.createSession({ id: `hooks-${process.pid}` });
  await session.writeTextFile('out/result.txt', 'ok');
  await session.listFiles('out');
  await js(session, "console.log('hook')");
  await assert.rejects(session.startProcess({ command: ' ' }), /cannot be empty/);
  const managed = await session.startProcess({ command: 'node', args: ['-e', "console.log('managed')"] });
  await soon(async () => (await session.listProcesses())[0].status === 'exited', 'the process has ended');
  assert.equal((await session.readProcessLogs(managed.id)).stdout, 'managed\n');
  await session.destroy();
  await session.destroy();
  assert.deepEqual(events, [
    `create:${session.id}`,
    'write:out/result.txt:2',
    'exec:start:node',
    'exec:end:0:hook',
    'exec:start:node',
    'exec:end:0:managed',
    `destroy:${session.id}`,
  ]);
});

const server = (port, host, says) => `require("http").createServer((_, answer) => answer.end("${says}")).listen(${port}, "${host}", () => console.log("ready"))`;

test('a server behind a published port, and processes that stay', async () => {
  const port = 4310;
  const hooks = [];
  const sandbox = DockerSandbox.node({
    network: { mode: true, allowedDomains: ['example.com'] },
    limits: { timeoutMs: 10_000, maxOutputBytes: 64_000, maxProcesses: 1 },
    hooks: { onExecStart: () => void hooks.push('start'), onExecEnd: () => void hooks.push('end') },
  });
  await withSession({ ports: [port] }, async session => {
    const [published] = session.publishedPorts;
    assert.deepEqual({ ...published, hostPort: 0 }, { containerPort: port, host: '127.0.0.1', hostPort: 0, protocol: 'tcp' });
    const started = await session.startProcess({ command: 'node', args: ['-e', server(port, '0.0.0.0', 'sandbox preview')] });
    assert.equal(started.status, 'running');
    assert.deepEqual(hooks, ['start']);
    assert.deepEqual(await session.waitForPort(port, { timeoutMs: 10_000 }), published);
    assert.equal(await (await fetch(`http://${published.host}:${published.hostPort}`)).text(), 'sandbox preview');
    assert.equal((await session.readProcessLogs(started.id)).stdout, 'ready\n');
    const tail = await session.readProcessLogs(started.id, { tailBytes: 4 });
    assert.deepEqual([tail.stdout, tail.stdoutTruncated, tail.stderrTruncated], ['ady\n', true, false]);
    const nothing = await session.readProcessLogs(started.id, { tailBytes: 0 });
    assert.deepEqual([nothing.stdout, nothing.stdoutTruncated], ['', true]);
    await assert.rejects(session.startProcess({ command: 'sleep', args: ['9'] }), { message: 'Sandbox process limit reached (1 >= 1).' });
    assert.deepEqual(hooks, ['start']);
    const stopped = await session.stopProcess(started.id, { gracePeriodMs: 2000 });
    assert.equal(stopped.status, 'stopped');
    assert.deepEqual(await session.listProcesses(), [stopped]);
    await soon(() => hooks.length === 2, 'onExecEnd');

    const spawning = `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(server(port, '0.0.0.0', 'grandchild'))}], { stdio: "inherit" }); setInterval(() => {}, 1000)`;
    const parent = await session.startProcess({ command: 'node', args: ['-e', spawning] });
    await session.waitForPort(port, { timeoutMs: 10_000 });
    await session.stopProcess(parent.id, { gracePeriodMs: 2000 });
    await assert.rejects(session.waitForPort(port, { timeoutMs: 500, intervalMs: 50 }), error => {
      assert.ok(error instanceof SandboxTimeoutError);
      assert.equal(error.message, `Waiting for sandbox port ${port}/tcp timed out.`);
      return true;
    });

    const inner = await session.startProcess({ command: 'node', args: ['-e', server(port, '127.0.0.1', 'inner')] });
    await assert.rejects(session.waitForPort(port, { timeoutMs: 500, intervalMs: 50 }), /timed out/);
    await session.stopProcess(inner.id, { gracePeriodMs: 2000 });
    await assert.rejects(session.waitForPort(9999), { message: 'Sandbox port is not published: 9999/tcp' });
    await assert.rejects(session.readProcessLogs('777'), { message: 'Unknown sandbox process: 777' });
    const waiting = session.waitForPort(port, { timeoutMs: 10_000, signal: AbortSignal.timeout(50) });
    await assert.rejects(waiting, { name: 'TimeoutError' });
  }, sandbox);
});

test('a session that is not used ends, whatever process runs in it', async () => {
  let ended = 0;
  const sandbox = DockerSandbox.node({ lifecycle: { idleTimeoutMs: 400 }, hooks: { onDestroy: () => void ended++ } });
  await withSession({}, async session => {
    for (let i = 0; i < 5; i++) {
      await sleep(200);
      await session.listFiles();
    }
    await js(session, 'setTimeout(() => {}, 800)');
    await session.startProcess({ command: 'sleep', args: ['600'] });
    await sleep(1000);
    await assert.rejects(session.listProcesses(), { name: 'SandboxSessionDestroyedError', message: `Sandbox session ${session.id} has been destroyed.` });
    assert.equal(ended, 1);
  }, sandbox);
  assert.equal(ended, 1);
});

test('a persistent workspace is found again, until it is removed with its session', async () => {
  const workspace = { mode: 'persistent', id: `Kept ${process.pid}` };
  const sh = async (session, text) => assert.deepEqual((await session.exec({ command: 'sh', args: ['-c', text] })).stderr, '');
  await withSession({ workspace }, async session => {
    await session.writeTextFile('state.txt', 'kept');
    await session.writeTextFile('app/.env', 'A=b');
    await sh(session, 'git init --quiet 2>/dev/null && echo "#!/bin/sh" > .git/hooks/pre-commit && mkdir .vscode && echo {} > .vscode/settings.json');
  });
  await withSession({ workspace: { ...workspace, destroyOnSessionDestroy: true } }, async session => {
    assert.equal(await session.readTextFile('state.txt'), 'kept');
    assert.equal((await session.exec({ command: 'cat', args: ['state.txt', 'app/.env'] })).stdout, 'keptA=b'); // nothing is hidden in a workspace of its own
    await sh(session, 'echo C=d >> app/.env; echo >> .git/hooks/pre-commit; git config a.b c; echo >> .vscode/settings.json; echo > .bashrc'); // or protected
  });
  await withSession({ workspace }, async session => assert.deepEqual(await session.listFiles(), []));
});

// ---- beyond

test('bytes are bytes, small and large, in and out', async () => {
  await withSession({}, async session => {
    const bytes = Uint8Array.from({ length: 8 * 1024 * 1024 }, (_, i) => (i * 2654435761) >>> 13);
    await session.writeFile('deep/large.bin', bytes);
    assert.ok(Buffer.from(await session.readFile('deep/large.bin')).equals(Buffer.from(bytes)));
    const sum = await js(session, 'const c = require("crypto").createHash("sha256"); process.stdin.on("data", d => c.update(d)).on("end", () => console.log(c.digest("hex")))', { input: bytes });
    assert.equal(sum.stdout.trim(), (await import('node:crypto')).createHash('sha256').update(bytes).digest('hex'));
    const all = [];
    const result = await js(session, 'process.stdout.write(Buffer.alloc(3000000, 97))', { onStdout: chunk => all.push(chunk) });
    assert.deepEqual([result.stdout.length, result.stdoutTruncated, result.stderrTruncated], [1024 * 1024, true, false]);
    assert.equal(Buffer.concat(all).length, 3_000_000);
    const quiet = await js(session, 'process.stdout.write(Buffer.alloc(3000000, 97))');
    assert.deepEqual([quiet.stdout.length, quiet.stdoutTruncated], [1024 * 1024, true]);
  });
});

test('an abort and leaving the loop end the command with all that came of it', async () => {
  await withSession({}, async session => {
    const mark = `coffer-test-abort-${process.pid}`;
    const code = `require("child_process").spawn("sh", ["-c", "sleep 600; : ${mark}"]); console.log("on"); setInterval(() => {}, 1000)`;
    const result = await js(session, code, { signal: AbortSignal.timeout(500) });
    assert.deepEqual([result.aborted, result.timedOut], [true, false]);
    for await (const { type } of session.execStream({ command: 'node', args: ['-e', code] })) if (type === 'stdout') break;
    await soon(() => !runs(mark), 'both are gone');
  });
});

test('no shell, no network, no host, no link that leads out', async () => {
  await withSession({}, async session => {
    assert.equal((await session.exec({ command: 'echo', args: ['$HOME', '; id', '"'] })).stdout, '$HOME ; id "\n');
    const nowhere = await session.exec({ command: 'no-such-program' });
    assert.deepEqual([nowhere.exitCode, nowhere.stderr.includes('no-such-program')], [127, true]);
    const noDirectory = await session.exec({ command: 'true', cwd: 'missing' });
    assert.deepEqual([noDirectory.exitCode, /missing: No such file/.test(noDirectory.stderr)], [126, true]);
    assert.notEqual((await js(session, 'require("net").connect(53, "1.1.1.1").on("error", () => process.exit(9))')).exitCode, 0);
    assert.notEqual((await session.exec({ command: 'cat', args: [`${process.cwd()}/package.json`] })).exitCode, 0);
    await session.exec({ command: 'ln', args: ['-s', '/etc/passwd', 'out'] });
    await session.exec({ command: 'ln', args: ['-s', '/tmp', 'away'] });
    await assert.rejects(session.readFile('out'), SandboxPathError);
    await assert.rejects(session.writeTextFile('away/x', ''), SandboxPathError);
    assert.deepEqual((await session.listFiles()).map(({ type }) => type), ['symlink', 'symlink']); // prettier-ignore
    await assert.rejects(session.readFile('missing'), SandboxDockerCommandError);
    await assert.rejects(session.readTextFilePage('missing'), { message: /^Unable to read sandbox text file: missing/ });
    await assert.rejects(session.listFiles('missing'), { message: /^Unable to list sandbox path: missing/ });
  });
});

/** The one `coffer channel` that this process has. */
function channelPid() {
  const [pid] = execFileSync('pgrep', ['-P', `${process.pid}`, '-f', 'coffer channel'], { encoding: 'utf8' }).split('\n');
  return Number(pid);
}

test('when the channel is killed, what was under way fails, and the session goes on with another', async () => {
  await withSession({}, async session => {
    const mark = `coffer-test-killed-${process.pid}`;
    const { id } = await session.startProcess({ command: 'sh', args: ['-c', 'echo on; exec sleep 600'] });
    const under = session.exec({ command: 'sh', args: ['-c', `sleep 600; : ${mark}`] });
    await soon(() => runs(mark), 'the command runs');
    process.kill(channelPid(), 'SIGKILL');
    await assert.rejects(under, error => error instanceof SandboxDockerUnavailableError && /ended \(SIGKILL\)/.test(error.message));
    await soon(() => !runs(mark), 'the command went with the channel');
    assert.equal((await session.exec({ command: 'echo', args: ['still'] })).stdout, 'still\n');
    assert.equal((await session.readProcessLogs(id)).stdout, 'on\n');
    assert.equal((await session.listProcesses())[0].status, 'running');
  });
});

test('thirty-two commands at once', async () => {
  await withSession({}, async session => {
    const all = await Promise.all(Array.from({ length: 32 }, (_, i) => session.exec({ command: 'sh', args: ['-c', `sleep 0.1; echo ${i}`] })));
    assert.deepEqual(all.map(({ stdout }) => stdout), all.map((_, i) => `${i}\n`)); // prettier-ignore
  });
});

test('what the caller does not live to end, the supervisor ends: by ttl, and when nothing is done', async () => {
  const names = ['ttlMs', 'idleTimeoutMs'].map(clock => [clock, `orphan-${clock.toLowerCase()}-${process.pid}`]);
  const program = `
    import { DockerSandbox } from ${JSON.stringify(INDEX)};
    for (const [clock, id] of ${JSON.stringify(names)}) {
      const session = await new DockerSandbox({ lifecycle: { [clock]: 3000 } }).createSession({ id });
      await session.startProcess({ command: 'sh', args: ['-c', 'sleep 600; : ' + id] });
    }
    console.log('made');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise(resolve => child.stdout.once('data', resolve));
  child.kill('SIGKILL');
  const before = await sessions();
  assert.ok(names.every(([, id]) => before.includes(id)));
  for (const [clock, id] of names) {
    await soon(() => !existsSync(join(data, 'coffer/sessions', id)), `the session with ${clock} is gone`); // asking for it might count as use
    await soon(() => !runs(`: ${id}`), 'its process is gone');
  }
});

test('Node ends while a session lives, and another finds it', async () => {
  const make = `
    import { DockerSandboxClient } from ${JSON.stringify(INDEX)};
    const client = new DockerSandboxClient();
    const sandbox = await client.createSandbox({ id: 'found-${process.pid}', image: 'node', workspace: { type: 'ephemeral' }, network: { mode: 'none' }, runtime: { maxFileBytes: 9 } });
    await sandbox.runtime.writeTextFile({ path: 'kept.txt', text: 'here' });
    await sandbox.runtime.startProcess({ command: 'sleep', args: ['600'] });
    await sandbox.stop();`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', make], { timeout: 20_000 });
  const sandbox = await new DockerSandboxClient().resumeSandbox({ id: `found-${process.pid}` });
  assert.deepEqual(await sandbox.runtime.listProcesses(), []);
  assert.equal(await sandbox.runtime.readTextFile({ path: `${sandbox.runtime.workdir}/kept.txt` }), 'here');
  await assert.rejects(sandbox.runtime.writeTextFile({ path: 'a', text: '0123456789' }), { code: 'file_too_large' });
  assert.equal(Buffer.from((await sandbox.runtime.exec({ command: 'cat', args: ['kept.txt'] })).stdout).toString(), 'here');
  await sandbox.destroy();
  assert.equal(sandbox.state, 'destroyed');
});

test('the presets are the host\'s programs, or say what is missing', async () => {
  const says = { node: ['node', ['-p', '6*7']], python: ['python', ['-c', 'print(6*7)']], deno: ['deno', ['eval', 'console.log(6*7)']] };
  for (const [name, [command, args]] of Object.entries(says)) {
    const sandbox = DockerSandbox[name]();
    if (which({ node: 'node', python: 'python3', deno: 'deno' }[name])) {
      await withSession({}, async session => assert.equal((await session.exec({ command, args })).stdout, '42\n'), sandbox);
    } else {
      await assert.rejects(sandbox.createSession(), error => error instanceof SandboxDockerCommandError && /is not in PATH: install it/.test(error.message));
    }
  }
});

test('tools on a session', async () => {
  const sandbox = new DockerSandbox({ network: { mode: true, allowedDomains: ['example.com'] } });
  await withSession({ ports: [4311] }, async session => {
    const include = ['exec_command', 'read_file', 'write_file', 'list_files', 'list_ports', 'start_process', 'list_processes', 'read_process_logs', 'stop_process', 'wait_for_port'];
    const tools = Object.fromEntries(createSandboxTools(session, { include }).map(tool => [tool.name, tool]));
    assert.equal(await tools.write_file.call({ path: 'a.js', content: 'console.log(1)\nconsole.error(2)\n' }), 'Wrote a.js');
    assert.equal(await tools.exec_command.call({ command: 'node', args: ['a.js'] }), 'exit_code: 0\n\nstdout:\n1\n\nstderr:\n2');
    assert.equal((await tools.read_file.call({ path: 'a.js', lineCount: 1 })).content, 'console.log(1)\n');
    assert.equal(await tools.list_files.call({}), 'file 32b\ta.js');
    assert.match(await tools.list_ports.call({}), /^4311\/tcp\t127\.0\.0\.1:\d+$/);
    const id = /^process_id: (\S+)\nstatus: running\ncommand: node -e /.exec(await tools.start_process.call({ command: 'node', args: ['-e', server(4311, '0.0.0.0', 'x')] }))[1];
    assert.match(await tools.wait_for_port.call({ containerPort: 4311 }), /^ready: 4311\/tcp -> 127\.0\.0\.1:\d+$/);
    assert.equal(await tools.read_process_logs.call({ processId: id }), 'stdout:\nready');
    assert.match(await tools.stop_process.call({ processId: id }), new RegExp(`^process_id: ${id}\nstatus: stopped\n`));
    assert.match(await tools.list_processes.call({}), /status: stopped/);
  }, sandbox);
});

test('a session that was removed from outside is a destroyed one', async () => {
  const session = await new DockerSandbox().createSession();
  execFileSync(findCoffer(), ['session', 'rm', session.id]);
  await assert.rejects(session.exec({ command: 'true' }), SandboxSessionDestroyedError);
  await session.destroy();
  assert.ok(!existsSync(join(data, 'coffer/sessions', session.id)));
});
