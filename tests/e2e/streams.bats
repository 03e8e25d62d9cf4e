#!/usr/bin/env bats
# Streams, terminals, and how a run ends that is interrupted.

setup() {
	load lib
	workspace
	private_state
	export COFFER MARK
}

# Python with Terminal, and C: the words of a coffer run.
at_terminal() {
	PYTHONPATH=$BATS_TEST_DIRNAME PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -c 'import os, signal, time
from terminal import Terminal
C, M = [os.environ["COFFER"], "run"], os.environ["MARK"]
'"$1"
}

sum_of() {
	sha256sum | cut -d' ' -f1
}

# ---- bytes ----

# bats test_tags=smoke
@test "64 MB of random bytes, through pipes and files, in and out: the same" {
	head -c 64M /dev/urandom > in
	want=$(sum_of < in)
	[ "$(cat in | coffer run -- cat | sum_of)" = "$want" ]
	[ "$(coffer run -- cat < in | sum_of)" = "$want" ]
	coffer run -- sh -c 'cat >&2' < in 2> err
	[ "$(sum_of < err)" = "$want" ]
	cat in | coffer run -- tee /dev/stderr 2> err > out
	[ "$(sum_of < out)" = "$want" ]
	[ "$(sum_of < err)" = "$want" ]
}

