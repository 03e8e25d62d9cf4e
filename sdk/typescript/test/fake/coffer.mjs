#!/usr/bin/env node
// Speaks docs/PROTOCOL.md as far as the tests of the package need it, makes no sandbox, and notes each request in FAKE_LOG. What a command does is in
// its name: `say TEXT`, `hang` (until it is cancelled), `pour` (30,000 bytes, then hang), `soon` (after 20 ms), `late`, `die`, `babble` (no JSON).
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const running = new Set();
function write(message) {
  if (message.result || message.error) running.delete(message.id);
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
const base64 = text => Buffer.from(text).toString('base64');
const hanging = new Map();
const sessions = new Map();
const inputs = new Map();

function outcome(more) {
  return {
    exit_code: 0, signal: null, cause: 'exit', message: null, duration_ms: 3, timed_out: false, aborted: false, stdout_bytes: 0, stderr_bytes: 0,
    stdout_truncated: false, stderr_truncated: false, denials: [], ...more,
  }; // prettier-ignore
}

const commands = {
  say(id, [text]) {
    write({ id, event: 'stdout', data: base64(text) });
    write({ id, result: outcome({}) });
  },
  hang(id) {
    const timer = setTimeout(() => {}, 60_000);
    hanging.set(id, () => {
      clearTimeout(timer);
      write({ id, result: outcome({ exit_code: 137, aborted: true, cause: 'cancelled' }) });
    });
  },
  die() {
    process.stderr.write('out of luck\n');
    process.exitCode = 3;
    setTimeout(() => process.exit(), 20);
  },
  pour(id) {
    for (let i = 0; i < 100; i++) write({ id, event: 'stdout', data: base64('x'.repeat(300)) });
    commands.hang(id);
  },
  soon: id => setTimeout(write, 20, { id, result: outcome({}) }),
  late: id => write({ id, result: outcome({ exit_code: 124, timed_out: true, cause: 'timeout' }) }),
  babble() {
    process.stdout.write('no JSON\n');
  },
  input(id, args, params) {
    if (params.stream_input) inputs.set(id, []);
    else write({ id, result: outcome({ exit_code: Buffer.from(params.input ?? '', 'base64').length % 256 }) });
  },
};

const failure = (id, code, text, errno = 0) => write({ id, error: { code, errno, where: '', text } });

const methods = {
  'session.create'(id, params) {
    if (sessions.has(params.id)) return failure(id, 'busy', `session ${params.id}: there is one of this name already`, 17);
    if (params.labels?.refuse) return failure(id, 'policy', params.labels.refuse);
    const ports = (params.ports ?? []).map(port => ({ port, host: '127.0.0.1', host_port: 40_000, protocol: 'tcp' }));
    const { labels, metadata, workspace } = params;
    sessions.set(params.id, { id: params.id, state: 'running', workdir: '/real', labels, metadata, workspace, ports });
    write({ id, result: sessions.get(params.id) });
  },
  'session.info'(id, { session }) {
    if (!sessions.has(session)) return failure(id, 'notfound', `session ${session}: there is none`);
    write({ id, result: sessions.get(session) });
  },
  'session.remove'(id, { session }) {
    sessions.delete(session);
    write({ id, result: {} });
  },
  'session.open': (id, params) => methods['session.info'](id, params),
  'session.pause': id => write({ id, result: {} }),
  'session.resume': id => write({ id, result: {} }),
  'process.list': id => write({ id, result: { processes: [] } }),
  'file.page'(id, { path }) {
    failure(id, path === 'link' ? 'denied' : 'notfound', `${path}: no such file`, 2);
  },
  'file.mkdir': id => write({ id, result: {} }),
  'file.write': id => write({ id, result: { bytes: 0 } }),
  exec(id, params) {
    if (!sessions.has(params.session)) return failure(id, 'notfound', `session ${params.session}: there is none`);
    write({ id, event: 'started' });
    const [name, ...args] = params.argv;
    commands[name](id, args, params);
  },
  'exec.input'(id, { id: of, data, end }) {
    inputs.get(of).push(Buffer.from(data, 'base64'));
    write({ id, result: {} });
    if (end) write({ id: of, result: outcome({ exit_code: 7, message: `${Buffer.concat(inputs.get(of)).length} bytes` }) });
  },
  cancel(id, { id: of }) {
    write({ id, result: { found: hanging.has(of) } });
    hanging.get(of)?.();
    hanging.delete(of);
  },
};

if (process.argv[2] !== 'channel') throw new Error(`not "coffer channel" but ${process.argv.slice(2)}`);
const limits = { line_bytes: 4096, running: 128, input_bytes: 1024, data_bytes: 512, result_bytes: 65_536 };
if (process.env.FAKE_SILENT) setInterval(() => {}, 60_000);
else write({ event: 'hello', protocol: 'coffer-channel', version: Number(process.env.FAKE_VERSION ?? 1), coffer: '0.1.0', methods: Object.keys(methods), limits });
createInterface({ input: process.stdin })
  .on('line', line => {
    const { id, method, params } = JSON.parse(line);
    if (process.env.FAKE_LOG) appendFileSync(process.env.FAKE_LOG, `${JSON.stringify({ method, params, pid: process.pid })}\n`);
    if (running.size >= limits.running) return failure(id, 'limit', `${running.size} run already`);
    running.add(id);
    if (methods[method]) methods[method](id, params ?? {});
    else failure(id, 'usage', `no method ${method}`);
  })
  .on('close', () => process.exit());
