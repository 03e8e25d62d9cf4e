// Names in the workspace: what is judged here is their text. Where links lead is judged by the engine.
import { posix } from 'node:path';
import { SandboxPathError } from './errors.js';

/** The path in its normal form, relative to the workspace. With a workdir, absolute paths within it are taken as well. */
export function workspacePath(text, { allowRoot = false, workdir } = {}) {
  if (typeof text !== 'string' || text === '') throw new SandboxPathError('Sandbox path cannot be empty.');
  if (text.includes('\0')) throw new SandboxPathError('Sandbox path cannot contain null bytes.');
  let path = posix.normalize(text.replaceAll('\\', '/'));
  if (posix.isAbsolute(path)) {
    if (workdir === undefined) throw new SandboxPathError(`Sandbox path must be relative: ${text}`);
    path = posix.relative(posix.normalize(workdir), path) || '.';
  }
  if (path.endsWith('/')) path = path.slice(0, -1);
  if (path === '..' || path.startsWith('../')) throw new SandboxPathError(`Sandbox path cannot leave the workspace: ${text}`);
  if (path === '.' && !allowRoot) throw new SandboxPathError('Sandbox path must refer to a file or directory inside the workspace.');
  return path;
}

/** Where that is inside the sandbox. */
export function insidePath(workdir, path, options) {
  return posix.join(workdir, workspacePath(path, { ...options, allowRoot: true }));
}

/** A name that sessions and workspaces can have: lower case, and what is not a letter, a digit or one of "_.-" becomes "-". */
export function resourceName(text) {
  return text.toLowerCase().replaceAll(/[^a-z0-9_.-]/g, '-').replaceAll(/^-+|-+$/g, '');
}
