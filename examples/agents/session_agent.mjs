// An agent that repairs a small repository in a session: it looks, runs the tests, edits, runs them again and shows what it changed. The model is a list of moves;
// each sees what the tool said last. What it does goes through the tools of createSandboxTools, within their policy.
import { createSandboxTools, DockerSandbox } from '../../sdk/typescript/sandbox/src/index.js';

const repository = {
  'package.json': '{ "name": "roman", "type": "module", "scripts": { "test": "node --test" } }\n',
  'roman.js': `const NUMERALS = [[1000, 'M'], [500, 'D'], [100, 'C'], [50, 'L'], [10, 'X'], [5, 'V'], [1, 'I']];

export function roman(number) {
  let text = '';
  for (const [value, numeral] of NUMERALS) {
    while (number >= value) {
      text += numeral;
      number -= value;
    }
  }
  return text;
}
`,
  'roman.test.js': `import assert from 'node:assert/strict';
import test from 'node:test';
import { roman } from './roman.js';

test('what is added', () => assert.equal(roman(2018), 'MMXVIII'));
test('what is taken away', () => assert.equal(roman(1994), 'MCMXCIV'));
`,
};

const git = (...args) => ['exec_command', { command: 'git', args }];
const runTests = ['exec_command', { command: 'node', args: ['--test'] }];

/** What a model would decide, one move after another. */
const moves = [
  () => ['list_files', {}],
  () => ['read_file', { path: 'roman.js' }],
  () => ['exec_command', { command: 'curl', args: ['https://example.com/roman.js'] }], // not what it may run
  () => runTests,
  said => {
    if (!said.includes('MCMXCIV')) throw new Error('the tests were to fail on 1994');
    return ['read_file', { path: 'roman.js', lineCount: 1 }];
  },
  page => {
    const pairs = { 500: "[900, 'CM'], ", 100: "[400, 'CD'], ", 50: "[90, 'XC'], ", 10: "[40, 'XL'], ", 5: "[9, 'IX'], ", 1: "[4, 'IV'], " };
    const first = page.content.replace(/\[(500|100|50|10|5|1), /g, (pair, value) => pairs[value] + pair);
    return ['write_file', { path: 'roman.js', content: first + repository['roman.js'].split('\n').slice(1).join('\n') }];
  },
  () => runTests,
  () => git('diff', '--stat', '--unified=0', '--patch'),
];

async function turn(tools, move, said) {
  const [name, input] = move(said);
  try {
    return { name, input, said: await tools[name].call(input) };
  } catch (error) {
    return { name, input, said: `${error.name}: ${error.message}` };
  }
}

const sandbox = DockerSandbox.node({ limits: { memoryMb: 1024, timeoutMs: 20_000 }, lifecycle: { ttlMs: 300_000 } });
const session = await sandbox.createSession({ manifest: { files: repository, env: { GIT_AUTHOR_NAME: 'agent', GIT_AUTHOR_EMAIL: 'agent@localhost' } } });
try {
  for (const args of [['init', '--quiet'], ['add', '.'], ['-c', 'user.name=agent', '-c', 'user.email=agent@localhost', 'commit', '--quiet', '-m', 'as it came']]) {
    const { exitCode, stderr } = await session.exec({ command: 'git', args });
    if (exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  }
  const made = createSandboxTools(session, { exec: { allowedCommands: ['node', 'git'], maxTimeoutMs: 20_000 } });
  const tools = Object.fromEntries(made.map(tool => [tool.name, tool]));
  let said;
  for (const move of moves) {
    const done = await turn(tools, move, said);
    said = done.said;
    console.log(`> ${done.name} ${JSON.stringify(done.input).slice(0, 90)}\n${typeof said === 'string' ? said : said.content}\n`);
  }
} finally {
  await session.destroy();
}
