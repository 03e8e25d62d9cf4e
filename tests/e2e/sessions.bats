# Sessions: sandboxes that stay.
bats_require_minimum_version 1.5.0
load lib

setup() {
	export XDG_DATA_HOME="$BATS_TEST_TMPDIR/data"
	mkdir -m 700 "$XDG_DATA_HOME"
	work="$BATS_TEST_TMPDIR/work"
	mkdir "$work"
	cd "$work"
}

teardown() {
	for directory in "$XDG_DATA_HOME"/coffer/sessions/*/; do
		[ -d "$directory" ] && "$COFFER" session rm "$(basename "$directory")" || :
	done
}

state_of() {
	"$COFFER" session ls --json | python3 -c 'import json,sys; print(next(s["state"] for s in json.load(sys.stdin) if s["id"] == sys.argv[1]))' "$1"
}

# Is there a process of this command line inside the session?
lives() {
	"$COFFER" session exec "$1" -- pgrep -f "$2"
}

# Whoever holds the lock.
supervisor_of() {
	for process in $(pgrep -x coffer-session); do
		ls -l "/proc/$process/fd" 2>/dev/null | grep -q "$XDG_DATA_HOME/coffer/sessions/$1/lock" && echo "$process"
	done
}

until_true() {
	for _ in $(seq 100); do
		if "$@"; then return 0; fi
		sleep 0.05
	done
	return 1
}

@test "a command in a session: streams, status, cause, directory, variables" {
	"$COFFER" session create --write . one
	[ "$(echo in | "$COFFER" session exec one -- cat)" = in ]
	[ "$("$COFFER" session exec one -- sh -c 'echo out; echo err >&2' 2>/dev/null)" = out ]
	run -7 "$COFFER" session exec one -- sh -c 'exit 7'
	run -143 "$COFFER" session exec one -- sh -c 'kill -15 $$'
	run -127 "$COFFER" session exec one -- nosuch
	[ "$("$COFFER" session exec --cwd /usr one -- pwd)" = /usr ]
	mkdir sub
	[ "$("$COFFER" session exec --cwd sub one -- pwd)" = "$work/sub" ]
	[ "$(A=outer "$COFFER" session exec --env A=1 --env B=2 one -- sh -c 'echo $A$B$C')" = 12 ]
	[ "$("$COFFER" session exec --env HOME one -- sh -c 'echo ${HOME-none}')" = none ]
	"$COFFER" session exec --json 3 one -- sh -c 'exit 3' 3> "$BATS_TEST_TMPDIR/outcome" || :
	python3 -c 'import json,sys; o=json.load(open(sys.argv[1])); assert o["exit_code"] == 3 and o["cause"] == "exit", o' "$BATS_TEST_TMPDIR/outcome"
}

@test "bytes go through unchanged, in both directions" {
	"$COFFER" session create one
	head -c 5000000 /dev/urandom > "$BATS_TEST_TMPDIR/bytes"
	"$COFFER" session exec one -- cat < "$BATS_TEST_TMPDIR/bytes" | cmp - "$BATS_TEST_TMPDIR/bytes"
}

@test "files and processes stay from one command to the next" {
	"$COFFER" session create --write . one
	"$COFFER" session exec one -- sh -c 'echo kept > file; mkdir -p /tmp/x; setsid sleep 31415 > /dev/null 2>&1 < /dev/null &'
	[ "$(cat file)" = kept ]
	"$COFFER" session exec one -- test -d /tmp/x
	lives one 'sleep 31415'
	"$COFFER" session exec one -- pkill -f 'sleep 31415'
	run -1 lives one 'sleep 31415'
}

@test "after a timeout nothing of the command is left, whatever it did to be forgotten" {
	"$COFFER" session create one
	cat > "$BATS_TEST_TMPDIR/hide.py" <<-'END'
		import os, resource, subprocess, time
		subprocess.Popen(["sleep", "27182"], start_new_session=True)
		if os.fork() == 0:
		    os.setsid()
		    if os.fork():
		        os._exit(0)
		    try:
		        resource.setrlimit(resource.RLIMIT_RTTIME, (5, 5))
		    except (OSError, ValueError):
		        pass
		    os.closerange(0, 3)
		    os.execlp("sleep", "sleep", "27183")
		subprocess.run(["prlimit", "--rttime=7:7", "sleep", "27184"])
	END
	run -124 "$COFFER" session exec --timeout 4s one -- python3 -c "$(cat "$BATS_TEST_TMPDIR/hide.py")"
	run -1 lives one 'sleep 2718[234]'
	[ "$("$COFFER" session exec one -- sh -c 'ls -d /proc/[0-9]* | wc -l')" -le 4 ]
}

@test "a fork bomb in one command ends with it, and the session goes on" {
	"$COFFER" session create --processes 100 one
	run "$COFFER" session exec --timeout 1s one -- sh -c 'f() { f | f & }; f; sleep 100'
	until_true "$COFFER" session exec one -- true
	[ "$("$COFFER" session exec one -- sh -c 'ls -d /proc/[0-9]* | wc -l')" -le 4 ]
}

@test "the client's death is the command's, and not the session's" {
	"$COFFER" session create one
	"$COFFER" session exec one -- sh -c 'setsid sleep 16180 & sleep 16181' &
	client=$!
	until_true lives one 'sleep 16181'
	kill -9 $client
	until_true eval '! lives one "sleep 1618[01]"'
	[ "$(state_of one)" = running ]
}

@test "64 at once" {
	"$COFFER" session create one
	for i in $(seq 64); do
		"$COFFER" session exec one -- sh -c "sleep 0.2; echo $i" > "$BATS_TEST_TMPDIR/out$i" &
	done
	wait
	for i in $(seq 64); do
		[ "$(cat "$BATS_TEST_TMPDIR/out$i")" = "$i" ]
	done
}

@test "a workspace that holds too much: what runs is ended, also what nobody waits for; who clears up is let alone" {
	"$COFFER" session create --copy --workspace-size 20M one
	run -137 "$COFFER" session exec one -- sh -c 'head -c 4G /dev/zero > a; sleep 60'
	[[ "$output" == *"workspace limit"* ]]
	"$COFFER" session exec one -- sh -c 'ls; sleep 0.3; rm a'
	"$COFFER" session exec one -- sh -c 'setsid sh -c "sleep 0.3; head -c 4G /dev/zero > b; sleep 17351" > /dev/null 2>&1 & :'
	until_true eval '[ -e "$(echo "$XDG_DATA_HOME"/coffer/workspaces/*/upper/b)" ]'
	until_true eval '! lives one "(head|sleep) .*(4G|17351)"'
	"$COFFER" session exec one -- sh -c 'ls -l b; rm b; touch c'
	run -125 "$COFFER" session create --workspace-size 20M two
}

