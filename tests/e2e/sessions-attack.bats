# What runs in a session against what keeps it: its process 1, its supervisor, other sessions, the host that takes its changes over.
bats_require_minimum_version 1.5.0
load lib

setup() {
	work="$BATS_TEST_TMPDIR/work"
	mkdir "$work"
	cd "$work"
	export XDG_DATA_HOME="$work/data" # where a sandbox can see it
	mkdir -m 700 "$XDG_DATA_HOME"
}

teardown() {
	for directory in "$XDG_DATA_HOME"/coffer/sessions/*/; do
		[ -d "$directory" ] && "$COFFER" session rm "$(basename "$directory")" || :
	done
}

supervisor_of() {
	for process in $(pgrep -x coffer-session); do
		ls -l "/proc/$process/fd" 2>/dev/null | grep -q "$XDG_DATA_HOME/coffer/sessions/$1/lock" && echo "$process"
	done
}

@test "who stops the next command before it executes delays process 1, and does not hold it; a timeout still comes" {
	"$COFFER" session create one
	cat > stopper.py <<-'END'
		import os, signal, time
		next = os.getpid() + 1
		while True:
		    try:
		        os.kill(next, signal.SIGSTOP)
		    except OSError:
		        continue
		    time.sleep(0.05)
		    next += 1
	END
	"$COFFER" session exec --timeout 3s one -- python3 -c "$(cat stopper.py)" &
	sleep 0.7
	for _ in 1 2 3 4; do
		timeout 15 "$COFFER" session exec --timeout 1s one -- true || [ $? = 124 ] # 124: it was stopped later than that
	done
	status=0
	wait $! || status=$?
	[ "$status" = 124 ]
	[ "$(timeout 5 "$COFFER" session exec one -- sh -c 'ls -d /proc/[0-9]* | wc -l')" -le 4 ]
}

@test "who stops it again and again is ended all the same, and the session goes on" {
	"$COFFER" session create one
	cat > stopper.c <<-'END'
		#include <signal.h>
		#include <unistd.h>
		int main(void) { for (int next = getpid() + 1;;) (void)kill(next, SIGSTOP); }
	END
	cc -O2 -static -o stopper stopper.c
	"$COFFER" session exec --timeout 3s one -- ./stopper &
	sleep 0.7
	run timeout 10 "$COFFER" session exec --timeout 5s one -- true # it may have been quicker
	status=0
	wait $! || status=$?
	[ "$status" = 124 ]
	timeout 5 "$COFFER" session exec one -- true
}

say_hello() {
	cat > connect.py <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		try:
		    s.connect(sys.argv[1])
		    print(len(s.recvmsg(4096, 256)[0]))
		except OSError as e:
		    print(e)
	END
}

@test "a sandbox that may use every socket it sees is not let in by a supervisor" {
	"$COFFER" session create other
	say_hello
	socket="$XDG_DATA_HOME/coffer/sessions/other/socket"
	[ "$(python3 connect.py "$socket")" -gt 0 ] # outside it is greeted
	run "$COFFER" run --view host --allow-all-unix-sockets -- python3 connect.py "$socket"
	[ "$output" = 0 ] || [[ "$output" =~ Errno ]]
}

@test "nor is one of the second rung, which has the namespaces of the host" {
	[ "$(id -u)" != 0 ] || skip "root's sandboxes are other users: tests/as-user runs this"
	second_rung() { "${COFFER%/*}/tests/e2e-without" userns -- "$COFFER" "$@"; }
	say_hello
	"$COFFER" session create other
	socket="$XDG_DATA_HOME/coffer/sessions/other/socket"
	[ "$(python3 connect.py "$socket")" -gt 0 ]
	run second_rung run --require landlock --view host --allow-all-unix-sockets -- python3 -c "$(cat connect.py)" "$socket"
	[ "$output" = 0 ] || [[ "$output" =~ Errno ]]
	"$COFFER" session exec other -- true
}

@test "a session whose directory has become a link is not made anew" {
	mkdir sub secret
	cd sub
	"$COFFER" session create --write . one
	kill -9 "$(supervisor_of one)"
	cd "$work"
	mv sub old
	ln -s secret sub
	wait_until eval '! supervisor_of one | grep -q .'
	run ! "$COFFER" session exec one -- sh -c "echo x > $work/secret/file"
	[[ "$output" == *"leads to"* ]]
	[ ! -e secret/file ]
	rm sub
	mv old sub
	"$COFFER" session exec one -- touch file
	[ -e sub/file ]
}

@test "links that lead out of the tree only together are not applied" {
	mkdir -p a/b t
	XDG_DATA_HOME="$BATS_TEST_TMPDIR/data"
	mkdir -m 700 "$XDG_DATA_HOME"
	"$COFFER" try -- sh -c 'ln -s ../../t a/b/in; ln -s in/../../secret a/b/out'
	run ! "$COFFER" apply
	[[ "$output" == *"leads out"* ]]
	[ ! -L a/b/in ] && [ ! -L a/b/out ]
}

@test "a command that could not be found again by its tag is not started" {
	prlimit --rttime=1000000:1000000 "$COFFER" session create one
	run ! "$COFFER" session exec one -- touch file
	[ ! -e file ]
}

# Its mark is one byte that no refusal's message has.
hidden_with() {
	run -0 "$COFFER" run "$@" -- sh -c "cat '$DATA/sessions/other/record' '$DATA/sessions/other/settings' '$DATA'/workspaces/*/upper/file; \
		ls '$DATA' '$DATA/sessions' '$XDG_RUNTIME_DIR/coffer'; touch '$DATA/planted'; mv '$work/data' '$work/moved'; true"
	[[ "$output" != *secret-* && "$output" != *"sessions"$'\n'* && "$output" != *journal$'\n'* ]]
	[ ! -e "$DATA/planted" ] && [ -d "$DATA" ]
}

