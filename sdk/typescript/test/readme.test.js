// The README's code for sessions runs, one block after the other, as it stands there, and its types are right.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findCoffer, which } from '../sandbox/src/find.js';
import * as sandboxPackage from '../sandbox/src/index.js';

const data = mkdtempSync(join(tmpdir(), 'coffer-readme-test-'));
process.env.XDG_DATA_HOME = data;
delete process.env.COFFER;
after(() => rmSync(data, { recursive: true, force: true }));

const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8').split('# Sessions and tools')[1];
const blocks = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code.replace(/^import \{.*\n\n?/gm, ''));
const coffer = findCoffer();
const skip = !coffer ? 'no coffer in PATH' : spawnSync(coffer, ['channel'], { input: '' }).status !== 0 ? 'this coffer has no channel' : false;
const Block = Object.getPrototypeOf(async () => {}).constructor;

test('each block of the README runs', { skip, timeout: 60_000 }, async () => {
  assert.ok(blocks.length >= 8);
  const { DockerSandbox, createSandboxTools, createDockerSandboxTools, DockerSandboxClient } = sandboxPackage;
  const names = { DockerSandbox, createSandboxTools, createDockerSandboxTools, DockerSandboxClient };
  Object.assign(names, { abortController: new AbortController(), uint8Array: new Uint8Array([0, 255]), userId: '123', console: { log() {} } });
  names.process = { stdout: { write() {} } };
  names.sandbox = new DockerSandbox();
  names.session = await names.sandbox.createSession();
  for (const code of blocks) {
    const own = /const (session|sandbox) = /.exec(code)?.[1];
    const made = await new Block(...Object.keys(names), `{\n${code}\nreturn ${own ?? 'undefined'};\n}`)(...Object.values(names));
    if (own === 'session' && !code.includes('destroy')) names.session = (await names.session.destroy(), made);
    if (own === 'sandbox' && !code.includes('createSession')) names.sandbox = new DockerSandbox(); // its image may not be there: that of the default is
  }
  assert.equal(await names.session.readTextFile('a.txt'), 'written by an agent');
  await names.session.destroy();
});

test('each block has the right types', { skip: !which('tsc') && 'no tsc', timeout: 60_000 }, () => {
  const known = `import { createDockerSandboxTools, createSandboxTools, DockerSandbox, DockerSandboxClient, Sandbox, type DockerSandboxSession } from '@coffer/sandbox';
    declare const process: any, userId: string, uint8Array: Uint8Array, abortController: AbortController, sandbox: Sandbox, session: DockerSandboxSession;
    export { createDockerSandboxTools, createSandboxTools, DockerSandboxClient };\n`;
  const bodies = blocks.map((code, i) => `export async function block${i}() {\n${code}\n}\n`);
  const wrong = 'export async function wrong() {\n  // @ts-expect-error\n  await session.exec({ command: 1 });\n}\n';
  writeFileSync(join(data, 'blocks.ts'), known + bodies.join('') + wrong);
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: 'es2022',
    lib: ['es2022', 'dom'],
    module: 'es2022',
    moduleResolution: 'node',
    types: [],
    baseUrl: '.',
    paths: { '@coffer/sandbox': [fileURLToPath(new URL('../sandbox/src/index.d.ts', import.meta.url))] },
  };
  writeFileSync(join(data, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['blocks.ts'] }));
  const { status, stdout } = spawnSync('tsc', ['-p', data], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});