@test "daemons may take all places but one; who comes last sees them, leaves none, and gives the others their places back" {
	"$COFFER" session create one
	"$COFFER" session exec one -- sh -c 'seq 1 1000 > /dev/null' # warm
	for n in $(seq 127); do
		"$COFFER" session exec one -- sh -c 'setsid sleep 7341 > /dev/null 2>&1 & :'
	done
	[ "$("$COFFER" session exec one -- pgrep -fc 'sleep 734[1]')" = 127 ]
	"$COFFER" session exec one -- sh -c 'setsid sleep 7342 > /dev/null 2>&1 & :'
	run ! "$COFFER" session exec one -- pgrep -f 'sleep 734[2]'
	run ! "$COFFER" session start one -- sleep 7343
	[[ "$output" == *"have left processes"* ]]
	"$COFFER" session exec one -- sleep 4 &
	sleep 1
	run -125 "$COFFER" session exec one -- true
	[[ "$output" == *"end some of those"* ]]
	wait $!
	"$COFFER" session exec one -- pkill -f 'sleep 734[1]'
	"$COFFER" session start one -- sleep 7343
	"$COFFER" session exec one -- pgrep -f 'sleep 734[3]'
}

@test "a session outlives its maker, and its supervisor's death ends its processes; the next use makes it anew" {
	COFFER=$COFFER sh -c '"$COFFER" session create --write . one'
	"$COFFER" session exec one -- sh -c 'echo x > kept; setsid sleep 14142'$UID' > /dev/null 2>&1 &'
	sleeper=$(pgrep -f "^sleep 14142$UID\$")
	kill -9 "$(supervisor_of one)"
	until_true eval '! kill -0 "$sleeper" 2>/dev/null'
	until_true eval '[ "$(state_of one)" = stopped ]'
	[ "$("$COFFER" session exec one -- cat kept)" = x ]
	[ "$(state_of one)" = running ]
}

