// Where programs are.
import { accessSync, constants, statSync } from 'node:fs';
import { basename, delimiter, join, resolve } from 'node:path';

export function which(name, path = process.env.PATH ?? '') {
  const places = name.includes('/') ? [name] : path.split(delimiter).filter(Boolean).map(folder => join(folder, name));
  for (const place of places) {
    try {
      accessSync(place, constants.X_OK);
      if (statSync(place).isFile()) return resolve(place);
    } catch {
      // the next one
    }
  }
  return undefined;
}

/**
 * coffer: the program that COFFER names, else `dockerPath` when it names a coffer and not a Docker, else coffer in PATH. Nothing beside this file is tried:
 * what lies in a project's folders may have been written by the code that is to be shut in.
 */
export function findCoffer(dockerPath = 'docker') {
  if (process.env.COFFER) return which(process.env.COFFER);
  return which(basename(dockerPath).startsWith('coffer') ? dockerPath : 'coffer');
}
