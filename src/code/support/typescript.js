// Runs a TypeScript program: node THIS TOOL SOURCE [ARG…]. TOOL is a path of esbuild or of tsc, whose compiler is used as a library, or "-". A node that can take types
// away itself (22.13 and later) needs none. Types are taken away, not checked. Modules of the program may be TypeScript as well.
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const Module = require('node:module');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const [tool, source] = process.argv.splice(2, 2);
process.argv[1] = source;
process.setSourceMapsEnabled(true);

function fail(text, status) {
	process.stderr.write(`${text.trimEnd()}\n`);
	process.exit(status);
}

function byNode(text, file) {
	const emit = process.emitWarning;
	process.emitWarning = () => {}; // that it is experimental is our matter
	try {
		return Module.stripTypeScriptTypes(text, { mode: 'transform', sourceMap: true, sourceUrl: pathToFileURL(file).href });
	} catch (error) {
		return fail(`${file}: ${error.message}`, 1);
	} finally {
		process.emitWarning = emit;
	}
}

// null: only a module may be so (it awaits at its top).
function byEsbuild(text, file, format) {
	const words = ['--loader=ts', `--format=${format}`, '--platform=node', '--target=node18', '--sourcemap=inline', `--sourcefile=${file}`, '--log-level=error'];
	const made = spawnSync(tool, words, { input: text, encoding: 'utf8', maxBuffer: 64 << 20 });
	if (made.status === 0)
		return made.stdout;
	if (format === 'cjs' && /Top-level await/.test(made.stderr))
		return null;
	return fail(made.stderr || `${tool}: ${made.error}`, 1);
}

let ts;
function byTypeScript(text, file, format) {
	ts = ts || require(path.join(path.dirname(fs.realpathSync(tool)), '../lib/typescript.js'));
	const made = ts.transpileModule(text, {
		fileName: file,
		reportDiagnostics: true,
		compilerOptions: {
			module: format === 'cjs' ? ts.ModuleKind.CommonJS : ts.ModuleKind.ESNext,
			target: ts.ScriptTarget.ES2022,
			esModuleInterop: true,
			inlineSourceMap: true,
			experimentalDecorators: true,
		},
	});
	const host = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => '/', getNewLine: () => '\n' };
	if (made.diagnostics.length)
		fail(ts.formatDiagnostics(made.diagnostics, host), 1);
	return made.outputText;
}

function without(file, format) {
	const text = fs.readFileSync(file, 'utf8');
	if (Module.stripTypeScriptTypes)
		return byNode(text, file);
	if (tool === '-')
		return fail(`typescript: node ${process.version} cannot take types away, and neither esbuild nor tsc is there: \`apt-get install esbuild\``, 127);
	return path.basename(tool) === 'esbuild' ? byEsbuild(text, file, format) : byTypeScript(text, file, format);
}

function isScript(text) {
	try {
		new (require('node:vm').Script)(Module.wrap(text));
		return true;
	} catch {
		return false;
	}
}

Module._extensions['.ts'] = (module, file) => module._compile(without(file, 'cjs') ?? '', file);

const script = without(source, 'cjs');
if (script !== null && isScript(script)) {
	const load = Module._extensions['.ts'];
	Module._extensions['.ts'] = (module, file) => (file === source ? module._compile(script, file) : load(module, file));
	Module._load(source, null, true);
} else {
	const place = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'ts-')), 'main.mjs');
	fs.writeFileSync(place, without(source, 'esm'));
	import(pathToFileURL(place).href).catch((error) => fail(error && error.stack ? error.stack : String(error), 1));
}
