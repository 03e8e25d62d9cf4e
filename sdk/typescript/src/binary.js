// Where srt is, and whether it takes a document.
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { which } from '../sandbox/src/find.js';

export { which };

/** The srt that belongs to coffer: npm's has the same name, so PATH is asked for coffer instead. */
export function findSrt() {
  if (process.env.COFFER_SRT) return process.env.COFFER_SRT;
  const coffer = which('coffer');
  const folders = coffer ? [dirname(coffer), dirname(realpathSync(coffer))] : [];
  const srt = folders.map(folder => which(join(folder, 'srt'))).find(Boolean);
  if (!srt) throw new Error("coffer's srt is not in PATH: install coffer, or name the program in COFFER_SRT");
  return srt;
}

/** What srt says of a document: [] when it takes it, else each mistake with its path. Nothing is run. */
export function judge(document) {
  const text = JSON.stringify(document);
  if (text === undefined) return [{ code: 'custom', path: [], message: 'Required' }];
  const env = { ...process.env, COFFER_SRT_PROFILE: 'npm', COFFER_SRT_SETTINGS: text };
  const done = spawnSync(findSrt(), [], { env, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  if (done.error) throw done.error;
  const said = done.stderr.split('\n')[0].replace(/^Error: /, '');
  if (said.startsWith('No command specified')) return [];
  const issues = said.split(' does not hold a valid config — ')[1];
  if (issues === undefined) return [{ code: 'custom', path: [], message: said }];
  return issues.split(/; (?=[\w(.$]+: )/).map(issue => {
    const [place, ...message] = issue.split(': ');
    const path = place === '(root)' ? [] : place.split('.').map(part => (/^\d+$/.test(part) ? Number(part) : part));
    return { code: 'custom', path, message: message.join(': ') };
  });
}

const PLAIN = /^[A-Za-z0-9_./:@+,-][A-Za-z0-9_./:=@+,-]*$/;

export function quote(words) {
  return words.map(word => (PLAIN.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`)).join(' ');
}

export function isBash(shell) {
  return shell === undefined || basename(shell) === 'bash';
}
