#!/usr/bin/env node
// srt, for those who installed this package.
import { spawn } from 'node:child_process';
import { findSrt } from './binary.js';

let srt;
try {
  srt = findSrt();
} catch (error) {
  console.error(`Error: ${error.message}`);
  process.exit(1);
}
const child = spawn(srt, process.argv.slice(2), { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
