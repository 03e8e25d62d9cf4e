"""Programs in every language of `coffer code`, with what each prints and how it ends. Program number i is the same every time.

A program is a row of statements, each of which is known in many languages, and an end. TOLD says how each language says them: {s} is a text, as a literal of the language,
{n} a number. What is printed and how it ends is computed here, so that a program that goes wrong in the same way inside and outside is found as well."""
import json
import random
import re
from dataclasses import dataclass

BIG = 10 << 20
TEXTS = ["plain", "two\nlines\n", "tab\tquote\"apos'tick`", "$HOME $(id) \\n %s %d", "äöü ß œ", "日本語 한국어", "😀🏳️‍🌈", "e\u0301\u202e", "", " ", "\\", "a" * 5000, "<?php", "#!/bin/sh", "-n", "--"]
SIGNALS = [1, 2, 3, 6, 9, 10, 11, 12, 15]


def json_quote(text):
    return json.dumps(text, ensure_ascii=False)


def single(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def shell(text):
    return "'" + text.replace("'", "'\\''") + "'"


def octal(text):
    return '"' + "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in text.encode()) + '"'


def decimal(text):
    return '"' + "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\' else f"\\{b:03d}" for b in text.encode()) + '"'


def rust_quote(text):
    return '"' + re.sub(r'["\\]', r"\\\g<0>", text).replace("\n", "\\n").replace("\t", "\\t") + '"'


def java_quote(text):
    return json.dumps(text)


# How statements are said. `weight`: how often a language is chosen; one that has to be built costs much more than it tells.
SH = {
    "weight": 20, "quote": shell, "suffix": "sh", "head": "", "tail": "",
    "out": "printf %s {s}", "err": "printf %s {s} >&2", "args": "(IFS='|'; printf %s \"$*\")", "echo": "cat",
    "big": "head -c {n} /dev/zero | tr '\\0' x", "exit": "exit {n}", "kill": "kill -{n} $$", "fork": "(exit {n}); printf %s $?",
    "tmp": "printf %s {s} > /tmp/coffer-p$$; cat /tmp/coffer-p$$; rm /tmp/coffer-p$$",
}
JS = {
    "weight": 10, "quote": json_quote, "suffix": "js", "tail": "", "signals": [1, 2, 3, 6, 9, 11, 12, 15],  # SIGUSR1 starts its debugger
    "head": "const fs = require('fs'); const w = (f, s) => { let b = Buffer.from(s); while (b.length) b = b.subarray(fs.writeSync(f, b)); };",
    "out": "w(1, {s});", "err": "w(2, {s});", "args": "w(1, process.argv.slice(2).join('|'));", "echo": "w(1, fs.readFileSync(0));", "big": "w(1, 'x'.repeat({n}));",
    "exit": "process.exit({n});", "kill": "process.kill(process.pid, {n}); for (;;);", "throw": "throw new Error('boom');", "thrown": 1,
    "fork": "w(1, String(require('child_process').spawnSync('sh', ['-c', 'exit {n}']).status));",
    "tmp": "fs.writeFileSync('/tmp/coffer-p' + process.pid, {s}); w(1, fs.readFileSync('/tmp/coffer-p' + process.pid)); fs.unlinkSync('/tmp/coffer-p' + process.pid);",
}
TYPED = {
    **JS, "suffix": "ts", "weight": 6,
    "head": "import * as fs from 'fs'; enum F { out = 1, err } interface W { (f: F, s: string | Buffer): void }\n"
    "const w: W = (f: F, s: string | Buffer): void => { let b: Buffer = Buffer.from(s as string); while (b.length) b = b.subarray(fs.writeSync(f, b)) as Buffer; };",
    "out": "w(F.out, {s} as string);", "err": "w(F.err, {s}!);",
}
TOLD = {
    "python": {
        "weight": 20, "quote": json_quote, "suffix": "py", "head": "import os, sys, threading", "tail": "",
        "out": "sys.stdout.write({s})", "err": "sys.stderr.write({s})", "args": "sys.stdout.write('|'.join(sys.argv[1:]))", "echo": "sys.stdout.write(sys.stdin.read())",
        "big": "sys.stdout.write('x' * {n})", "exit": "sys.exit({n})", "kill": "sys.stdout.flush(); os.kill(os.getpid(), {n})",
        "throw": "sys.stdout.flush(); raise ValueError('boom')", "thrown": 1,
        "fork": "sys.stdout.flush(); pid = os.fork()\nif pid == 0: os._exit({n})\nsys.stdout.write(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))",
        "threads": "box = []; row = [threading.Thread(target=box.append, args=(i,)) for i in range({n})]\nfor t in row: t.start()\nfor t in row: t.join()\nsys.stdout.write(str(sum(box)))",
        "tmp": "p = '/tmp/coffer-p%d' % os.getpid(); open(p, 'w').write({s}); sys.stdout.write(open(p).read()); os.unlink(p)",
    },
    "javascript": JS,
    "typescript": TYPED,
    "sh": SH,
    "bash": {**SH, "weight": 15, "signals": [1, 2, 6, 9, 10, 11, 12, 15],  # a SIGQUIT to itself it passes over
             "suffix": "bash", "big": "x=$(printf %1024s); x=${{x// /x}}; for ((i = 0; i < {n} / 1024; i++)); do printf %s \"$x\"; done"},
    "zsh": {**SH, "weight": 10, "signals": [2, 6, 9, 10, 11, 12, 15],  # it takes SIGHUP and SIGQUIT itself
            "suffix": "zsh", "out": "print -rn -- {s}"},
    "ruby": {
        "weight": 10, "quote": single, "suffix": "rb", "head": "", "tail": "",
        "out": "$stdout.write {s}", "err": "$stderr.write {s}", "args": "$stdout.write ARGV.join('|')", "echo": "$stdout.write $stdin.read", "big": "$stdout.write 'x' * {n}",
        "exit": "exit {n}", "kill": "$stdout.flush; Process.kill({n}, $$); sleep", "throw": "$stdout.flush; raise 'boom'", "thrown": 1,
        "signals": [1, 2, 3, 6, 9, 10, 12, 15],  # at SIGSEGV it writes a report, and aborts
        "fork": "$stdout.flush; pid = fork {{ exit! {n} }}; Process.wait pid; $stdout.write $?.exitstatus.to_s", "threads": "$stdout.write((0...{n}).map {{ |i| Thread.new {{ i }} }}.sum(&:value).to_s)",
        "tmp": "f = \"/tmp/coffer-p#{{$$}}\"; File.write(f, {s}); $stdout.write File.read(f); File.unlink f",
    },
    "php": {
        "weight": 10, "quote": single, "suffix": "php", "head": "<?php", "tail": "",
        "out": "fwrite(STDOUT, {s});", "err": "fwrite(STDERR, {s});", "args": "fwrite(STDOUT, implode('|', array_slice($argv, 1)));", "echo": "fwrite(STDOUT, stream_get_contents(STDIN));",
        "big": "fwrite(STDOUT, str_repeat('x', {n}));", "exit": "exit({n});", "kill": "posix_kill(getmypid(), {n}); sleep(9);",
        "fork": "exec('exit {n}', $o, $r); fwrite(STDOUT, (string)$r);", "tmp": "$p = '/tmp/coffer-p' . getmypid(); file_put_contents($p, {s}); fwrite(STDOUT, file_get_contents($p)); unlink($p);",
    },
    "perl": {
        "weight": 15, "quote": single, "suffix": "pl", "head": "use POSIX (); $| = 1;", "tail": "",
        "out": "print STDOUT {s};", "err": "print STDERR {s};", "args": "print join '|', @ARGV;", "echo": "print STDOUT do {{ local $/; <STDIN> }};", "big": "print 'x' x {n};",
        "exit": "exit {n};", "kill": "kill {n}, $$; sleep 9;", "throw": "$! = 0; $? = 0; die \"boom\\n\";", "thrown": 255,
        "fork": "{{ my $p = fork; POSIX::_exit({n}) unless $p; waitpid $p, 0; print $? >> 8; }}",
        "tmp": "{{ open my $f, '+>', \"/tmp/coffer-p$$\" or die; print $f {s}; seek $f, 0, 0; local $/; print scalar(<$f>) // ''; unlink \"/tmp/coffer-p$$\"; }}",
    },
    "lua": {
        "weight": 10, "quote": decimal, "suffix": "lua", "head": "", "tail": "",
        "out": "io.write({s})", "err": "io.stderr:write({s})", "args": "io.write(table.concat(arg, '|'))", "echo": "io.write(io.read('a'))", "big": "io.write(string.rep('x', {n}))",
        "exit": "os.exit({n})", "kill": "io.stdout:flush(); os.execute('kill -{n} $PPID; sleep 9')", "throw": "error('boom')", "thrown": 1,
        "signals": [1, 6, 9, 10, 11, 12, 15], # system() ignores the others while it waits
        "fork": "io.stdout:flush(); do local _, _, c = os.execute('exit {n}'); io.write(c) end", "tmp": "do local p = os.tmpname(); local f = io.open(p, 'w'); f:write({s}); f:close(); f = io.open(p); io.write(f:read('a')); f:close(); os.remove(p) end",
    },
    "r": {
        "weight": 4, "quote": json_quote, "suffix": "R", "head": "", "tail": "",
        "out": "cat({s})", "err": "cat({s}, file = stderr())", "args": "cat(commandArgs(TRUE), sep = '|')", "big": "cat(strrep('x', {n}))", "exit": "quit(status = {n})",
    },
    "c": {
        "weight": 3, "quote": octal, "suffix": "c", "tail": "return 0; }",
        "head": "#include <pthread.h>\n#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <sys/wait.h>\n#include <unistd.h>\n"
        "static int sum; static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;\nstatic void *add(void *p) { pthread_mutex_lock(&m); sum += (int)(long)p; pthread_mutex_unlock(&m); return 0; }\n"
        "int main(int argc, char **argv) { (void)argc; (void)argv; (void)add;",
        "out": "fputs({s}, stdout);", "err": "fputs({s}, stderr);", "args": "for (int i = 1; i < argc; i++) printf(\"%s%s\", i > 1 ? \"|\" : \"\", argv[i]);",
        "echo": "for (int c; (c = getchar()) != EOF;) putchar(c);", "big": "for (int i = 0; i < {n}; i++) putchar('x');", "exit": "exit({n});",
        "kill": "fflush(stdout); raise({n});", "fork": "{{ int s; fflush(stdout); if (!fork()) _exit({n}); wait(&s); printf(\"%d\", WEXITSTATUS(s)); }}",
        "threads": "{{ pthread_t t[{n}]; sum = 0; for (long i = 0; i < {n}; i++) pthread_create(&t[i], 0, add, (void *)i); for (int i = 0; i < {n}; i++) pthread_join(t[i], 0); printf(\"%d\", sum); }}",
    },
    "c++": {
        "weight": 1, "quote": octal, "suffix": "cpp", "tail": "return 0; }",
        "head": "#include <csignal>\n#include <cstdlib>\n#include <iostream>\n#include <iterator>\n#include <string>\n#include <thread>\n#include <atomic>\n#include <vector>\nint main(int argc, char **argv) { (void)argc; (void)argv;",
        "out": "std::cout << {s};", "err": "std::cerr << {s};", "args": "for (int i = 1; i < argc; i++) std::cout << (i > 1 ? \"|\" : \"\") << argv[i];",
        "echo": "std::cout << std::string(std::istreambuf_iterator<char>(std::cin), {{}});", "big": "std::cout << std::string({n}, 'x');", "exit": "std::exit({n});",
        "kill": "std::cout.flush(); raise({n});", "throw": "std::cout.flush(); std::abort();", "thrown": 134,
        "threads": "{{ std::atomic<int> n{{0}}; std::vector<std::thread> row; for (int i = 0; i < {n}; i++) row.emplace_back([&n, i] {{ n += i; }}); for (auto &t : row) t.join(); std::cout << n; }}",
    },
    "go": {
        "weight": 0.4, "quote": json_quote, "suffix": "go", "tail": "}", "head": 'package main\nimport ("io"; "os"; "strings"; "syscall"; "time")\nvar _ = io.Copy; var _ = strings.Join; var _ = syscall.Kill; var _ = time.Sleep\nfunc main() {',
        "out": "os.Stdout.WriteString({s})", "err": "os.Stderr.WriteString({s})", "args": 'os.Stdout.WriteString(strings.Join(os.Args[1:], "|"))', "echo": "io.Copy(os.Stdout, os.Stdin)",
        "big": 'os.Stdout.WriteString(strings.Repeat("x", {n}))', "exit": "os.Exit({n})",
    },
    "rust": {
        "weight": 0.4, "quote": rust_quote, "suffix": "rs", "tail": "}", "head": "#![allow(unused)]\nuse std::io::{Read, Write};\nfn main() {",
        "out": 'print!("{{}}", {s});', "err": 'eprint!("{{}}", {s});', "args": 'print!("{{}}", std::env::args().skip(1).collect::<Vec<_>>().join("|"));',
        "echo": 'let mut s = String::new(); std::io::stdin().read_to_string(&mut s).unwrap(); print!("{{}}", s);', "big": 'print!("{{}}", "x".repeat({n}));',
        "exit": "std::io::stdout().flush().unwrap(); std::process::exit({n});", "throw": 'std::io::stdout().flush().unwrap(); panic!("boom");', "thrown": 101,
    },
    "java": {
        "weight": 0.4, "quote": java_quote, "suffix": "java", "tail": "} }", "head": "class Main { public static void main(String[] a) throws Exception { var o = new java.io.PrintStream(System.out, true, \"UTF-8\"); var e = new java.io.PrintStream(System.err, true, \"UTF-8\");",
        "out": "o.print({s});", "err": "e.print({s});", "args": 'o.print(String.join("|", a));', "echo": "o.write(System.in.readAllBytes());", "big": 'o.print("x".repeat({n}));', "exit": "System.exit({n});",
    },
}


@dataclass
class Program:
    number: int
    language: str
    text: str
    plain: str | None  # of typescript: the same in JavaScript
    arguments: list
    stdin: bytes
    out: bytes
    status: int


def statement(told, rng, program):
    """(its name, its number or text, what it prints on standard output)"""
    name = rng.choice([n for n in ("out", "out", "err", "args", "fork", "threads", "tmp") if n in told])
    if name in ("out", "err", "tmp"):
        text = rng.choice(TEXTS)
        return name, text, text if name != "err" else ""
    if name == "args":
        return name, None, "|".join(program.arguments)
    n = rng.randrange(1, 33)
    return name, n, str(n if name == "fork" else n * (n - 1) // 2)


def say(told, name, value):
    literal = told["quote"](value) if isinstance(value, str) else ""
    return told[name].format(s=literal, n=value)


def end(told, rng):
    """(statement, status)"""
    kind = rng.choice(["exit", "exit", "exit", "none", "kill", "throw"])
    if kind == "kill" and "kill" in told:
        n = rng.choice(told.get("signals", SIGNALS))
        return say(told, "kill", n), 128 + n
    if kind == "throw" and "throw" in told:
        return say(told, "throw", None), told["thrown"]
    if kind == "none":
        return "", 0
    n = rng.choice([0, 1, 2, 7, 42, 77, 126, 127, 128, 200, 254])
    return say(told, "exit", n), n


def write(told, rows):
    return "\n".join([told["head"], *(say(told, name, value) for name, value in rows)])


def make(number, languages):
    """Program number `number` among those in these languages."""
    rng = random.Random(f"program {number}")
    language = rng.choices(languages, [TOLD[name]["weight"] for name in languages])[0]
    if number < len(languages):
        language = languages[number]  # of each at least one
    told = TOLD[language]
    program = Program(number, language, "", None, rng.sample(["a", "b c", "ü", "*", "$x", "--", "-e", "'\"", ""], rng.randrange(4)), b"", b"", 0)
    rows, printed = [], ""
    for _ in range(rng.randrange(1, 5)):
        name, value, out = statement(told, rng, program)
        rows.append((name, value))
        printed += out
    if "echo" in told and rng.random() < 0.3:
        stdin = rng.choice(["", "one\n", "no newline", "日本\n" * 1000, "x" * 300000])
        program.stdin = stdin.encode()
        rows.append(("echo", None))
        printed += stdin
    if rng.random() < 0.02:
        rows.append(("big", BIG))
        printed += "x" * BIG
    last, program.status = end(told, rng)
    program.text = "\n".join([write(told, rows), last, told["tail"]])
    if language == "typescript":
        program.plain = "\n".join([write(JS, rows), last])
    program.out = printed.encode()
    return program