@test "through a socket, and appended to a file" {
	head -c 5M /dev/urandom > in
	/usr/bin/python3 - <<-'PY'
		import os, socket, subprocess, threading
		ours, theirs = socket.socketpair()
		data = open("in", "rb").read()
		run = subprocess.Popen([os.environ["COFFER"], "run", "--", "cat"], stdin=theirs, stdout=theirs)
		theirs.close()
		threading.Thread(target=lambda: (ours.sendall(data), ours.shutdown(socket.SHUT_WR))).start()
		back = b""
		while more := ours.recv(1 << 16):
		    back += more
		assert run.wait() == 0 and back == data
	PY
	echo first > log
	coffer run -- echo second >> log
	[ "$(cat log)" = "first
second" ]
}

@test "what the command did not read is the next reader's; what nobody reads ends the writer" {
	seq 100000 > in
	[ "$( (coffer run -- head -c 6; cat) < in | sum_of)" = "$(sum_of < in)" ]
	[ "$(coffer run -- yes | head -n 1)" = y ]
}

@test "output and errors that go to one place keep their order" {
	coffer run -- sh -c 'for i in 1 2 3 4 5 6 7 8; do echo out $i; echo err $i >&2; done' > both 2>&1
	[ "$(cat both)" = "$(for i in 1 2 3 4 5 6 7 8; do echo out $i; echo err $i; done)" ]
}

@test "closed streams are empty ones, for coffer too" {
	[ "$(coffer run -- cat 0<&-)" = "" ]
	coffer run -- true >&- 2>&-
	coffer run -- cat < /dev/null
}

# ---- a terminal ----

# bats test_tags=smoke
@test "terminal: one of its own, with the caller's size, and a resize reaches inside" {
	at_terminal '
t = Terminal(C + ["--", "sh", "-c", "tty; stty size; trap \"stty size\" WINCH; echo ready; while :; do sleep 0.1; done"], 31, 97)
t.expect("/dev/pts/0|/dev/console")
t.expect("31 97")
t.expect("ready")
t.resize(40, 120)
t.expect("40 120")
t.send("\x03")
assert t.end() == 130'
}

# bats test_tags=smoke
@test "terminal: Ctrl-C ends the foreground command, and coffer with it, 130" {
	at_terminal '
t = Terminal(C + ["--", "/usr/bin/python3", "-c", "import signal, time; signal.signal(2, signal.SIG_DFL); print(\"ready\", flush=True); time.sleep(1000)", M])
t.expect("ready")
t.send("\x03")
assert t.end() == 130'
	wait_until none_marked
}

@test "terminal: job control of a shell inside" {
	at_terminal '
t = Terminal(C + ["--env", "PS1=@@ ", "--", "bash", "--norc", "--noprofile", "-i"])
t.expect("@@ ")
t.send("sleep " + M + "\r")
time.sleep(0.5)
t.send("\x1a")
t.expect("Stopped")
t.expect("@@ ")
t.send("jobs\r")
t.expect("Stopped +sleep")
t.send("fg\r")
t.expect("sleep")
time.sleep(0.5)
t.send("\x03")
t.expect("@@ ")
t.send("echo still $((40 + 2))\r")
t.expect("still 42")
t.send("exit 7\r")
assert t.end() == 7'
	wait_until none_marked
}

@test "terminal: echo, line editing and end of file; the modes are the caller's again" {
	at_terminal '
t = Terminal(["sh", "-c", "stty -a > before; $COFFER run -- cat; echo status $?; stty -a > after"])
time.sleep(1)
t.send("wrongg\x7f\r")
t.expect("wrong[^g\r]*\r\nwrong\r\n|wrongg.*\r\nwrong\r\n")
t.send("\x04")
t.expect("status 0")
assert t.end() == 0'
	cmp before after
}

@test "terminal: left in order when the sandbox is cut off" {
	at_terminal '
t = Terminal(["sh", "-c", "stty -a > before; $COFFER run --timeout 1s -- sh -c \"stty raw -echo; sleep 100\"; echo status $?; stty -a > after"])
t.expect("status 124")
assert t.end() == 0'
	cmp before after
}

@test "terminal: coffer as a job of the shell outside" {
	at_terminal '
t = Terminal(["env", "PS1=@@ ", "bash", "--norc", "--noprofile", "-i"])
t.expect("@@ ")
t.send("$COFFER run -- sleep " + M + " < /dev/null\r")
time.sleep(1)
t.send("\x1a")
t.expect("Stopped")
t.expect("@@ ")
t.send("kill -INT %1; fg; echo status $?\r")
t.expect("status 130")
t.send("exit\r")
t.end()'
	wait_until none_marked
}

# ---- interrupts ----

# bats test_tags=smoke
@test "a second Ctrl-C ends a command that ignores the first" {
	at_terminal '
t = Terminal(C + ["--", "sh", "-c", "trap \"\" INT; echo ready; while :; do sleep 0.1 " + M + "; done"], streams=(1, 2))
t.expect("ready")
t.send("\x03")
time.sleep(0.5)
assert t.is_over() is None
t.send("\x03")
assert t.end() == 137'
	wait_until none_marked
}

@test "the first one is the command's: it may clean up, and its status counts" {
	at_terminal '
t = Terminal(C + ["--", "sh", "-c", "trap \"echo cleaning; sleep 1; echo clean; exit 3\" INT; echo ready; while :; do sleep 0.1; done"], streams=(1, 2))
t.expect("ready")
t.send("\x03")
os.kill(t.pid, signal.SIGINT)
t.expect("cleaning")
t.expect("clean\r")
assert t.end() == 3'
}

@test "an interrupt while coffer waits for a slow reader ends it" {
	mkfifo pipe
	sleep 1000 < pipe &
	reader=$!
	"$COFFER" run --json 3 -- head -c 300000 /dev/zero 3> o.json > pipe &
	pid=$!
	sleep 1
	kill -INT $pid 2> /dev/null || :
	sleep 0.3
	kill -INT $pid 2> /dev/null || :
	status=0
	wait $pid || status=$?
	kill $reader
	nothing_left
}

# ---- ends that nobody planned ----

@test "coffer killed with -9 takes the sandbox along; gc clears what it had made" {
	for round in 1 2 3; do
		"$COFFER" run -- sh -c "(setsid sh -c 'trap \"\" HUP TERM; sleep $MARK' &); echo ready; sleep $MARK" > out 2> err &
		pid=$!
		wait_until grep -q ready out
		run_id=$(ls "$XDG_RUNTIME_DIR/coffer/journal" 2> /dev/null || :)
		kill -KILL $pid
		wait $pid || :
		wait_until none_marked
		coffer gc
		! ls -A "$XDG_RUNTIME_DIR/coffer/journal" 2> /dev/null | grep .
		[ -z "$run_id" ] || ! find /sys/fs/cgroup -type d -name "coffer-$run_id" 2> /dev/null | grep .
	done
}

@test "the next start clears as well, and leaves runs alone that go on" {
	"$COFFER" run -- sh -c "echo ready; sleep $MARK" > one &
	first=$!
	"$COFFER" run -- sh -c "echo ready; sleep $MARK" > two &
	second=$!
	wait_until grep -q ready one
	wait_until grep -q ready two
	kill -KILL $first
	wait $first || :
	coffer run -- true
	kill -0 $second
	[ "$(ls "$XDG_RUNTIME_DIR/coffer/journal" 2> /dev/null | wc -l)" -le 1 ]
	kill -TERM $second
	status=0
	wait $second || status=$?
	[ "$status" -eq 143 ]
	! ls -A "$XDG_RUNTIME_DIR/coffer/journal" 2> /dev/null | grep .
	wait_until none_marked
}

@test "after ${CHECK_LEAK_RUNS:-100} runs nothing is left (CHECK_LEAK_RUNS=1000 is the long form)" {
	runs=${CHECK_LEAK_RUNS:-100}
	mkdir "$TOP/tmp"
	export TMPDIR=$TOP/tmp
	ls -A /tmp | grep -v '^coffer-e2e' > "$TOP/tmp-before" || :
	coffer run -- true
	find "$XDG_RUNTIME_DIR" | sort > "$TOP/state-before"
	for i in $(seq "$runs"); do
		case $((i % 4)) in
		0) coffer run --write . -- sh -c "sleep $MARK & exit 0" ;;
		1) coffer run --json 3 -- false 3> o.json || : ;;
		2) coffer run --timeout 20ms -- sleep "$MARK" 2> /dev/null || : ;;
		3) coffer run --quiet -- sh -c 'echo x > /tmp/x; : > /etc/no' 2> /dev/null || : ;;
		esac
	done
	wait_until none_marked
	! grep coffer-e2e /proc/self/mounts
	! ls -A "$XDG_RUNTIME_DIR/coffer/journal" 2> /dev/null | grep .
	find "$XDG_RUNTIME_DIR" -path '*/records/*' -prune -o -print | grep -v '/records$' | sort | diff "$TOP/state-before" -
	[ "$(find "$XDG_RUNTIME_DIR" -path '*/records/*' | wc -l)" -le 33 ] # the last 32 that had something to tell
	[ -z "$(ls -A "$TMPDIR")" ]
	[ -z "$(ls -A .)" ] || [ "$(ls -A .)" = o.json ]
	PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$BATS_TEST_DIRNAME/leaks.py" "$runs"
}