@test "pause: nothing runs, nothing is lost, the next use goes on" {
	"$COFFER" session create --write . one
	"$COFFER" session exec one -- sh -c 'setsid sh -c "while :; do echo x >> ticks; sleep 0.05; done" > /dev/null 2>&1 < /dev/null &'
	until_true test -s ticks
	"$COFFER" session pause one
	[ "$(state_of one)" = paused ]
	before=$(wc -c < ticks)
	sleep 0.3
	[ "$(wc -c < ticks)" = "$before" ]
	"$COFFER" session resume one
	until_true eval '[ "$(wc -c < ticks)" -gt "$before" ]'
	"$COFFER" session pause one
	"$COFFER" session exec one -- true
	[ "$(state_of one)" = running ]
	"$COFFER" session pause one
	"$COFFER" session rm one
	[ "$("$COFFER" session ls)" = "" ]
}

@test "ttl ends it whatever happens; idle time when nobody has used it" {
	"$COFFER" session create --ttl 1s ttl
	"$COFFER" session create --idle 700ms idle
	"$COFFER" session create --idle 700ms busy
	"$COFFER" session exec busy -- sleep 3 &
	"$COFFER" session exec ttl -- sleep 30 || :
	sleep 0.5
	[ "$("$COFFER" session ls --json | python3 -c 'import json,sys; print([s["id"] for s in json.load(sys.stdin)])')" = "['busy']" ]
	wait
	until_true eval '[ -z "$("$COFFER" session ls)" ]'
}

@test "ttl counts also when its supervisor was killed: gc sees to it" {
	"$COFFER" session create --ttl 500ms one
	kill -9 "$(supervisor_of one)" || :
	sleep 0.8
	"$COFFER" gc
	[ "$("$COFFER" session ls)" = "" ]
}

@test "a terminal of its own, with the size of the caller's" {
	"$COFFER" session create one
	run script -qec "stty rows 33 cols 99; '$COFFER' session exec one -- sh -c 'tty; stty size'" /dev/null
	[[ "$output" == */dev/pts/0* ]]
	[[ "$output" == *"33 99"* ]]
}

@test "what is refused is told, with the rule" {
	"$COFFER" session create one
	"$COFFER" session exec --json 3 one -- sh -c 'echo > /usr/forbidden' 3> "$BATS_TEST_TMPDIR/outcome" 2>/dev/null || :
	python3 -c 'import json,sys; o=json.load(open(sys.argv[1])); assert any(d["target"] == "/usr/forbidden" for d in o["denials"]), o' "$BATS_TEST_TMPDIR/outcome"
}

@test "names: what is taken, what is none, what is not there" {
	"$COFFER" session create one
	run -125 "$COFFER" session create one
	[[ "$output" == *"one of this name already"* ]]
	for name in ../x .x X 'a b' '' "$(printf 'a%.0s' $(seq 64))"; do
		run -125 "$COFFER" session create -- "$name"
	done
	run -125 "$COFFER" session exec absent -- true
	[[ "$output" == *"session ls"* ]]
	run -125 "$COFFER" session rm absent
	run -125 "$COFFER" session frobnicate
	[[ "$output" == *"session --help"* || "$output" == *"did you mean"* ]]
}

@test "a session that cannot be made leaves nothing" {
	run -125 "$COFFER" session create --write /nowhere/at/all one
	run -125 "$COFFER" session create --memory 12bananas one
	[ -z "$(ls "$XDG_DATA_HOME/coffer/sessions" 2>/dev/null)" ]
	[ "$("$COFFER" session ls)" = "" ]
}

