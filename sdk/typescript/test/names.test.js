// Each name of the declarations is exported, and the other way round.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as sandbox from '../sandbox/src/index.js';
import * as runtime from '../src/index.js';

const declarations = path => readFileSync(new URL(path, import.meta.url), 'utf8');
const text = declarations('../src/index.d.ts');

function same(types, exported) {
  const declared = [...types.matchAll(/^export declare (?:const|function|class) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(declared.sort(), Object.keys(exported).sort());
}

test('the declarations are those of what is exported', () => same(text, runtime));

test("the sandbox interface's too", () => same(declarations('../sandbox/src/index.d.ts'), sandbox));

test("the manager's too", () => {
  const body = /export interface ISandboxManager \{\n([\s\S]*?)\n\}/.exec(text)[1];
  const declared = [...body.matchAll(/^ {2}(?:readonly )?(\w+)/gm)].map(([, name]) => name);
  assert.deepEqual([...new Set(declared)].sort(), Object.keys(runtime.SandboxManager).sort());
});
