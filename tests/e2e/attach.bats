#!/usr/bin/env bats
# Terminals that one can leave and come back to, and output that is more than was asked for.
bats_require_minimum_version 1.5.0
load lib

setup() {
	workspace
	private_state
	export XDG_DATA_HOME=$TOP/data COFFER MARK
	mkdir -m 700 "$XDG_DATA_HOME"
	"$COFFER" session create one
}

teardown() {
	"$COFFER" session rm one
	rm -rf "$TOP"
}

start_terminal() {
	"$COFFER" session start --tty "$@" > started
}

field() {
	"$COFFER" session ps one "$1" | python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2"
}

# Python with Terminal, and A: the words of an attachment to the session's terminal.
at_terminal() {
	PYTHONPATH=$BATS_TEST_DIRNAME PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -c 'import os, signal, sys, time
from terminal import Terminal
A = [os.environ["COFFER"], "session", "attach", "one"]
LEAVE = "\x10\x11"
'"$1"
}

@test "a shell is left and found again: screen, size, keys, and its exit status at last" {
	start_terminal --env 'PS1=@@ ' one -- bash --norc --noprofile -i
	[ "$(field 1 terminal)" = True ]
	at_terminal '
t = Terminal(A, 31, 97)
t.expect("@@ ")
t.send("stty size; x=kept\r")
t.expect("31 97\r\n")
t.resize(40, 100)
time.sleep(0.3)
t.send("stty size; tty\r")
t.expect("40 100\r\n/dev/")
t.send(LEAVE)
t.expect("detached")
assert t.end() == 0
t = Terminal(A, 20, 60)
t.expect(r"31 97[\s\S]*40 100")
t.expect("@@ ")
time.sleep(0.2)
t.send("echo =$x=; stty size\r")
t.expect("=kept=\r\n20 60\r\n")
t.send("exit 7\r")
assert t.end() == 7, t.screen
'
	[ "$(field 1 status) $(field 1 exit_code)" = "exited 7" ]
	run -7 "$COFFER" session attach one 1
	[[ "$output" = *=kept=* ]]
}

@test "the terminal in front is raw meanwhile, and in order afterwards; ^C is the command's" {
	start_terminal --env 'PS1=@@ ' one -- bash --norc --noprofile -i
	at_terminal '
t = Terminal(["sh", "-c", "stty -a > before; $COFFER session attach one; echo status $?; stty -a > after"])
t.expect("@@ ")
t.send("sleep 1000\r")
time.sleep(0.5)
t.send("\x03")
t.expect("@@ ")
t.send("echo $?\r")
t.expect("130\r\n")
t.send(LEAVE)
t.expect("status 0")
t.end()
'
	cmp before after
	[ "$(field 1 status)" = running ]
}

@test "who attaches may die, and others are attached at the same time: the command does not notice" {
	start_terminal one -- sh -c 'stty -echo; while read -r line; do echo "<$line>"; done'
	at_terminal '
a, b = Terminal(A), Terminal(A + ["1"])
time.sleep(0.5)
a.send("first\r")
for t in a, b: t.expect("<first>")
b.send("second\r")
for t in a, b: t.expect("<second>")
os.kill(a.pid, signal.SIGKILL)
b.send("third\r")
b.expect("<third>")
os.kill(b.pid, signal.SIGTERM)
assert b.end() == 0
c = Terminal(A)
c.expect("<first>\r\n<second>\r\n<third>")
c.send("\x04")
assert c.end() == 0
'
	[ "$(field 1 status) $(field 1 exit_code)" = "exited 0" ]
}

@test "sixteen are attached, the next one is refused, and comes when one has left" {
	start_terminal one -- sh -c 'echo here; read -r line'
	at_terminal '
all = [Terminal(A) for _ in range(16)]
for t in all: t.expect("here")
no = Terminal(A)
no.expect("16 are attached")
assert no.end() == 125
all[3].send(LEAVE)
assert all[3].end() == 0
yes = Terminal(A)
yes.expect("here")
yes.send("\r")
for t in all[:3] + all[4:] + [yes]: assert t.end() == 0
'
}

