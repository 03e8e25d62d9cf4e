// Where paths lead.
import { readFileSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';

/** The kernel's reading of a path, every link followed. Throws where nothing is. */
export function realPathOf(path) {
  return realpathSync.native(resolve(path));
}

/** Every path that a write config allows. */
export function writeRootsOf({ allowOnly = [], literalAllowOnly = [] }) {
  return [...allowOnly, ...literalAllowOnly];
}

/** "1" or "2" under the Windows subsystem for Linux, else undefined. */
export function getWslVersion(version = process.platform === 'linux' ? readFileSync('/proc/version', 'utf8') : '') {
  const named = /WSL(\d+)/i.exec(version);
  if (named) return named[1];
  return /microsoft/i.test(version) ? '1' : undefined;
}
