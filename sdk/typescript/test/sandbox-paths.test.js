import assert from 'node:assert/strict';
import test from 'node:test';
import { SandboxError, SandboxPathError } from '../sandbox/src/errors.js';
import { engineName } from '../sandbox/src/engine.js';
import { insidePath, resourceName, workspacePath } from '../sandbox/src/paths.js';

const refused = (path, message, options) => {
  assert.throws(() => workspacePath(path, options), error => {
    assert.ok(error instanceof SandboxPathError && error instanceof SandboxError);
    assert.equal(error.name, 'SandboxPathError');
    assert.equal(error.message, message);
    return true;
  });
};

test('paths come out in their normal form', () => {
  assert.equal(workspacePath('src/../index.ts'), 'index.ts');
  assert.equal(workspacePath('nested\\file.txt'), 'nested/file.txt');
  assert.equal(workspacePath('./a//b/'), 'a/b');
  assert.equal(workspacePath('..a/...'), '..a/...');
});

test('the workspace itself is a path where it may be one', () => {
  for (const path of ['.', './', 'a/..']) {
    assert.equal(workspacePath(path, { allowRoot: true }), '.');
    refused(path, 'Sandbox path must refer to a file or directory inside the workspace.');
  }
  assert.equal(insidePath('/workspace', '.'), '/workspace');
  assert.equal(insidePath('/workspace', 'a/b.txt'), '/workspace/a/b.txt');
});

test('what would lead out is refused, with the words of the original', () => {
  refused('', 'Sandbox path cannot be empty.');
  refused('bad\0path', 'Sandbox path cannot contain null bytes.');
  refused('/etc/passwd', 'Sandbox path must be relative: /etc/passwd');
  refused('\\etc\\passwd', 'Sandbox path must be relative: \\etc\\passwd');
  for (const path of ['../secret', 'safe/../../secret', '..', '../', '..\\x']) refused(path, `Sandbox path cannot leave the workspace: ${path}`);
});

test('with a workdir, absolute paths within it are taken', () => {
  const workdir = '/workspace';
  assert.equal(workspacePath('/workspace/src/index.ts', { workdir }), 'src/index.ts');
  assert.equal(workspacePath('/workspace', { workdir, allowRoot: true }), '.');
  refused('/workspace-other/secret', 'Sandbox path cannot leave the workspace: /workspace-other/secret', { workdir });
  refused('/workspace/../etc', 'Sandbox path cannot leave the workspace: /workspace/../etc', { workdir });
});

test('names of sessions and workspaces', () => {
  assert.equal(resourceName('My Session!'), 'my-session');
  assert.equal(resourceName('--user-1_2.3--'), 'user-1_2.3');
  assert.equal(resourceName('äöü'), '');
  assert.equal(engineName('user-1'), 'user-1');
  const long = 'x'.repeat(80);
  assert.match(engineName(long), /^[a-z0-9][a-z0-9_.-]{0,62}$/);
  assert.notEqual(engineName(long), engineName(`${long}y`));
  assert.match(engineName('.hidden'), /^s-\.hidden-/);
});