@test "no view and no rule shows a sandbox what coffer keeps of other sandboxes" {
	export XDG_RUNTIME_DIR="$work/runtime" DATA="$XDG_DATA_HOME/coffer"
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	mkdir tree
	cd tree
	"$COFFER" session create --copy --label owner=secret-label --hostname secret-setting other
	cd "$work"
	"$COFFER" session exec other -- sh -c 'echo secret-text > file'
	grep -q secret-label "$DATA/sessions/other/record"
	grep -q secret-setting "$DATA/sessions/other/settings"
	cat "$DATA"/workspaces/*/upper/file
	hidden_with --view host --allow-read "$work"
	hidden_with --allow-read "$work"
	hidden_with --allow-write "$work"
	hidden_with --allow-write "$work" --no-protected-places --no-hide-credentials
	hidden_with --view host --allow-write "$work"
	ln -s "$work" "$BATS_TEST_TMPDIR/link"
	hidden_with --allow-read "$BATS_TEST_TMPDIR/link" --allow-read "$work"
	run ! "$COFFER" run --allow-read "$DATA/sessions" -- true
	[[ "$output" == *"--allow-read"*"coffer's own"* ]]
	ln -s "$DATA/sessions" inside
	run ! "$COFFER" run --allow-read "$work/inside" -- true
	[[ "$output" == *"coffer's own"* ]]
	[ "$("$COFFER" session exec other -- cat file)" = secret-text ] # its own it has
}

@test "a working tree inside of coffer's own data is refused" {
	XDG_DATA_HOME="$BATS_TEST_TMPDIR/data"
	mkdir -m 700 "$XDG_DATA_HOME"
	"$COFFER" try -- touch changed-name
	cd "$XDG_DATA_HOME"/coffer/workspaces/*/upper
	run ! "$COFFER" try -- true
	[[ "$output" == *"coffer's own data lies"* ]]
	run "$COFFER" run --view host -- sh -c 'ls -A; cat record ../record'
	[[ "$output" != *changed-name* && "$output" != *version* ]]
}