@test "a damaged or forged record: said, and nothing else done with it" {
	"$COFFER" session create one
	"$COFFER" session create two
	kill -9 "$(supervisor_of one)" "$(supervisor_of two)"
	record="$XDG_DATA_HOME/coffer/sessions/one/record"
	until_true eval '[ "$(state_of one)" = stopped ]'
	for size in 0 1 100 $(($(stat -c %s "$record") - 3)); do
		cp "$record" "$BATS_TEST_TMPDIR/whole"
		truncate -s "$size" "$record"
		[ "$(state_of one)" = broken ]
		run -125 "$COFFER" session exec one -- true
		[[ "$output" == *"damaged"* ]]
		cp "$BATS_TEST_TMPDIR/whole" "$record"
	done
	cp "$XDG_DATA_HOME/coffer/sessions/two/record" "$record" # another's
	[ "$(state_of one)" = broken ]
	"$COFFER" session rm one
	"$COFFER" session exec two -- true
}

# ---- a tree of its own ----

workspaces() {
	"$COFFER" discard --list --json | python3 -c 'import json,sys; print(*sorted(w["id"] for w in json.load(sys.stdin)))'
}

@test "--copy: what is done stays in the session until it is applied, also while it runs" {
	echo base > f
	"$COFFER" session create --copy one
	"$COFFER" session exec one -- sh -c 'echo more >> f; mkdir d; echo n > d/n; setsid sleep 16161 > /dev/null 2>&1 < /dev/null &'
	[ "$("$COFFER" session exec one -- cat f d/n | tr '\n' ' ')" = 'base more n ' ]
	[ "$(cat f)" = base ]
	[ ! -e d ]
	[ "$("$COFFER" diff --in one --names | tr '\n' ' ')" = 'A d/ A d/n M f ' ]
	[ "$("$COFFER" diff --names f)" = 'M f' ] # the latest workspace here
	"$COFFER" apply --in one f
	[ "$(cat f)" = $'base\nmore' ]
	[ ! -e d ]
	lives one 'sleep 16161'
	[ "$(state_of one)" = running ]
	"$COFFER" session exec one -- sh -c 'echo third >> f; rm -r d'
	[ "$("$COFFER" diff --in one --names)" = 'M f' ]
	"$COFFER" apply --in one
	[ "$(tail -n 1 f)" = third ]
	[ "$("$COFFER" session exec one -- cat f)" = "$(cat f)" ]
	run -125 "$COFFER" discard one
	[[ "$output" == *"in use"* || "$output" == *"session"* ]]
	"$COFFER" session rm one
	[ -z "$(workspaces)" ]
}

@test "--copy: apply on a session whose file the host has changed, and on one that is paused" {
	echo base > f
	"$COFFER" session create --copy one
	"$COFFER" session exec one -- sh -c 'echo ours > f; echo n > n'
	echo theirs > f
	run -125 "$COFFER" apply --in one
	[[ "$output" == *"conflict f: "* ]]
	[ ! -e n ]
	"$COFFER" session pause one
	"$COFFER" apply --in one n
	[ "$(cat n)" = n ]
	[ "$(cat f)" = theirs ]
	[ "$(state_of one)" = paused ]
}

@test "--empty: a directory of nothing, gone with the session; with --persist found again" {
	"$COFFER" session create --empty /workspace one
	[ "$("$COFFER" session exec one -- sh -c 'pwd; ls -A; echo x > f; cat f' | tr '\n' ' ')" = '/workspace x ' ]
	run -125 "$COFFER" apply --in one
	[[ "$output" == *"no directory of the host"* ]]
	"$COFFER" session rm one
	[ -z "$(workspaces)" ]

	"$COFFER" session create --empty /data --persist store two
	"$COFFER" session exec two -- sh -c 'echo kept > f'
	run -125 "$COFFER" session create --empty /data --persist store three
	"$COFFER" session rm two
	[ "$(workspaces)" = store ]
	"$COFFER" session create --empty /elsewhere --persist store three
	[ "$("$COFFER" session exec three -- cat /elsewhere/f)" = kept ]
	"$COFFER" session rm three
	[ "$("$COFFER" diff --in store --names)" = 'A f' ]
	"$COFFER" discard store
	[ -z "$(workspaces)" ]
	run -125 "$COFFER" session create --persist store
	run -125 "$COFFER" session create --copy --empty /x
	run -125 "$COFFER" session create --empty relative
	run -125 "$COFFER" session create --empty / root
	[ "$("$COFFER" session ls)" = "" ]
	[ -z "$(workspaces)" ]
}