@test "the keys that detach can be chosen; those that turn out to be none are the command's" {
	start_terminal one -- sh -c 'stty raw -echo; echo ready; exec cat -v'
	at_terminal '
t = Terminal(A)
t.expect("ready")
t.send("\x10x\x10\x10y")
t.expect(r"\^Px\^P\^Py")
t.send(LEAVE)
assert t.end() == 0
t = Terminal(A[:3] + ["--detach-keys", "ctrl-a,d"] + A[3:])
t.expect(r"\^P\^Py")
t.send(LEAVE + "z\x01z")
t.expect(r"\^P\^Qz\^Az")
t.send("\x01d")
assert t.end() == 0
'
	run -125 "$COFFER" session attach --detach-keys ctrl-,q one
	[[ "$output" = *--detach-keys* ]]
	run -125 "$COFFER" session attach --replay much one
	[[ "$output" = *--replay* ]]
}

@test "a command without a terminal: both streams from here on, its exit status, and no keys" {
	"$COFFER" session start one -- sh -c 'echo out; echo err >&2; sleep 1; echo later; exit 3' > /dev/null
	run -3 --separate-stderr "$COFFER" session attach one < /dev/null
	[ "$output" = "out
later" ]
	[ "$stderr" = err ]
	run -3 --separate-stderr "$COFFER" session attach --replay 0 one 1
	[ -z "$output" ]
	run -125 "$COFFER" session attach one
	[[ "$output" = *"nothing runs there"* ]]
	run -125 "$COFFER" session attach one 99
	run -125 "$COFFER" session attach
}

@test "only the last bytes are kept, from the beginning of a line on; who is attached gets all of them" {
	start_terminal one -- sh -c 'stty -opost; seq -f "line %.0f" 300000; echo end; read -r line; seq -f "more %.0f" 20000; echo over'
	wait_until eval '"$COFFER" session logs one 1 | tail -c 10 | grep -q end'
	at_terminal '
t = Terminal(A, 24, 80)
t.expect("^line ([0-9]+)\n")
t.expect("end\n")
t.send("\r")
t.expect("over\n")
assert t.end() == 0
'
	"$COFFER" session attach --replay 1M one 1 > all
	[ "$(grep -c '^more' all)" = 20000 ]
}

@test "a shell at a terminal ends when it is stopped, and its keeper is no copy of who started it" {
	start_terminal one -- bash --norc -i
	keeper=$(for process in $(pgrep -x coffer-keeper); do
		ls -l "/proc/$process/fd" 2> /dev/null | grep -q "$XDG_DATA_HOME/coffer/sessions/one/execs/1/lock" && echo "$process"
	done) || :
	[ "$(basename "$(readlink "/proc/$keeper/exe")")" = coffer-session ]
	begun=$SECONDS
	"$COFFER" session stop-process one 1
	[ $((SECONDS - begun)) -lt 4 ]
	[ "$(field 1 status)" = stopped ]
}

@test "when the session ends, so does the attachment" {
	start_terminal one -- sh -c 'echo here; sleep 1000'
	at_terminal '
import subprocess
t = Terminal(A)
t.expect("here")
subprocess.run([os.environ["COFFER"], "session", "pause", "one"], check=True)
subprocess.run([os.environ["COFFER"], "session", "rm", "one"], check=True)
assert t.end() == 125
'
	"$COFFER" session create one
}

# ---- more output than was asked for ----

# field_of EXPRESSION: of the outcome d in o.json.
field_of() {
	python3 -c 'import json,sys; d = json.load(open("o.json")); print(eval(sys.argv[1]))' "$1"
}

@test "--max-output: head and tail, the whole in a file that goes with the session; the outcome says where" {
	seq 200000 > whole
	"$COFFER" session exec --max-output 2K --json 3 one -- sh -c 'seq 200000; seq 300 >&2; echo err 5 >&2' > out 2> err 3> o.json
	[ "$(head -c 1024 out)" = "$(head -c 1024 whole)" ]
	[ "$(tail -c 1024 out)" = "$(tail -c 1024 whole)" ]
	path=$(field_of 'd["stdout_spilled"]["path"]')
	cmp "$path" whole
	[[ "$path" = "$XDG_DATA_HOME"/coffer/sessions/one/* ]]
	grep -qF "[coffer: $(($(wc -c < whole) - 2048)) bytes are left out here; all of it is in $path]" out
	[ "$(wc -c < out)" -lt 2500 ]
	[ "$(field_of 'd["stdout_spilled"]["complete"], d["stdout_truncated"], d["stdout_spilled"]["written_bytes"], d["stderr_spilled"], d["stderr_truncated"]')" = "(True, True, $(wc -c < whole), None, False)" ]
	[ "$(cat err)" = "$(seq 300; echo err 5)" ]
	run ! "$COFFER" session exec one -- sh -c "echo x >> $path"
	cmp "$path" whole
	"$COFFER" session rm one
	[ ! -e "$path" ]
	"$COFFER" session create one
}

@test "--max-output: what is not too much is whole, no file is made, and exit status and order stay" {
	run -3 "$COFFER" session exec --max-output 4K one -- sh -c 'seq 900; exit 3'
	[ "$output" = "$(seq 900)" ]
	[ -z "$(find "$XDG_DATA_HOME/coffer/sessions/one" -name '*.stdout')" ]
	head -c 20M /dev/urandom > in
	"$COFFER" session exec --max-output 30M one -- cat < in | cmp - in
	mkfifo pipe
	(sleep 1; cat) < pipe > out &
	"$COFFER" session exec --max-output 12M one -- cat < in > pipe
	wait
	cmp -n $((6 << 20)) out in
	cmp <(tail -c 6M out) <(tail -c 6M in)
	run -125 "$COFFER" session exec --max-output 65M one -- true
	run -125 "$COFFER" session exec --max-output x one -- true
	run -125 "$COFFER" session exec --max-output 0 one -- true
}

@test "--spill: a ceiling for the file, and none; a reader that goes away, a timeout, a terminal" {
	"$COFFER" session exec --max-output 1K --spill 10K --json 3 one -- seq 100000 > out 3> o.json
	[ "$(field_of 'd["stdout_spilled"]["complete"], d["stdout_spilled"]["file_bytes"], d["stdout_spilled"]["errno"]')" = "(False, 10240, 0)" ]
	cmp "$(field_of 'd["stdout_spilled"]["path"]')" <(seq 100000 | head -c 10240)
	"$COFFER" session exec --max-output 1K --spill 0 --json 3 one -- seq 100000 > out 3> o.json
	[ "$(field_of 'd["stdout_spilled"]["path"]')" = None ]
	timeout 20 "$COFFER" session exec --max-output 1M one -- yes | head -n 1
	run -124 --separate-stderr "$COFFER" session exec --max-output 1K --timeout 1s one -- sh -c 'seq 1000; echo last; sleep 100'
	[[ "$output" = *last ]]
	"$COFFER" session exec --tty --max-output 1K one -- seq 5000 < /dev/null | tr -d '\r' > out
	[ "$(tail -n 1 out)" = 5000 ]
	grep -q 'all of it is in' out
}

@test "--max-output on a full disk: head and tail as ever, and it is said" {
	[ "$(id -u)" = 0 ] || skip "a small file system is root's to mount"
	"$COFFER" session rm one
	cp -r "$XDG_DATA_HOME" "$TOP/small"
	unshare --mount sh -c '
		set -e
		mount -t tmpfs -o size=400k,mode=700 none "$1/small"
		export XDG_DATA_HOME=$1/small
		"$COFFER" session create two > /dev/null
		"$COFFER" session exec --max-output 2K --json 3 two -- seq 200000 > out 3> o.json
		"$COFFER" session rm two' - "$TOP"
	[ "$(tail -n 1 out)" = 200000 ]
	grep -q 'its beginning is in .*: No space left on device\]' out
	[ "$(field_of 'd["exit_code"], d["stdout_spilled"]["errno"], d["stdout_spilled"]["complete"]')" = "(0, 28, False)" ]
	"$COFFER" session create one
}

@test "the oldest files make room: a session keeps no more than a gibibyte of them" {
	"$COFFER" session exec --max-output 1K one -- seq 1000 > /dev/null
	old=$(find "$XDG_DATA_HOME/coffer/sessions/one/output" -type f)
	fallocate -l 900M "$XDG_DATA_HOME/coffer/sessions/one/output/000000000000.stdout" || skip "no room for 900 MB"
	touch -d '2001-01-01' "$XDG_DATA_HOME/coffer/sessions/one/output/000000000000.stdout"
	"$COFFER" session exec --max-output 1K --spill 256M one -- seq 1000 > /dev/null
	[ ! -e "$XDG_DATA_HOME/coffer/sessions/one/output/000000000000.stdout" ]
	[ -e "$old" ]
}
