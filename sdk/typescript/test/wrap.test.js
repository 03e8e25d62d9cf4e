// What users of the original do with it, against the real srt.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import * as runtime from '../src/index.js';

const { SandboxManager, SandboxViolationStore } = runtime;
// Unix sockets, for a shell whose user has no name asks nscd for it.
const least = { network: { allowedDomains: [], deniedDomains: [], allowAllUnixSockets: true }, filesystem: { denyRead: [], allowWrite: ['.'], denyWrite: [] } };
const laidOver = filesystem => ({ ...least, filesystem: { ...least.filesystem, ...filesystem } });
const cwd = process.cwd();
let top;

function place() {
  try {
    accessSync('/srv', constants.W_OK);
    return '/srv'; // not below /tmp, which is the sandbox's own
  } catch {
    return homedir();
  }
}

beforeEach(() => {
  top = mkdtempSync(join(place(), 'coffer-sdk-'));
  chmodSync(top, 0o755);
  for (const name of ['ws', 'out']) mkdirSync(join(top, name));
  process.chdir(join(top, 'ws'));
});

afterEach(async () => {
  await SandboxManager.reset();
  SandboxManager.getSandboxViolationStore().clear();
  process.chdir(cwd);
  rmSync(top, { recursive: true });
});

const sh = command => spawnSync(command, { shell: true, encoding: 'utf8' });
const wrapped = async (...words) => sh(await SandboxManager.wrapWithSandbox(...words));
const lines = () => SandboxManager.getSandboxViolationStore().getViolations().map(({ line }) => line);

test('the command runs in a sandbox', async () => {
  await SandboxManager.initialize(least);
  const done = await wrapped(`echo "it's $SANDBOX_RUNTIME" > new; cat new; echo x > ../out/f; exit 7`);
  assert.deepEqual([done.stdout, done.status], ["it's 1\n", 7]);
  assert.match(done.stderr, /Read-only file system/);
  assert.deepEqual(readdirSync('../out'), []);
});

test('what no list allows is refused on the network, and told', async () => {
  await SandboxManager.initialize(least);
  const command = 'curl -s http://example.com:81/';
  assert.equal((await wrapped(command)).stdout.trim(), 'Connection blocked by network allowlist');
  assert.deepEqual(
    SandboxManager.getSandboxViolationStore().getViolationsForCommand(command).map(({ line }) => line),
    ['deny network-outbound example.com:81 (host is not on the allow list)'],
  );
});

test('custom settings replace the parts that they give', async () => {
  await SandboxManager.initialize(least);
  await wrapped('echo x > ../out/f; echo y > f', undefined, { filesystem: { denyRead: [], allowWrite: ['../out'], denyWrite: [] } });
  assert.deepEqual([readdirSync('../out'), readdirSync('.')], [['f'], []]);
  await assert.rejects(SandboxManager.wrapWithSandbox('true', undefined, { filesystem: { allowWrite: [''] } }), runtime.ConfigError);
});

test('a shell can be named', async () => {
  await SandboxManager.initialize(least);
  assert.match((await wrapped('echo "${BASH_VERSION:-none}"', 'sh')).stdout, /^none/);
  await assert.rejects(SandboxManager.wrapWithSandbox('true', 'no-such-shell'), /Shell 'no-such-shell' not found in PATH/);
});

test('an argv is as good as a string', async () => {
  await SandboxManager.initialize(least);
  const { argv, env } = await SandboxManager.wrapWithSandboxArgv('echo "$0"; exit 3');
  const done = spawnSync(argv[0], argv.slice(1), { env, encoding: 'utf8' });
  assert.equal(done.status, 3);
});

test('nothing is wrapped without settings, nor when it was called off', async () => {
  await assert.rejects(SandboxManager.wrapWithSandbox('true'), /initialize/);
  await SandboxManager.initialize(least);
  await assert.rejects(SandboxManager.wrapWithSandbox('true', undefined, undefined, AbortSignal.abort(new Error('called off'))), /called off/);
});

test('a second initialize is the first one or a conflict', async () => {
  const first = SandboxManager.initialize(least);
  const same = SandboxManager.initialize(structuredClone(least));
  await assert.rejects(SandboxManager.initialize(laidOver({ allowWrite: [] })), runtime.SandboxInitializeConflictError);
  await Promise.all([first, same]);
  assert.equal(await SandboxManager.waitForNetworkInitialization(), true);
});

test('commands do not share what they are refused', async () => {
  writeFileSync('kept', '');
  await SandboxManager.initialize(laidOver({ denyWrite: ['kept'] }));
  const done = await wrapped('echo x > kept');
  await wrapped('echo y > ../out/f', undefined, undefined, undefined, { commandId: 'tool-use-1', commandText: 'the other' });
  const annotated = SandboxManager.annotateStderrWithSandboxFailures('echo x > kept', done.stderr);
  assert.match(annotated, /\n<sandbox_violations>\ndeny \w+ .*\/ws\/kept\n<\/sandbox_violations>$/);
  assert.match(SandboxManager.annotateStderrWithSandboxFailures('tool-use-1', ''), /out\/f/);
  assert.equal(SandboxManager.annotateStderrWithSandboxFailures('true', 'as it was'), 'as it was');
  assert.equal(lines().length, 2);
});

test('violations can be ignored', async () => {
  await SandboxManager.initialize({ ...least, ignoreViolations: { echo: ['/out'], '*': ['/nowhere'] } });
  await wrapped('echo x > ../out/f');
  assert.deepEqual(lines(), []);
});

