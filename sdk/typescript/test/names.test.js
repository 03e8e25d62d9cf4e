// Each name of the declarations is exported, and the other way round.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as runtime from '../src/index.js';

const text = readFileSync(new URL('../src/index.d.ts', import.meta.url), 'utf8');

test('the declarations are those of what is exported', () => {
  const declared = [...text.matchAll(/^export declare (?:const|function|class) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(declared.sort(), Object.keys(runtime).sort());
});

test("the manager's too", () => {
  const body = /export interface ISandboxManager \{\n([\s\S]*?)\n\}/.exec(text)[1];
  const declared = [...body.matchAll(/^ {2}(?:readonly )?(\w+)/gm)].map(([, name]) => name);
  assert.deepEqual([...new Set(declared)].sort(), Object.keys(runtime.SandboxManager).sort());
});
