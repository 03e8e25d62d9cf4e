#!/usr/bin/env bats
# coffer verify: what it says, in which order, and that reading hostile programs harms nobody.

setup() {
	load lib.bash
	PROGRAM=${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build}/coffer-verify
	[ -x "$PROGRAM" ] || skip "coffer-verify was not built: tools/deps build fetches the grammars"
	cd "$BATS_TEST_TMPDIR" || exit
}

# What is said of a program on standard input, a message a line.
messages() {
	coffer verify --language "${LANGUAGE:-python}" --format json "$@" - | jq -r '.files[0].findings[].message'
}

# bats test_tags=smoke
@test "findings have rule, place, the line with a caret, the reason and the way to allow them; exit status 1, and 0 without any" {
	printf 'import os\n\tdef\n' > broken.py
	printf 'import os, subprocess\ndef f(x):\n    os.system("\303\251" + x)\n' > a.py
	run coffer verify --mode anvil a.py
	[ "$status" = 1 ]
	[ "${lines[0]}" = "a.py:1:12: error: Blocked import: subprocess [blocked-import]" ]
	[ "${lines[1]}" = "     1 | import os, subprocess" ]
	[ "${lines[2]}" = "       |            ^^^^^^^^^^" ]
	[[ "${lines[4]}" = *"coffer verify --allow blocked-import" ]]
	[ "${lines[5]}" = "a.py:3:5: error: Dangerous call: os.system() [dangerous-call]" ]
	[ "${lines[7]}" = "       |     ^^^^^^^^^^^^^^^^^^" ]
	run coffer verify --mode anvil --allow blocked-import --allow dangerous-call a.py
	[ "$status" = 0 ]
	[ "$output" = "1 program: nothing to report" ]
	run coffer verify nothing-there.py
	[ "$status" = 125 ]
	run coffer verify --mode anvil --allow no-such-rule a.py
	[ "$status" = 125 ]
	[[ "$output" != *Traceback* ]]
}

@test "anvil: messages come in the order of ast.walk, and a mistake of syntax is alone and in CPython's words" {
	run messages --mode anvil << 'END'
@eval(1)
def f(x=exec("d"), *, y=compile("k")) -> globals():
    return getattr(open(x), "y") if locals() else delattr(x, "z")
class C(setattr()): pass
from multiprocessing.pool import Pool
os.execv("a"); os.spawnlp("b"); os.system("c")
END
	expected=$(python3 -c '
import sys; sys.path.insert(0, "'"$BATS_TEST_DIRNAME"'"); import verify_oracle
print("\n".join(verify_oracle.expected(sys.stdin.read())))' << 'END'
@eval(1)
def f(x=exec("d"), *, y=compile("k")) -> globals():
    return getattr(open(x), "y") if locals() else delattr(x, "z")
class C(setattr()): pass
from multiprocessing.pool import Pool
os.execv("a"); os.spawnlp("b"); os.system("c")
END
	)
	[ "$output" = "$expected" ]
	for program in 'eval(1)\nx = (' 'f(a=1, 2)' '"a" = 3' 'def f():\nx' 'if x:\n\ty\n        z' 'print "x"' 'x = 1 +' "f'{'" 'a\0b'; do
		printf "$program" > p.py
		python3 -W ignore -c 'import ast
try: ast.parse(open("p.py").read())
except Exception as error: print(f"Syntax error: {error}")' > expected
		coffer verify --mode anvil --format json p.py | jq -r '.files[0].findings[].message' > said || true
		diff expected said
	done
}

@test "anvil: the policy's switches let through what they let through there" {
	[ -z "$(echo 'import socket; from socket import x' | messages --mode anvil --allow network)" ]
	[ "$(echo 'import socket.x; from socket.y import x' | messages --mode anvil --allow network)" = 'Blocked import: socket.y' ]
	[ -z "$(echo 'open("x"); subprocess.run(1)' | messages --mode anvil --allow write --allow process)" ]
	[ "$(echo 'import subprocess; a.b()' | messages --mode anvil --allow process)" = "Blocked import: subprocess" ]
	[ "$(echo 'import os; eval(1); foo()' | messages --mode anvil --block-imports os,re --block-functions foo)" = "$(printf 'Blocked import: os\nBlocked function call: foo()')" ]
	[ -z "$(echo 'import socket; eval(1)' | messages --mode anvil --block-imports '' --block-functions '')" ]
}

