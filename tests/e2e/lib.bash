# lib.bash: what every end-to-end test has. COFFER_BUILD names the build directory; coffer is taken from it.

COFFER=${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build}/coffer

coffer() {
	"$COFFER" "$@"
}

# A fresh working directory with a home of its own beside it.
workspace() {
	TOP=$(mktemp -d "${BATS_TMPDIR:-/tmp}/coffer-e2e.XXXXXX")
	mkdir "$TOP/home" "$TOP/ws"
	export HOME=$TOP/home
	cd "$TOP/ws" || return 1
}

# Where coffer keeps what it must remember, and a number that no other process on the machine has in its command line.
private_state() {
	export XDG_RUNTIME_DIR=$TOP/run
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	export PATH=/usr/local/bin:/usr/bin:/bin
	MARK=7$(echo "$TOP" | cksum | cut -d' ' -f1)
}

# coffer run, with its outcome in o.json, its output in out and err, its exit status in $status.
outcome_of() {
	status=0
	coffer run --json 3 "$@" 3> o.json > out 2> err || status=$?
}

# is EXPRESSION: true of the outcome d; l is where each limit is enforced, n the notes.
is() {
	/usr/bin/python3 - "$1" <<-'PYTHON'
		import json, sys
		d = json.load(open("o.json"))
		r = d.get("receipt", {})
		l = {name: limit["by"] for name, limit in r.get("limits", {}).items()}
		n = r.get("notes", [])
		if not eval(sys.argv[1]):
		    sys.exit("not so: %s\n%s\n%s" % (sys.argv[1], {k: v for k, v in d.items() if k != "receipt"}, r))
	PYTHON
}

# wait_until CONDITION…: true within ten seconds.
wait_until() {
	for _ in $(seq 200); do
		! "$@" || return 0
		sleep 0.05
	done
	echo "never true: $*"
	return 1
}

# Processes that have $MARK among their words.
marked() {
	pgrep -f "$MARK"
}

none_marked() {
	! marked
}

# After the run that o.json tells of: no process, cgroup, mount or journal.
nothing_left() {
	wait_until none_marked
	! grep coffer-e2e /proc/self/mounts
	! ls -A "$XDG_RUNTIME_DIR/coffer/journal" 2> /dev/null | grep .
	! find /sys/fs/cgroup -type d -name "coffer-$(/usr/bin/python3 -c 'import json; print(json.load(open("o.json")).get("run"))')" 2> /dev/null | grep .
}

teardown() {
	cd /
	[ -z "$TOP" ] || rm -rf "$TOP"
}
