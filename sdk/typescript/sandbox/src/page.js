// A part of a text file: so many lines from a line on, and no more bytes than that.

function afterLines(text, count, from) {
  let at = from;
  for (let line = 0; line < count && at < text.length; line++) {
    const end = text.indexOf('\n', at);
    at = end < 0 ? text.length : end + 1;
  }
  return at;
}

function breaksIn(text) {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function cutAtBytes(text, bytes, startLine) {
  const content = new TextDecoder().decode(bytes, { stream: true }); // a character that was cut in two is left out
  const breaks = breaksIn(content);
  const whole = content.endsWith('\n');
  const endLine = content === '' ? null : startLine + breaks - (whole ? 1 : 0);
  return { content, startLine, endLine, nextStartLine: whole ? startLine + breaks : null, truncated: true, truncatedBy: 'bytes' };
}

/** What `text`, whose first line is line `firstLine` of its file, has of the page. */
export function pageOf(text, { startLine, lineCount, maxBytes, firstLine = 1 }) {
  const start = afterLines(text, startLine - firstLine, 0);
  const end = afterLines(text, lineCount, start);
  const content = text.slice(start, end);
  const bytes = Buffer.from(content);
  if (bytes.length > maxBytes) return cutAtBytes(content, bytes.subarray(0, maxBytes), startLine);
  const more = end < text.length;
  const nextStartLine = more ? startLine + lineCount : null;
  const lines = breaksIn(content) + (content === '' || content.endsWith('\n') ? 0 : 1);
  return {
    content,
    startLine,
    endLine: lines === 0 ? null : startLine + lines - 1,
    nextStartLine,
    truncated: more,
    truncatedBy: more ? 'lines' : null,
  };
}

/** The page's three numbers with their initial values; a RangeError when one is none. */
export function pageOptions({ startLine = 1, lineCount = 500, maxBytes = 64 * 1024 } = {}) {
  for (const [name, value] of Object.entries({ startLine, lineCount, maxBytes })) {
    if (!Number.isInteger(value) || value <= 0) throw new RangeError(`Text file ${name} must be a positive integer.`);
  }
  return { startLine, lineCount, maxBytes };
}