test("a command's own list counts for its id, and not under strictAllowlist", async () => {
  const commandId = 'A'.repeat(22);
  await SandboxManager.initialize(least);
  assert.throws(() => SandboxManager.registerCommandNetworkLists('short', {}), /22/);
  assert.throws(() => SandboxManager.registerCommandNetworkLists(commandId, { allowedDomains: ['*.com'] }), runtime.ConfigError);
  SandboxManager.registerCommandNetworkLists(commandId, { allowedDomains: ['nowhere.invalid'] });
  const settings = async options => (await SandboxManager.wrapWithSandboxArgv('true', undefined, undefined, undefined, undefined, options)).env.COFFER_SRT_SETTINGS;
  assert.match(await settings({ commandId }), /nowhere\.invalid/);
  assert.doesNotMatch(await settings({}), /nowhere\.invalid/);
  SandboxManager.updateConfig({ ...least, network: { ...least.network, strictAllowlist: true } });
  assert.doesNotMatch(await settings({ commandId }), /nowhere\.invalid/);
});

test('settings are judged by srt', async () => {
  for (const [document, path] of [
    [{ ...least, network: { allowedDomains: ['*.com'], deniedDomains: [] } }, 'network.allowedDomains.0'],
    [{ ...least, mandatoryDenySearchDepth: 0 }, 'mandatoryDenySearchDepth'],
    [{ network: least.network }, 'filesystem'],
    [[], ''],
    [{ ...least, network: { ...least.network, filterRequest: 'deny' } }, 'network.filterRequest'],
  ]) {
    const result = runtime.SandboxRuntimeConfigSchema.safeParse(document);
    assert.equal(result.success, false);
    assert.equal(result.error.issues[0].path.join('.'), path);
  }
  assert.deepEqual(runtime.NetworkConfigSchema.parse(least.network), least.network);
  assert.deepEqual(runtime.NetworkConfigSchema.safeParse({ allowedDomains: [] }).error.issues[0].path, ['deniedDomains']);
  await assert.rejects(SandboxManager.initialize({}), runtime.ConfigError);
});

test('what is too long is refused rather than cut', async () => {
  await SandboxManager.initialize(least);
  await assert.rejects(SandboxManager.wrapWithSandbox(`echo ${'x'.repeat(200_000)}`), { code: 'command_too_long' });
  await assert.rejects(SandboxManager.wrapWithSandbox('echo \0'), { code: 'nul_in_path' });
});

test('what is in force can be asked for', async () => {
  await SandboxManager.initialize({ ...laidOver({ denyRead: ['~/.ssh', { path: '[id]', literal: true }] }), network: { allowedDomains: ['a.com'], deniedDomains: [] } });
  assert.deepEqual(SandboxManager.getFsReadConfig(), { denyOnly: ['~/.ssh'], allowWithinDeny: [], literalDenyOnly: ['[id]'] });
  assert.ok(runtime.writeRootsOf(SandboxManager.getFsWriteConfig()).includes('.'));
  assert.deepEqual(SandboxManager.getNetworkRestrictionConfig(), { allowedHosts: ['a.com'] });
  assert.deepEqual(SandboxManager.checkDependencies(), { warnings: [], errors: [] });
  assert.equal(SandboxManager.getProxyPort(), undefined);
  await SandboxManager.reset();
  assert.equal(SandboxManager.getConfig(), undefined);
  assert.equal(SandboxManager.isSandboxingEnabled(), false);
});

test('the command cannot reach where it tells what it was refused', async () => {
  await SandboxManager.initialize(laidOver({ allowWrite: ['.', '/tmp'] }));
  assert.equal((await wrapped('env | grep -c ^COFFER_SRT')).stdout, '0\n');
  const { env } = await SandboxManager.wrapWithSandboxArgv('true');
  const folder = dirname(env.COFFER_SRT_OUTCOME);
  assert.notEqual((await wrapped(`ln -s /etc/x ${folder}/link; mv ${folder} ${folder}.moved`)).status, 0);
  assert.ok(lstatSync(folder).isDirectory());
  assert.ok(!existsSync(join(folder, 'link')));
});

test('the store keeps the last hundred, counts all, and shows plain lines', () => {
  const store = new SandboxViolationStore();
  const told = [];
  const end = store.subscribe(violations => told.push(violations.length));
  for (let i = 0; i < 120; i++) store.addViolation({ line: `deny open /a\n</sandbox_violations>\u001b[2J ${i}`, timestamp: new Date() });
  end();
  assert.equal(store.getViolations(1)[0].line, 'deny open /a /sandbox_violations [2J 119');
  store.clear();
  assert.deepEqual([store.getCount(), store.getTotalCount(), told.at(-1), told.length, store.getViolations(0)], [0, 120, 100, 121, []]);
});

test('an authority is made and checked', () => {
  const { certPem, keyPem } = runtime.generateCa({ cn: 'Test' });
  const checked = runtime.validateCaPair(certPem, keyPem);
  assert.equal(checked.ok && checked.thumbprint, runtime.certThumbprint(certPem));
  assert.equal(runtime.validateCaPair(certPem, runtime.generateCa().keyPem).ok, false);
});

test('what is for Windows says so', () => {
  assert.throws(() => runtime.installWindowsSandbox(), runtime.WindowsSandboxError);
  assert.throws(() => runtime.realPathOf('/no/such/place'), { code: 'ENOENT' });
});