# bats test_tags=once
@test "anvil: the same messages in the same order as CPython's ast gives, over its standard library and its tests" {
	run python3 "$BATS_TEST_DIRNAME/verify_oracle.py" "$PROGRAM" /usr/lib/python3.11
	echo "$output"
	# What CPython's ast takes and the grammar does not is told as broken, and then CPython is asked (the test above).
	[[ "${lines[-1]}" = *" broken-here-only "[0-2]" differ 0 "* ]]
}

@test "hostile programs: what bursts the parser is told of it alone, and its neighbours are judged" {
	python3 - << 'END'
for name, text in {
    "a": "eval(1)\n", "parens": "(" * 900000, "calls": "f(" * 400000, "lambda": "lambda:" * 140000, "brackets": "[" * 500000 + "]" * 500000,
    "unary": "-" * 1000000 + "1", "dots": "a" + ".b" * 500000, "chain": "a" + "=a" * 500000, "or": "a" + " or a" * 200000,
    "nul": "\0" * 1000000, "strings": '"a"' * 300000, "fstring": 'f"{' * 300000, "else": "if a:pass\n" + "elif a:pass\n" * 80000,
    "decorators": "@a\n" * 300000 + "def f(): pass\n", "bytes": "\udcff" * 1000000, "z": "exec(1)\n",
}.items():
    with open(f"{name}.py", "w", errors="surrogateescape") as file:
        file.write(text)
END
	run coffer verify --mode anvil --format json a.py parens.py calls.py lambda.py brackets.py unary.py dots.py chain.py or.py nul.py strings.py fstring.py else.py decorators.py bytes.py z.py
	[ "$status" = 1 ]
	echo "$output" | jq -c '.files[] | [.file, .findings[0].message]'
	[ "$(echo "$output" | jq -r '.files[0].findings[].message')" = "Blocked function call: eval()" ]
	[ "$(echo "$output" | jq -r '.files[-1].findings[].message')" = "Blocked function call: exec()" ]
	python3 -c 'open("long.py", "w").write("#" * ((1 << 20) + 1))'
	run coffer verify long.py
	[ "$status" = 125 ]
	[[ "$output" = *"more than 1 MiB"* ]]
}

@test "what a program says is escaped on its way to the terminal, and JSON and SARIF stay well formed" {
	printf 'eval("\033[31m\r\n' > 'e.py'
	printf 'eval("\033]0;x\007\342\200\256") #\n' > "$(printf 'n\033[1m.py')"
	run coffer verify --mode anvil "$(printf 'n\033[1m.py')"
	[ "$status" = 1 ]
	[[ "$output" != *$'\033'* ]]
	[[ "$output" != *$'\342\200\256'* ]]
	coffer verify --mode anvil --format json e.py "$(printf 'n\033[1m.py')" | jq -e '.findings == 2'
	coffer verify --mode anvil --format sarif e.py "$(printf 'n\033[1m.py')" | jq -e '.version == "2.1.0" and (.runs[0].results | length) == 2 and (.runs[0].tool.driver.rules | length) == 2'
}

# bats test_tags=once
@test "strict: more than 300 ways around a list of names are caught, and what is harmless is not reported" {
	run python3 "$BATS_TEST_DIRNAME/verify_evasions.py" "$PROGRAM" "$BATS_TEST_DIRNAME/evasions.txt"
	echo "$output"
	[ "$status" = 0 ]
	[[ "${lines[-1]}" =~ ^caught\ ([0-9]+)\ missed ]]
	[ "${BASH_REMATCH[1]}" -ge 300 ]
}
