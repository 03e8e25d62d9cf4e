// The ask callback and filterRequest, against the real srt. A parent proxy of ours stands for all hosts.
import assert from 'node:assert/strict';
import { exec } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { SandboxManager } from '../src/index.js';

const cwd = process.cwd();
let top, hosts, seen, asked;

before(async () => {
  hosts = createServer(async (request, answer) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    seen.push({ url: request.url, body: `${Buffer.concat(parts)}`, set: request.headers['x-set'], gone: request.headers['x-gone'] });
    answer.end('reached');
  });
  await new Promise(resolve => hosts.listen(0, '127.0.0.1', resolve));
});
after(() => hosts.close());

beforeEach(() => {
  let place = homedir();
  try {
    accessSync('/srv', constants.W_OK);
    place = '/srv'; // not below /tmp, which is the sandbox's own
  } catch {
    // then there
  }
  top = mkdtempSync(join(place, 'coffer-decider-'));
  process.chdir(top);
  [seen, asked] = [[], []];
});

afterEach(async () => {
  await SandboxManager.reset();
  SandboxManager.getSandboxViolationStore().clear();
  process.chdir(cwd);
  rmSync(top, { recursive: true });
});

const config = network => ({
  network: {
    allowedDomains: ['listed.test'],
    deniedDomains: ['denied.test'],
    allowAllUnixSockets: true,
    parentProxy: { http: `http://127.0.0.1:${hosts.address().port}` },
    ...network,
  },
  filesystem: { denyRead: [], allowWrite: ['.'], denyWrite: [] },
});
const run = command => new Promise(resolve => exec(command, { timeout: 60_000 }, (_, stdout, stderr) => resolve((stdout + stderr).trim())));
const sh = async command => run(await SandboxManager.wrapWithSandbox(command));
const get = (url, more = '') => sh(`curl -sS ${more} ${url}`);
const asks = answer => async params => {
  asked.push(params);
  return typeof answer === 'function' ? answer(params.host) : answer;
};
const filtered = (decide, network) =>
  SandboxManager.initialize(config({ ...network, filterRequest: async (request, info) => (asked.push([request.method, request.url, info.host]), decide(request)) }));

test('hosts on no list are asked about, and no others', async () => {
  await SandboxManager.initialize(config(), asks(host => host === 'yes.test' || { allow: false, reason: 'not\r\nthere' }));
  assert.equal(await get('http://yes.test/'), 'reached');
  assert.match(await get('http://no.test:81/', '-i'), /^HTTP\/1\.1 403 not {2}there/);
  assert.equal(await get('http://listed.test/'), 'reached');
  assert.equal(await get('http://denied.test/'), 'Connection blocked by network allowlist');
  assert.deepEqual(asked, [{ host: 'yes.test', port: 80 }, { host: 'no.test', port: 81 }]);
  assert.deepEqual(seen.map(({ url }) => url), ['http://yes.test/', 'http://listed.test/']);
  assert.deepEqual(
    SandboxManager.getSandboxViolationStore().getViolations().map(({ line }) => line),
    ['deny network-outbound no.test:81 (not  there)', 'deny network-outbound denied.test:80 (COFFER_SRT_SETTINGS /network/deniedDomains/0)'],
  );
});

test('what is no yes is no, and so is an exception', async () => {
  for (const answer of [undefined, 1, 'yes', { allow: 'true' }, { allow: false }]) {
    await SandboxManager.initialize(config(), asks(answer));
    assert.match(await get('http://no.test/', '-i'), /403 user denied/);
    await SandboxManager.reset();
  }
  await SandboxManager.initialize(config(), asks(() => Promise.reject(new Error('no'))));
  assert.match(await get('http://no.test/', '-i'), /403 permission prompt failed/);
  assert.deepEqual(seen, []);
});

test('under strictAllowlist nobody is asked', async () => {
  await SandboxManager.initialize(config({ strictAllowlist: true }), asks(true));
  assert.equal(await get('http://no.test/'), 'Connection blocked by network allowlist');
  assert.deepEqual(asked, []);
});