@test "fork: the children begin where the parent is, and none of the three sees another's work" {
	echo base > f
	"$COFFER" session create --copy one
	"$COFFER" session exec one -- sh -c 'echo before > g; setsid sh -c "while :; do echo x >> ticks; sleep 0.02; done" > /dev/null 2>&1 < /dev/null &'
	[ "$("$COFFER" session fork one a b | tr '\n' ' ')" = 'a b ' ]
	"$COFFER" session exec a -- sh -c 'cat f g; echo a > g; rm f'
	[ "$("$COFFER" session exec b -- cat f g | tr '\n' ' ')" = 'base before ' ]
	"$COFFER" session exec b -- sh -c 'echo b > g'
	[ "$("$COFFER" session exec one -- cat f g | tr '\n' ' ')" = 'base before ' ]
	[ "$("$COFFER" session exec a -- cat g)" = a ]
	run -1 lives a ticks
	ticks=$("$COFFER" session exec one -- sh -c 'wc -l < ticks')
	sleep 0.2
	[ "$("$COFFER" session exec one -- sh -c 'wc -l < ticks')" -gt "$ticks" ] # the parent goes on
	"$COFFER" session fork a grandchild
	[ "$("$COFFER" session exec grandchild -- sh -c 'ls; cat g' | tr '\n' ' ')" = 'g ticks a ' ]
	"$COFFER" session rm one # those that began there go on
	[ "$("$COFFER" session exec b -- cat f g | tr '\n' ' ')" = 'base b ' ]
	"$COFFER" session rm a
	[ "$("$COFFER" session exec grandchild -- cat g)" = a ]
	run -125 "$COFFER" session fork b b
	"$COFFER" apply --in b g
	[ "$(cat f g | tr '\n' ' ')" = 'base b ' ]
	"$COFFER" session rm b grandchild
	[ -z "$(ls -A "$XDG_DATA_HOME/coffer/workspaces")" ]
}

@test "checkpoint, log, diff between layers, checkout" {
	echo base > f
	"$COFFER" session create --copy one
	"$COFFER" session exec one -- sh -c 'echo 1 > f; echo x > x'
	[ "$("$COFFER" session checkpoint -m 'the first' one)" = 1 ]
	"$COFFER" session exec one -- sh -c 'echo 2 > f; rm x'
	[ "$("$COFFER" session checkpoint one)" = 2 ]
	"$COFFER" session exec one -- sh -c 'echo 3 > f'
	"$COFFER" session log one | grep -q '@1 .*the first'
	[ "$("$COFFER" session log --json one | python3 -c 'import json,sys; print([l["number"] for l in json.load(sys.stdin)])')" = '[1, 2]' ]
	[ "$("$COFFER" diff --in one --from 1 --to 2 --names | tr '\n' ' ')" = 'M f D x ' ]
	[ "$("$COFFER" diff --in one --from @2 --names)" = 'M f' ]
	[ "$("$COFFER" diff --in one --to 1 --names | tr '\n' ' ')" = 'M f A x ' ]
	run -125 "$COFFER" diff --in one --from 1 f
	run -125 "$COFFER" diff --in one --from 9
	"$COFFER" session checkout one 1
	[ "$("$COFFER" session exec one -- cat f x | tr '\n' ' ')" = '1 x ' ]
	"$COFFER" session checkout one @2
	[ "$("$COFFER" session exec one -- sh -c 'cat f; ls')" = $'2\nf' ]
	"$COFFER" session checkout one 0
	[ "$("$COFFER" session exec one -- sh -c 'cat f; ls')" = $'base\nf' ]
	run -125 "$COFFER" session checkout one 9
	run -125 "$COFFER" session checkout one
	[ "$(cat f)" = base ]
	"$COFFER" session create host
	run -125 "$COFFER" session checkpoint host
	[[ "$output" == *"session create --copy"* ]]
	run -125 "$COFFER" session fork host
}

