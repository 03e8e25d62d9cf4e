// Runs a JavaScript program and tells what comes of it: node THIS DESCRIPTOR PROGRAM [ARG...]. To the descriptor go lines of JSON, as python.py has them. The value of a program
// is that of its last expression, and where that is a promise, what it gives. A program that only a module can be (import, await at its top) is run and has no value.
'use strict';
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const util = require('node:util');
const vm = require('node:vm');
const { pathToFileURL } = require('node:url');

const [descriptor, source] = process.argv.splice(2, 2);
process.argv[1] = source;

function tell(line) {
	let data = Buffer.from(`${JSON.stringify(line)}\n`);
	while (data.length)
		data = data.subarray(fs.writeSync(Number(descriptor), data));
}

// What the program's own objects do when they are asked is no error of the program.
function quiet(call) {
	try {
		return call();
	} catch {
		return undefined;
	}
}

function plain(value) {
	const top = value !== null && typeof value === 'object' ? Object.getPrototypeOf(value) : undefined;
	return typeof value === 'object' ? value === null || top === null || Array.isArray(value) || Object.prototype.toString.call(value) === '[object Object]' : typeof value !== 'function';
}

function mime(value) {
	const told = { 'text/plain': quiet(() => util.inspect(value)) ?? typeof value };
	const json = quiet(() => (plain(value) ? JSON.stringify(value) : undefined));
	if (json !== undefined)
		told['application/json'] = JSON.parse(json);
	const bundle = quiet(() => value[Symbol.for('Jupyter.display')]());
	for (const kind of Object.keys(bundle ?? {}))
		if (quiet(() => JSON.stringify(bundle[kind])) !== undefined)
			told[kind] = bundle[kind];
	return told;
}

function frame(line) {
	const found = /^\s+at (?:(.*) \()?(?:file:\/\/)?([^()]*?):(\d+):(\d+)\)?$/.exec(line);
	return found && { file: found[2], line: Number(found[3]), column: Number(found[4]), function: found[1] ?? null };
}

function tellError(error) {
	const isError = error instanceof Error || Object.prototype.toString.call(error) === '[object Error]';
	const whole = isError && typeof error.stack === 'string' ? error.stack : quiet(() => util.inspect(error)) ?? '';
	const text = whole.replace(/\n\s+at [^\n]*(node:vm:|\/dev\/code\/\.javascript\.js:)[^]*$/, '');
	const traceback = text.split('\n').map(frame).filter((at) => at && at.file !== __filename && !at.file.startsWith('node:'));
	tell({ type: 'error', name: isError ? String(error.name) : typeof error, value: isError ? String(error.message) : text, traceback, text });
	process.stderr.write(`${text}\n`, () => process.exit(1));
}

process.on('uncaughtException', tellError);
globalThis.display = (...values) => values.forEach((value) => tell({ type: 'display', mime: mime(value) }));

function tellValue(value) {
	if (value !== undefined)
		tell({ type: 'result', mime: mime(value) });
}

const text = fs.readFileSync(source, 'utf8').replace(/^#!.*/, '');
let script;
try {
	script = new vm.Script(text, { filename: source });
} catch (error) {
	import(source.endsWith('.mjs') ? pathToFileURL(source).href : `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`).catch((other) =>
		tellError(/Cannot use import|await is only valid|Unexpected reserved word|'import.meta'/.test(error.message) ? other : error));
}
if (script) {
	const module = new Module(source);
	Object.assign(module, { filename: source, paths: Module._nodeModulePaths(path.dirname(source)) });
	process.mainModule = module;
	const ours = { module, exports: module.exports, __filename: source, __dirname: path.dirname(source) };
	Object.assign(globalThis, ours, { require: Module.createRequire(source) });
	const value = script.runInThisContext();
	if (value !== null && typeof value === 'object' && typeof value.then === 'function')
		value.then(tellValue, tellError);
	else
		tellValue(value);
}