test('who wraps an argv is asked as well', async () => {
  await SandboxManager.initialize(config(), asks(true));
  const { argv, env } = await SandboxManager.wrapWithSandboxArgv('curl -sS http://yes.test/');
  const said = await new Promise(resolve => exec(argv.map(word => `'${word}'`).join(' '), { env }, (_, stdout) => resolve(stdout)));
  assert.equal(said, 'reached');
  assert.equal(await sh('env | grep -c DECIDER'), '0');
});

test('after reset what runs is refused what would be asked, and what was wrapped is not run', async () => {
  let held;
  const holding = new Promise(resolve => (held = resolve));
  await SandboxManager.initialize(config(), () => (held(), new Promise(() => {})));
  const wrapped = await SandboxManager.wrapWithSandbox('echo ran');
  const running = sh('curl -sS -i http://a.test/; curl -sS -i http://b.test/; curl -sS http://listed.test/');
  await holding;
  await SandboxManager.reset();
  const said = await running;
  assert.equal(said.split('403 permission prompt failed').length, 3, said);
  assert.match(said, /reached$/);
  assert.match(await run(wrapped), /^Error: /);
});

test('nobody asks in the name of a filter', async () => {
  await SandboxManager.initialize(config(), asks(true));
  const { env } = await SandboxManager.wrapWithSandboxArgv('true');
  const folder = dirname(env.COFFER_SRT_OUTCOME);
  assert.deepEqual(readdirSync(folder), ['decider']);
  const frame = object => {
    const data = Buffer.from(JSON.stringify(object));
    return Buffer.concat([Buffer.from([0, 0, data.length >> 8, data.length & 255]), data]);
  };
  const forged = Buffer.concat([frame({ t: 'token', token: '0'.repeat(32) }), frame({ t: 'hello', proto: 1 }), frame({ t: 'ask', id: 1, host: 'x.test', port: 1 })]);
  for (const data of [forged, Buffer.from([255, 255, 255, 255]), frame([]), frame(null)]) {
    const said = await new Promise(resolve => {
      const socket = connect(join(folder, 'decider'), () => socket.write(data));
      const parts = [];
      socket.on('data', part => parts.push(part)).on('error', () => {}).on('close', () => resolve(Buffer.concat(parts)));
    });
    assert.equal(said.length, 0);
  }
  assert.deepEqual(asked, []);
});

test('each request is shown and decided', async () => {
  await filtered(({ url }) => (url.includes('bad') ? { action: 'deny', status: 451, reason: 'not that' } : { action: 'allow' }));
  assert.equal(await get("'http://listed.test/good?a=b'"), 'reached');
  assert.match(await get('http://listed.test/bad', '-i'), /^HTTP\/1\.1 451/);
  assert.equal(await get('http://no.test/'), 'Connection blocked by network allowlist');
  assert.deepEqual(asked, [['GET', 'http://listed.test/good?a=b', 'listed.test'], ['GET', 'http://listed.test/bad', 'listed.test']]);
  assert.equal(seen.length, 1);
});

test('bodies are seen, and headers changed', async () => {
  const decide = async request => ({ action: (await request.text()).includes('secret') ? 'deny' : 'allow', setHeaders: { 'X-Set': 'it' }, removeHeaders: ['X-Gone'] });
  await filtered(decide, { allowPlaintextHeaderSet: true });
  assert.equal(await get('http://listed.test/', "-d plain -H 'X-Gone: 1'"), 'reached');
  assert.equal(await get('http://listed.test/', '-d a-secret'), 'denied by sandbox policy');
  assert.deepEqual(seen, [{ url: 'http://listed.test/', body: 'plain', set: 'it', gone: undefined }]);
});

test('what is no decision is no', async () => {
  for (const answer of [undefined, true, { action: 'Allow' }, { action: 'allow', setHeaders: { host: 'x' } }]) {
    await filtered(() => answer);
    assert.doesNotMatch(await get('http://listed.test/'), /reached/);
    await SandboxManager.reset();
  }
  assert.deepEqual(seen, []);
});
