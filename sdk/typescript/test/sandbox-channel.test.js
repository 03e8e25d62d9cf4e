// The transport, and what options become on the wire, against a program that speaks the protocol and makes no sandbox.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Channel } from '../sandbox/src/channel.js';
import {
  DockerSandbox,
  SandboxDockerCommandError,
  SandboxDockerUnavailableError,
  SandboxPathError,
  SandboxSessionDestroyedError,
} from '../sandbox/src/index.js';

const FAKE = fileURLToPath(new URL('fake/coffer.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'coffer-channel-test-'));
const log = join(folder, 'log');
const image = 'node:22-bookworm';

before(() => Object.assign(process.env, { COFFER: FAKE, FAKE_LOG: log }));
beforeEach(() => rmSync(log, { force: true }));
after(() => rmSync(folder, { recursive: true }));

const requests = method => readFileSync(log, 'utf8').trim().split('\n').map(line => JSON.parse(line)).filter(each => each.method === method); // prettier-ignore
const wire = method => requests(method).map(({ params }) => params);

test('a session of nothing but defaults', async () => {
  const session = await new DockerSandbox().createSession();
  assert.deepEqual([session.provider, session.workdir, session.publishedPorts], ['docker', '/workspace', []]);
  const [{ id, policy, workspace, labels, env, ttl_ms, idle_ms }] = wire('session.create');
  assert.equal(id, session.id);
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.equal(policy.network.mode, 'off');
  assert.deepEqual(policy.limits, {});
  assert.deepEqual(workspace, { kind: 'ephemeral' });
  assert.deepEqual([ttl_ms, idle_ms], [undefined, undefined]);
  assert.deepEqual(labels, {
    'anvia.sandbox': 'true',
    'anvia.sandbox.workspace.mode': 'ephemeral',
    'anvia.sandbox.workspace.volume': `anvia-sandbox-${id}-workspace`,
  });
  assert.deepEqual(env, { HOME: '/tmp' });
  await session.destroy();
  assert.deepEqual(wire('session.remove'), [{ session: id, workspace: true }]);
});

test('every option has its place', async () => {
  const session = await new DockerSandbox({
    image,
    pull: 'never',
    workdir: '/srv/w',
    lifecycle: { ttlMs: 60_000, idleTimeoutMs: 30_000 },
    network: { mode: true, allowedDomains: ['example.com'] },
    labels: { team: 'a' },
    limits: { memoryMb: 512, cpus: 1.5, pidsLimit: 100, timeoutMs: 9000, maxOutputBytes: 77 },
    dockerPath: '/usr/bin/docker',
  }).createSession({
    id: 'My Session!',
    workspace: { mode: 'persistent', id: 'User 7' },
    metadata: { userId: '123' },
    ports: [3000],
    manifest: { directories: ['src'], files: { 'src/a.js': 'x', 'b.bin': new Uint8Array([1, 2]) }, env: { KEY: 'v' } },
  });
  const [{ policy, ...params }] = wire('session.create');
  assert.deepEqual(policy.limits, { memory: '512M', cpus: 1.5, processes: 102 });
  assert.equal(policy.network.mode, 'filtered');
  assert.equal(policy.workspace.alias, '/srv/w');
  assert.equal(session.workdir, '/srv/w');
  assert.deepEqual(policy.network.allowedDomains, ['example.com']);
  assert.equal(session.id, 'my-session');
  assert.deepEqual(
    [params.id, params.workspace, params.metadata, params.ports, params.ttl_ms, params.idle_ms, params.env],
    ['my-session', { kind: 'persistent', id: 'user-7' }, { userId: '123' }, [3000], 60_000, 30_000, { HOME: '/tmp', KEY: 'v' }],
  );
  assert.deepEqual(params.labels, {
    'anvia.sandbox': 'true',
    'anvia.sandbox.workspace.mode': 'persistent',
    'anvia.sandbox.workspace.volume': 'anvia-sandbox-user-7-workspace',
    team: 'a',
    'anvia.sandbox.metadata.userId': '123',
  });
  assert.deepEqual(session.publishedPorts, [{ containerPort: 3000, host: '127.0.0.1', hostPort: 40_000, protocol: 'tcp' }]);
  assert.deepEqual(wire('file.mkdir').map(({ path }) => path), ['src']); // prettier-ignore
  assert.deepEqual(wire('file.write').map(({ path, data }) => [path, data]), [['src/a.js', 'eA=='], ['b.bin', 'AQI=']]); // prettier-ignore
  await session.exec({ command: 'say', args: ['hi'], cwd: './src/', env: { A: 'b' } });
  await session.exec({ command: 'say', args: ['hi'], timeoutMs: 5 });
  const [first, second] = wire('exec');
  assert.deepEqual(first, {
    session: 'my-session',
    argv: ['say', 'hi'],
    cwd: 'src',
    env: { PWD: '/srv/w/src', A: 'b' },
    timeout_ms: 9000,
    max_output_bytes: 77,
  });
  assert.equal(second.timeout_ms, 5);
  await session.destroy();
  assert.deepEqual(wire('session.remove'), [{ session: 'my-session', workspace: false }]);
});

test('no auto-destroy means no clock anywhere', async () => {
  const session = await new DockerSandbox({ lifecycle: { ttlMs: 1, idleTimeoutMs: 1, autoDestroy: false } }).createSession();
  await new Promise(resolve => setTimeout(resolve, 30));
  const [{ ttl_ms, idle_ms }] = wire('session.create');
  assert.deepEqual([ttl_ms, idle_ms], [undefined, undefined]);
  assert.equal((await session.exec({ command: 'say', args: ['on'] })).stdout, 'on');
  await session.destroy();
});

test('networks', async () => {
  const modes = [[false, 'off'], ['none', 'off'], ['host', 'host'], [{ mode: 'host' }, 'host'], [{ mode: false }, 'off'], [true, 'filtered'], ['bridge', 'filtered']]; // prettier-ignore
  for (const [network, mode] of modes) {
    const session = await new DockerSandbox({ network }).createSession();
    assert.equal(wire('session.create').at(-1).policy.network.mode, mode);
    await session.destroy();
  }
  await assert.rejects(new DockerSandbox({ network: 'backend' }).createSession(), error => {
    assert.ok(error instanceof SandboxDockerCommandError);
    assert.match(error.message, /there is no network "backend"/);
    return true;
  });
});

test('ports that cannot be published are refused before anything is made', async () => {
  const rejects = (network, ports, message) => assert.rejects(new DockerSandbox({ network }).createSession({ ports }), { name: 'SandboxPortError', message });
  for (const network of [false, undefined, 'none', 'host', { mode: 'host' }, 'container:another']) {
    await rejects(network, [5173], 'Published sandbox ports require network: true or a bridge-capable Docker network.');
  }
  for (const port of [0, 65_536, 1.5, '80']) await rejects(true, [port], `Sandbox port must be an integer from 1 to 65535: ${port}`);
  await rejects(true, [5173, 5173], 'Sandbox port is duplicated: 5173');
  assert.throws(() => requests('session.create'), { code: 'ENOENT' });
});

test('an image stands for programs of the host, or is not there', async () => {
  const refused = async (reference, pattern) => {
    for (const pull of ['missing', 'always', 'never']) {
      await assert.rejects(new DockerSandbox({ image: reference, pull }).createSession(), error => {
        assert.ok(error instanceof SandboxDockerCommandError);
        assert.match(error.message, /^Docker command failed: docker pull /);
        assert.match(error.result.stderr, pattern);
        assert.equal(error.result.exitCode, 1);
        return true;
      });
    }
  };
  await refused('acme/unheard-of:7', /COFFER_IMAGES/);
  process.env.COFFER_IMAGES = '{"acme/unheard-of": ["no-such-program"], "acme/known": ["node"]}';
  await refused('registry.example:5000/acme/unheard-of:7', /no-such-program is not in PATH/);
  for (const reference of ['acme/known:latest', 'docker.io/library/debian:12', 'node@sha256:00', 'alpine']) {
    await (await new DockerSandbox({ image: reference }).createSession()).destroy();
  }
  delete process.env.COFFER_IMAGES;
  assert.throws(() => new DockerSandbox({ pull: 'sometimes' }), SandboxDockerCommandError);
});

test('only the caller can be the user', async () => {
  await (await new DockerSandbox({ user: `${process.getuid()}:${process.getgid()}` }).createSession()).destroy();
  await assert.rejects(new DockerSandbox({ user: 'somebody' }).createSession(), /not as "somebody": leave it out/);
});

test('a session that is refused or taken', async () => {
  await assert.rejects(new DockerSandbox({ labels: { refuse: 'because' } }).createSession({ id: 'r' }), {
    name: 'SandboxDockerCommandError',
    message: 'Docker command failed: coffer session create r: because',
  });
  const first = await new DockerSandbox().createSession({ id: 'twice' });
  await assert.rejects(new DockerSandbox().createSession({ id: 'twice' }), /there is one of this name already/);
  await first.destroy();
});

test('hooks are called in order and waited for, with what happened', async () => {
  const seen = [];
  const later = () => new Promise(resolve => setTimeout(resolve, 5));
  const hook = name => async event => {
    await later();
    seen.push([name, event]);
  };
  const hooks = Object.fromEntries(['onSessionCreate', 'onExecStart', 'onExecEnd', 'onFileWrite', 'onDestroy'].map(name => [name, hook(name)]));
  const session = await new DockerSandbox({ hooks }).createSession({ id: 'hooked', manifest: { files: { 'a/b.txt': 'ä' } } });
  await session.exec({ command: 'say', args: ['x'], cwd: 'a' });
  await session.destroy();
  await session.destroy();
  const about = { sessionId: 'hooked', provider: 'docker', workdir: '/workspace' };
  assert.deepEqual(seen.map(([name]) => name), ['onFileWrite', 'onSessionCreate', 'onExecStart', 'onExecEnd', 'onDestroy']); // prettier-ignore
  assert.deepEqual(seen[0][1], { ...about, path: 'a/b.txt', size: 2 });
  assert.deepEqual(seen[1][1], about);
  assert.deepEqual(seen[2][1], { ...about, command: 'say', args: ['x'], cwd: 'a' });
  assert.equal(seen[3][1].result.stdout, 'x');
  assert.deepEqual(seen[4][1], about);
});

test('what a hook throws is what the caller gets; a session that could not be made is taken away', async () => {
  const failing = name => new DockerSandbox({ hooks: { [name]: () => { throw new Error(`no ${name}`); } } }); // prettier-ignore
  await assert.rejects(failing('onSessionCreate').createSession({ id: 'half' }), /no onSessionCreate/);
  assert.deepEqual(wire('session.remove').map(({ session }) => session), ['half']); // prettier-ignore
  await assert.rejects(failing('onFileWrite').createSession({ id: 'half', manifest: { files: { a: '' } } }), /no onFileWrite/);
  for (const name of ['onExecStart', 'onExecEnd']) {
    const session = await failing(name).createSession();
    await assert.rejects(session.exec({ command: 'say', args: ['x'] }), new RegExp(`no ${name}`));
    await session.destroy();
  }
  const session = await failing('onDestroy').createSession();
  await assert.rejects(session.destroy(), /no onDestroy/);
  await session.destroy();
});

test('paths and commands are judged before the engine is asked', async () => {
  const session = await new DockerSandbox().createSession();
  await assert.rejects(session.exec({ command: 'say', cwd: '../x' }), SandboxPathError);
  await assert.rejects(session.exec({ command: ' ' }), { message: 'Sandbox command cannot be empty.' });
  await assert.rejects(session.readFile('/etc/passwd'), { message: 'Sandbox path must be relative: /etc/passwd' });
  await assert.rejects(session.writeTextFile('.', ''), SandboxPathError);
  await assert.rejects(session.listFiles('..'), SandboxPathError);
  await assert.rejects(session.startProcess({ command: ' ' }), { message: 'Sandbox process command cannot be empty.' });
  await assert.rejects(session.waitForPort(9), { message: 'Sandbox port is not published: 9/tcp' });
  assert.equal(requests('exec').length + requests('file.read').length, 0);
  await session.destroy();
});

test('after its end every call says so', async () => {
  const session = await new DockerSandbox().createSession({ id: 'gone' });
  await session.destroy();
  const message = 'Sandbox session gone has been destroyed.';
  const calls = [() => session.exec({ command: 'x' }), () => session.readFile('a'), () => session.listProcesses(), () => session.waitForPort(1)];
  for (const call of calls) await assert.rejects(call(), { name: 'SandboxSessionDestroyedError', message });
});

test('a session that ended behind our back is a destroyed one', async () => {
  const session = await new DockerSandbox().createSession({ id: 'expired' });
  const other = await new DockerSandbox().createSession({ id: 'other' });
  await new Channel().request('session.remove', { session: 'expired' });
  await assert.rejects(session.exec({ command: 'say' }), SandboxSessionDestroyedError);
  await other.destroy();
});

test('an abort ends the command, and is no error', async () => {
  const session = await new DockerSandbox().createSession();
  const result = await session.exec({ command: 'hang', signal: AbortSignal.timeout(30) });
  assert.deepEqual([result.aborted, result.timedOut, result.exitCode], [true, false, 137]);
  const before = await session.exec({ command: 'hang', signal: AbortSignal.abort() });
  assert.deepEqual([before.aborted, before.exitCode], [true, 1]);
  await session.destroy();
});

test('more input than a line holds goes in pieces', async () => {
  const session = await new DockerSandbox().createSession();
  assert.equal((await session.exec({ command: 'input', input: 'x'.repeat(100) })).exitCode, 100);
  const { exitCode, stderr } = await session.exec({ command: 'input', input: new Uint8Array(5000) });
  assert.deepEqual([exitCode, stderr], [7, '5000 bytes\n']);
  assert.equal(requests('exec.input').length, 5);
  await session.destroy();
});

test('leaving the loop ends the command', async () => {
  const session = await new DockerSandbox().createSession();
  for await (const event of session.execStream({ command: 'say', args: ['a'] })) if (event.type === 'stdout') break;
  const events = [];
  const stream = session.execStream({ command: 'hang', signal: AbortSignal.timeout(30) });
  for await (const event of stream) events.push(event);
  assert.deepEqual(events.map(({ type, result }) => [type, result?.aborted]), [['exit', true]]); // prettier-ignore
  await assert.rejects(session.execStream({ command: '' }).next(), SandboxDockerCommandError);
  await session.destroy();
});

test('one process serves all, also many at once; when it dies, what is under way fails, and the next call has another', async () => {
  const session = await new DockerSandbox().createSession({ id: 'first' });
  const results = await Promise.all(Array.from({ length: 50 }, (_, i) => session.exec({ command: 'say', args: [`${i}`] })));
  assert.deepEqual(results.map(({ stdout }) => stdout), results.map((_, i) => `${i}`)); // prettier-ignore
  const many = await Promise.all(Array.from({ length: 400 }, () => session.exec({ command: 'soon' }))); // more than may run at once
  assert.ok(many.every(({ exitCode }) => exitCode === 0));
  const hanging = session.exec({ command: 'hang' });
  const failed = error => {
    assert.ok(error instanceof SandboxDockerUnavailableError);
    assert.match(error.message, /^coffer's channel ended \(status 3\): out of luck\. What was under way in it has failed\.$/);
    return true;
  };
  await Promise.all([assert.rejects(hanging, failed), assert.rejects(session.exec({ command: 'die' }), failed)]);
  const second = await new DockerSandbox().createSession({ id: 'second' });
  assert.equal((await second.exec({ command: 'say', args: ['again'] })).stdout, 'again');
  assert.equal(new Set(requests('session.create').map(({ pid }) => pid)).size, 2);
  await assert.rejects(second.exec({ command: 'babble' }), /speaks something else than the protocol/);
});

test('no coffer, one that cannot run, one of another time', async () => {
  const refused = async (environment, pattern) => {
    const before = { ...process.env };
    Object.assign(process.env, environment);
    await assert.rejects(new DockerSandbox().createSession(), error => error instanceof SandboxDockerUnavailableError && pattern.test(error.message));
    for (const name of Object.keys(environment)) before[name] === undefined ? delete process.env[name] : (process.env[name] = before[name]);
  };
  await refused({ COFFER: '/nonexistent/coffer' }, /^Docker CLI was not found\..*COFFER names \/nonexistent\/coffer/);
  await refused({ COFFER: '', PATH: `${folder}:${join(process.execPath, '..')}` }, /^Docker CLI was not found\..*is not in PATH/);
  symlinkSync(FAKE, join(folder, 'other'));
  await refused({ COFFER: join(folder, 'other'), FAKE_VERSION: '2' }, /^coffer's channel speaks coffer-channel 2, and this package coffer-channel 1:/);
  await refused({ COFFER: '/bin/false' }, /^coffer's channel ended \(status 1\)/);
});

test('Node ends when nothing is under way, and not before', async () => {
  const program = url => `
    import { DockerSandbox } from ${JSON.stringify(url)};
    const session = await new DockerSandbox({ lifecycle: { ttlMs: 60000, idleTimeoutMs: 60000 } }).createSession();
    session.exec({ command: 'say', args: ['told'] }).then(({ stdout }) => console.log(stdout));`;
  const url = new URL('../sandbox/src/index.js', import.meta.url).href;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program(url)], { timeout: 10_000 });
  assert.equal(stdout, 'told\n');
});
