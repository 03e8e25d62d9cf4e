import assert from 'node:assert/strict';
import test from 'node:test';
import { pageOf, pageOptions } from '../sandbox/src/page.js';

const page = (text, startLine, lineCount, maxBytes) => pageOf(text, { startLine, lineCount, maxBytes });

test('a page of lines says where the next one begins', () => {
  assert.deepEqual(page('one\ntwo\nthree\nfour\n', 2, 2, 1024), {
    content: 'two\nthree\n',
    startLine: 2,
    endLine: 3,
    nextStartLine: 4,
    truncated: true,
    truncatedBy: 'lines',
  });
});

test('beyond the end there is nothing', () => {
  const nothing = { content: '', startLine: 10, endLine: null, nextStartLine: null, truncated: false, truncatedBy: null };
  assert.deepEqual(page('one\ntwo\n', 10, 2, 1024), nothing);
  assert.deepEqual(page('', 10, 2, 1024), nothing);
});

test('a page that is too long is cut before the character that does not fit', () => {
  assert.deepEqual(page('abc😀def\nnext\n', 1, 2, 6), {
    content: 'abc',
    startLine: 1,
    endLine: 1,
    nextStartLine: null,
    truncated: true,
    truncatedBy: 'bytes',
  });
  assert.equal(page('😀\n', 1, 1, 3).endLine, null);
});

test('a cut at the end of a line says where to go on', () => {
  assert.deepEqual(page('one\ntwo\nthree\n', 1, 3, 4), {
    content: 'one\n',
    startLine: 1,
    endLine: 1,
    nextStartLine: 2,
    truncated: true,
    truncatedBy: 'bytes',
  });
});

test('the last line need not be ended', () => {
  const { content, endLine, nextStartLine, truncated } = page('one\ntwo', 1, 5, 1024);
  assert.deepEqual([content, endLine, nextStartLine, truncated], ['one\ntwo', 2, null, false]);
});

test('pages put together are the file', () => {
  const text = Array.from({ length: 97 }, (_, i) => `line ${i} ${'é'.repeat(i % 7)}\n`).join('');
  let read = '';
  for (let line = 1; line !== null; ) {
    const part = page(text, line, 10, 4096);
    read += part.content;
    line = part.nextStartLine;
  }
  assert.equal(read, text);
});

test('numbers that are none are refused', () => {
  assert.deepEqual(pageOptions(), { startLine: 1, lineCount: 500, maxBytes: 65_536 });
  for (const name of ['startLine', 'lineCount', 'maxBytes']) {
    for (const value of [0, -1, 1.5, '1', NaN]) {
      assert.throws(() => pageOptions({ [name]: value }), { name: 'RangeError', message: `Text file ${name} must be a positive integer.` });
    }
  }
});
