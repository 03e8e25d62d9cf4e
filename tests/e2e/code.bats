#!/usr/bin/env bats
# `coffer code`: snippets in every language that is there. What is not there is skipped by name; tests/code has the many programs.
bats_require_minimum_version 1.5.0
load lib

setup() {
	workspace
	private_state
	export XDG_DATA_HOME=$TOP/data
	mkdir -m 700 "$XDG_DATA_HOME"
}

teardown() {
	cd /
	chmod -R u+rwX "$TOP"
	rm -rf "$TOP"
}

# says LANGUAGE CODE: it prints the argument, what is on standard input, and ends with 7.
says() {
	coffer code --list | grep -q "^$1 *here" || skip "no $1 here: $(coffer code --list | grep "^$1 ")"
	run --separate-stderr coffer code -l "$1" -e "$2" -- 'ar g' <<< 'in put'
	[ "$status" -eq 7 ] && [ "$output" = 'ar g/in put' ] || { echo "$status: $output; $stderr"; return 1; }
}

# bats test_tags=smoke
@test "python" { says python 'import sys; print(sys.argv[1] + "/" + input()); sys.exit(7)'; }
# bats test_tags=smoke
@test "javascript" { says javascript 'console.log(process.argv[2] + "/" + require("fs").readFileSync(0, "utf8").trim()); process.exit(7)'; }
@test "typescript, without a network" {
	says typescript 'import { readFileSync } from "fs"; enum E { A = 7 }
const put = (a: string, b: string): void => console.log(a + "/" + b); put(process.argv[2], readFileSync(0, "utf8").trim()); process.exit(E.A)'
}
# bats test_tags=smoke
@test "bash" { says bash 'read -r line; printf "%s/%s\n" "$1" "$line"; [[ -n $BASH_VERSION ]] && exit 7'; }
@test "sh" { says sh 'read -r line; printf "%s/%s\n" "$1" "$line"; exit 7'; }
@test "zsh" { says zsh 'read -r line; print -r -- "$1/$line"; exit $(( ${+ZSH_VERSION} * 7 ))'; }
@test "ruby" { says ruby 'puts "#{ARGV[0]}/#{$stdin.gets.chomp}"; exit 7'; }
@test "php" { says php '<?php echo $argv[1], "/", trim(fgets(STDIN)), "\n"; exit(7);'; }
@test "perl" { says perl 'chomp(my $l = <STDIN>); print "$ARGV[0]/$l\n"; exit 7'; }
@test "lua" { says lua 'print(arg[1] .. "/" .. io.read()); os.exit(7)'; }
@test "r" { says r 'a <- commandArgs(TRUE); cat(a[1], "/", readLines(file("stdin"), 1), "\n", sep = ""); quit(status = 7)'; }
@test "c" { says c '#include <stdio.h>
int main(int c, char **v) { char l[9]; return fgets(l, 9, stdin) && printf("%s/%s", v[1], l) ? 7 : 1; }'; }
@test "c++" { says c++ '#include <iostream>
int main(int, char **v) { std::string l; std::getline(std::cin, l); std::cout << v[1] << "/" << l << "\n"; return 7; }'; }
@test "go" { says go 'package main
import ("bufio"; "fmt"; "os")
func main() { s := bufio.NewScanner(os.Stdin); s.Scan(); fmt.Println(os.Args[1] + "/" + s.Text()); os.Exit(7) }'; }
@test "rust" { says rust 'fn main() { let mut l = String::new(); std::io::stdin().read_line(&mut l).unwrap();
println!("{}/{}", std::env::args().nth(1).unwrap(), l.trim()); std::process::exit(7) }'; }
@test "java" { says java 'class A { public static void main(String[] a) { System.out.println(a[0] + "/" + new java.util.Scanner(System.in).nextLine()); System.exit(7); } }'; }

@test "a file's suffix or first line says its language; a snippet may come from standard input" {
	echo 'echo sh' > a.sh
	printf '#!/usr/bin/env python3\nprint("py")\n' > b
	[ "$(coffer code a.sh)" = sh ]
	[ "$(coffer code b)" = py ]
	[ "$(coffer code -l js - <<< 'console.log(1)')" = 1 ]
	[ "$(coffer code - < b)" = py ]
	run coffer code -e 'print(1)'
	[ "$status" -eq 125 ] && [[ $output = *"which language?"*"--language"* ]]
	run coffer code -l pyhton -e 'print(1)'
	[ "$status" -eq 125 ] && [[ $output = *"did you mean python?"* ]]
	run coffer code missing.py
	[ "$status" -eq 125 ] && [[ $output = *"missing.py: No such file"* ]]
	run coffer code
	[ "$status" -eq 125 ] && [[ $output = *"no snippet"* ]]
}

@test "an interpreter that is missing is named with what installs it" {
	mkdir bin
	ln -s /usr/bin/dash bin/sh
	PATH=$TOP/ws/bin run "$COFFER" code --json 3 -l ruby -e 'puts 1' 3> o.json
	[ "$status" -eq 125 ] && [[ $output = *"apt-get install ruby"* ]]
	is 'd["error"]["code"] == "not-found" and "apt-get install ruby" in d["error"]["text"] and "ruby:3.3-alpine" in d["error"]["text"]'
	PATH=$TOP/ws/bin run "$COFFER" code --list
	[[ $output = *"ruby "*missing*"apt-get install ruby"* ]] && [[ $output = *"sh          here"* ]]
}

@test "the working directory is read-only, or with --copy a view that is kept aside" {
	echo old > data
	run coffer code -l sh -e 'cat data; echo new > data'
	[ "$status" -ne 0 ] && [ "${lines[0]}" = old ]
	coffer code --copy -l sh -e 'echo new > data; cat data' > out 2> err
	[ "$(cat out)" = new ] && [ "$(cat data)" = old ]
	coffer diff --names | grep -q data
	coffer apply
	[ "$(cat data)" = new ]
}

@test "a file below the working directory is run where it is, any other is brought" {
	mkdir sub
	echo 'def f(): return 6' > sub/lib.py
	echo 'import lib, sys; print(lib.f(), __file__)' > sub/main.py
	[ "$(coffer code sub/main.py)" = "6 $PWD/sub/main.py" ]
	echo 'print(__file__)' > "$TOP/home/other.py"
	[ "$(coffer code ../home/other.py)" = /dev/code/other.py ]
	ln -s "$TOP/home/other.py" link.py
	[ "$(coffer code link.py)" = /dev/code/link.py ]
	[ "$(coffer code --deny-read sub/main.py --allow-read sub/lib.py -- sub/main.py 2>&1 | tail -n 1)" != "6 $PWD/sub/main.py" ]
}

@test "files beside it, and nothing of them on the host" {
	echo 'def f(): return 5' > lib.py
	echo 'd a t a' > "x y.txt"
	[ "$(coffer code -f lib.py -f "in.txt=x y.txt" -l python -e 'import lib, os; d = os.path.dirname(__file__); print(lib.f(), open(d + "/in.txt").read().strip())')" = "5 d a t a" ]
	run coffer code -f "x y.txt" -l python -e 1
	[ "$status" -eq 125 ] && [[ $output = *'x y.txt'*"its name inside"* ]]
	run coffer code -l sh -e 'echo x > "$0"; echo y > "$(dirname "$0")/new"; ls -A "$(dirname "$0")"'
	[[ $output = *"Read-only file system"*main.sh* ]]
	[ -z "$(find "$TOP/run" -name 'main.*' -o -name 'lib*')" ]
}

@test "names and contents that are hostile" {
	for name in "'; touch pwned; '.c" '$(touch pwned).c' '-o.c' 'a b.c' $'a\nb.c' '`touch pwned`.c'; do
		echo 'int main(int c, char **v) { return c == 3 && v[1][0] == 39 && !v[2][0] ? 0 : 1; }' > "$TOP/ws/$name"
		coffer code -- "./$name" "'; touch pwned; '" '' || { echo "$name"; return 1; }
	done
	[ ! -e pwned ]
	head -c 300000 /dev/urandom > noise.py
	run coffer code noise.py
	[ "$status" -eq 1 ]
	: > empty.py
	coffer code empty.py
	head -c 4194305 /dev/zero > large.py
	run coffer code large.py
	[ "$status" -eq 125 ] && [[ $output = *"more than 4 MiB"* ]]
	printf 'x = """%s"""\nprint(len(x))\n' "$(head -c 3000000 /dev/zero | tr '\0' a)" > big.py
	[ "$(coffer code big.py)" = 3000000 ]
}

@test "policy, limits and the outcome are as of coffer run" {
	status=0
	coffer code --json 3 --timeout 3s -l python -e 'import time; print(1, flush=True); time.sleep(60)' 3> o.json > out || status=$?
	[ "$status" -eq 124 ] && [ "$(cat out)" = 1 ]
	is 'd["cause"] == "timeout" and d["exit_code"] == 124'
	run coffer code --memory 64M -l python -e 'x = bytearray(1 << 28)'
	[ "$status" -ne 0 ]
	run coffer code -l python -e 'import os, signal; os.kill(os.getpid(), signal.SIGTERM)'
	[ "$status" -eq 143 ]
	run coffer code -l python -e 'import socket; socket.create_connection(("192.0.2.1", 80), 1)'
	[[ $output = *"unreachable"* ]]
	echo '{"limits": {"timeout": "50ms"}}' > s.json
	run coffer code --settings s.json -l sh -e 'sleep 9'
	[ "$status" -eq 124 ]
	coffer code --explain -l sh -e 'true' | grep -q 'FILE  *//*dev/code/main.sh'
}

@test "one timeout is over building and running" {
	coffer code --list | grep -q '^c  *here' || skip "no C compiler"
	run coffer code --timeout 2s -l c -e '#include <unistd.h>
int main(void) { for (;;) pause(); }'
	[ "$status" -eq 124 ]
	run coffer code -l c -e 'int main(void) { return oops; }'
	[ "$status" -eq 1 ] && [[ $output = *"/dev/code/main.c"*oops* ]]
}

# told: is the Python expression true of d, the lines of results.json?
told() {
	/usr/bin/python3 -c "import json; d = [json.loads(line) for line in open('results.json')]; assert $1, d"
}

@test "results of python: the last value, what is displayed, errors as data" {
	coffer code --results results.json -l python -e 'class T:
    def _repr_html_(self): return "<b>"
    def _repr_png_(self): return b"\x89PNG"
    def _repr_svg_(self): raise ValueError
    def __repr__(self): return "a T"
display(T())
print("out")
{"a": [1, 2]}' > out
	[ "$(cat out)" = out ]
	told 'len(d) == 2 and d[0] == {"type": "display", "mime": {"text/plain": "a T", "text/html": "<b>", "image/png": "iVBORw=="}}'
	told 'd[1] == {"type": "result", "mime": {"text/plain": "{'"'a'"': [1, 2]}", "application/json": {"a": [1, 2]}}}'
	run -1 coffer code --results results.json -l python -e $'def f():\n  return 1 / 0\nf()'
	[[ $output = *"ZeroDivisionError: division by zero" && $output != *.python.py* ]]
	told '[(e["name"], [(t["line"], t["function"]) for t in e["traceback"]]) for e in d] == [("ZeroDivisionError", [(3, "<module>"), (2, "f")])]'
	run -1 coffer code --results results.json -l python -e 'x = = 1'
	told 'd[0]["name"] == "SyntaxError" and d[0]["traceback"][-1]["line"] == 1 and len(d[0]["traceback"]) == 1'
	run -7 coffer code --results results.json -l python -e 'exit(7)'
	[ ! -s results.json ]
	echo 'import lib, sys; (lib.x, sys.argv[1:], __name__)' > main.py
	echo 'x = 3' > lib.py
	coffer code --results 3 main.py a 3> results.json
	told 'd[0]["mime"]["application/json"] == [3, ["a"], "__main__"]'
}

@test "results of python: a figure of matplotlib" {
	coffer run -- /usr/bin/python3 -c 'import matplotlib' 2> /dev/null || skip "no matplotlib here: apt-get install python3-matplotlib"
	PATH=/usr/bin:/bin coffer code --results results.json -l python -e 'import matplotlib.pyplot as p; p.plot([1, 2]); p.show()'
	told 'd[-1]["type"] == "display" and d[-1]["mime"]["image/png"].startswith("iVBOR")'
}

@test "results of javascript" {
	type node || skip "no node"
	coffer code --results results.json -l js -e 'const a = 4; display({ [Symbol.for("Jupyter.display")]: () => ({ "text/html": "<i>" }) }); console.log("out"); [a, "é"]' > out
	[ "$(cat out)" = out ]
	told 'd[0]["mime"]["text/html"] == "<i>" and d[1]["type"] == "result" and d[1]["mime"]["application/json"] == [4, "é"]'
	coffer code --results results.json -l js -e 'Promise.resolve(7)'
	told 'd == [{"type": "result", "mime": {"text/plain": "7", "application/json": 7}}]'
	[ "$(coffer code --results results.json -l js -e 'import fs from "fs"; console.log(await 5)')" = 5 ]
	run -1 coffer code --results results.json -l js -e $'function f() { throw new TypeError("no") }\nf()'
	[[ $output = *"TypeError: no"* && $output != *.javascript.js* ]]
	told '(d[0]["name"], d[0]["value"], [t["line"] for t in d[0]["traceback"]]) == ("TypeError", "no", [1, 2])'
	run -1 coffer code --results results.json -l js -e 'const = 3'
	told 'd[0]["name"] == "SyntaxError"'
}

@test "results are bounded as output is, are nobody else's, and not there unasked" {
	run -125 coffer code --results results.json -l sh -e true
	[[ $output = *"only python and javascript"* ]]
	run -125 coffer code --results 77 -l python -e 1
	run -1 coffer code -l python -e 'import os; os.write(5, b"x")'
	[[ $output = *"Bad file descriptor"* ]]
	run ! coffer code --output 100K --results results.json -l python -e 'while True: display("x" * 1000)'
	[ "$(stat -c %s results.json)" -le 110000 ]
	coffer code --results results.json -l python -e 'import os, subprocess; subprocess.run(["sh", "-c", "echo forged >&5"], stderr=subprocess.DEVNULL); 1'
	told 'len(d) == 1'
}

@test "typescript: with each of what can take types away, a promise awaited at the top, an error at its own line" {
	coffer code --list | grep -q '^typescript *here' || skip "no typescript here"
	mkdir bin
	ln -s "$(command -v node)" bin/node
	tried=0
	for tool in esbuild tsc; do
		rm -f bin/esbuild bin/tsc
		command -v $tool > /dev/null || continue
		ln -s "$(command -v $tool)" bin/$tool
		[ "$(PATH=$TOP/ws/bin "$COFFER" code -l ts -e 'const x: number = await Promise.resolve(4); console.log(x as number)')" = 4 ]
		PATH=$TOP/ws/bin run "$COFFER" code -l ts -e $'interface A { b: number }\n\n\nfunction f(a: A): never { throw new Error("boo") }\nf({ b: 1 })'
		[ "$status" -eq 1 ] && [[ $output = *"boo"*"main.ts:4:"* ]]
		PATH=$TOP/ws/bin run "$COFFER" code -l ts -e 'let a: = 3'
		[ "$status" -eq 1 ] && [[ $output = *main.ts* ]]
		tried=$((tried + 1))
	done
	[ "$tried" -gt 0 ] || skip "neither esbuild nor tsc"
	rm -f bin/esbuild bin/tsc
	PATH=$TOP/ws/bin run -127 "$COFFER" code -l ts -e 'const x: number = 1; console.log(x)' || :
	[ "$output" = 1 ] || [[ "$status" -eq 127 && $output = *"apt-get install esbuild"* ]]
}