@test "the supervisor's death takes nothing of the workspace; ttl's end takes all of it with the next command" {
	"$COFFER" session create --copy one
	"$COFFER" session exec one -- sh -c 'echo x > f'
	kill -9 "$(supervisor_of one)"
	until_true eval '[ "$(state_of one)" = stopped ]'
	[ "$("$COFFER" diff --in one --names)" = 'A f' ]
	[ "$("$COFFER" session exec one -- cat f)" = x ]
	kill -9 "$(supervisor_of one)"
	"$COFFER" apply --in one
	[ "$(cat f)" = x ]
	"$COFFER" session rm one
	"$COFFER" session create --copy --ttl 500ms short
	"$COFFER" session exec short -- sh -c 'echo y > g'
	sleep 0.8
	[ "$("$COFFER" session ls)" = "" ]
	"$COFFER" gc
	[ -z "$(workspaces)" ]
	[ ! -e g ]
}

@test "while a layer is made nobody lets the session go on" {
	mkdir tree
	cd tree
	"$COFFER" session create --copy one
	"$COFFER" session exec one -- sh -c 'for i in $(seq 3000); do echo 0 > f$i; done'
	"$COFFER" session exec one -- sh -c 'setsid sh -c "n=0; while :; do n=\$((n+1)); for i in 1 1500 3000; do echo \$n > f\$i; done; done" > /dev/null 2>&1 < /dev/null &'
	for _ in 1 2 3; do
		"$COFFER" session exec one -- true &
		"$COFFER" session checkpoint one > /dev/null &
		"$COFFER" session exec one -- true &
		wait
	done
	for layer in "${XDG_DATA_HOME}"/coffer/workspaces/one/layers/[0-9]*; do
		# Of three files that are written one after the other none is two rounds ahead.
		python3 -c 'import sys; n = [int(open(sys.argv[1] + "/f" + i).read() or 0) for i in ("1", "1500", "3000")]; sys.exit(max(n) - min(n) > 1 and min(n) > 0)' "$layer"
	done
}

@test "a command waits for a copy that takes long, and then is executed" {
	mkdir tree
	cd tree
	"$COFFER" session create --copy one
	"$COFFER" session exec one -- sh -c 'for i in $(seq 4000); do echo 0 > f$i; done'
	"$COFFER" session checkpoint one > "$BATS_TEST_TMPDIR/number" &
	copy=$!
	until_true test -e "$XDG_DATA_HOME/coffer/sessions/one/paused"
	kill -STOP $copy
	[ ! -s "$BATS_TEST_TMPDIR/number" ]
	"$COFFER" session exec one -- echo done > "$BATS_TEST_TMPDIR/out" 2>&1 &
	command=$!
	sleep 11
	kill -0 $command
	[ ! -s "$BATS_TEST_TMPDIR/out" ]
	kill -CONT $copy
	wait $copy
	wait $command
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = done ]
	[ "$(cat "$BATS_TEST_TMPDIR/number")" = 1 ]
}

@test "commands that nobody waits for: start, ps, logs, stop-process" {
	"$COFFER" session create one
	number=$("$COFFER" session start --env A=5 one -- sh -c 'echo out $A; echo err >&2; setsid sleep 17320 & sleep 17321' | python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])')
	until_true eval '[ "$("$COFFER" session logs one "$number" 2>/dev/null)" = "out 5" ]'
	[ "$("$COFFER" session logs one "$number" 2>&1 >/dev/null)" = err ]
	[ "$("$COFFER" session ps one | python3 -c 'import json,sys; print([p["status"] for p in json.load(sys.stdin)])')" = "['running']" ]
	"$COFFER" session stop-process one "$number"
	run -1 lives one 'sleep 1732[01]'
	[ "$("$COFFER" session ps one "$number" | python3 -c 'import json,sys; print(json.load(sys.stdin)["status"])')" = stopped ]
	run -125 "$COFFER" session logs one 99
	run -125 "$COFFER" session ps
}
