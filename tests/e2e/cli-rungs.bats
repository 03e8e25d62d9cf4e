#!/usr/bin/env bats
# The second rung of the ladder: a machine that forbids user namespaces. It is made by a namespace in which their number is 0.

setup() {
	load lib
	workspace
	export XDG_RUNTIME_DIR=$TOP/run
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	unshare -Ur true 2> /dev/null || skip "no user namespace to forbid them in"
	export COFFER
}

# coffer, where there are no user namespaces to be had.
without_namespaces() {
	unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$COFFER" "$@"' sh "$@"
}

# bats test_tags=smoke
@test "it runs, says so, and the receipt names the rung and the reason" {
	without_namespaces run -v --json 3 -- sh -c 'echo inside' 3> o.json > out 2> err
	[ "$(cat out)" = inside ]
	grep -q 'note: user namespaces are off' err
	python3 -c 'import json; r = json.load(open("o.json"))["receipt"]
assert r["rung"] == "landlock" and "max_user_namespaces" in r["why_not_first"] and not r["namespaces"] and r["landlock_abi"] > 0 and r["notes"]'
}

@test "--require and --strict refuse it, with the fix" {
	for option in --require=namespaces --strict; do
		run without_namespaces run $option --write . -- touch ran
		[ "$status" -eq 125 ]
		[[ "$output" == *"sysctl -w user.max_user_namespaces"* ]]
		[ "$(grep -o 'sysctl -w' <<< "$output" | wc -l)" -eq 1 ]
		[ ! -e ran ]
	done
	without_namespaces run --require landlock -- true
}

@test "files: the same rules hold" {
	echo secret > "$HOME/secret"
	run without_namespaces run -- sh -c 'echo x > made'
	[ "$status" -ne 0 ]
	[ ! -e made ]
	without_namespaces run --write . -- sh -c 'echo x > made'
	[ -s made ]
	run without_namespaces run -- cat "$HOME/secret"
	[ "$status" -ne 0 ]
	[[ "$output" != *secret$'\n'* && "$output" != secret ]]
	without_namespaces run -- sh -c 'echo x > "$TMPDIR/x" && cat "$TMPDIR/x"'
}

@test "denials: what is refused, and nothing else" {
	run without_namespaces run -v --write . -- sh -c 'echo x > /dev/null; echo x > "$TMPDIR/f"; mkdir "$TMPDIR/d"; rm "$TMPDIR/f"; cat /proc/meminfo > /dev/null; chmod 600 made 2> /dev/null; echo x > made'
	[[ "$output" != *"denied: "* ]]
	run without_namespaces run -v -- sh -c 'echo x > /dev/null; echo x > "$TMPDIR/f"; mkdir "$TMPDIR/d"; echo x > new'
	[ "$(grep -c "denied: " <<< "$output")" -eq 1 ]
	[[ "$output" == *"create $TOP/ws/new"* ]]
	[[ "$output" == *"does not cover modes, owners, times"* ]]
	[ "$(grep -o 'sysctl -w' <<< "$output" | wc -l)" -le 1 ]
}

@test "network: none" {
	run without_namespaces run -- /usr/bin/python3 -c 'import socket; socket.socket(socket.AF_INET)'
	[ "$status" -ne 0 ]
	[[ "$output" == *"PermissionError"* ]]
}

@test "what was started ends with the command" {
	without_namespaces run --write . -- sh -c '(setsid sh -c "sleep 3; echo alive > late" &) ; exit 0'
	sleep 4
	[ ! -e late ]
}

# The kernel makes no user namespace for a process whose root directory is not its mount namespace's.
# bats test_tags=smoke
@test "in a chroot: the second rung, for root as well" {
	mkdir "$TOP/root"
	cat > in-chroot.sh <<-'SH'
		mount --rbind / "$TOP/root" && cd / && exec chroot "$TOP/root" sh -c 'cd "$1" && shift && exec "$@"' sh "$OLDPWD" "$@"
	SH
	export TOP
	status=0
	unshare -rm --propagation private sh in-chroot.sh "$COFFER" run --json 3 -- sh -c 'echo inside' 3> o.json > out 2> err || status=$?
	cat err
	[ "$(cat out)" = inside ]
	is 'r["rung"] == "landlock" and r["why_not_first"]'
	[ "$(id -u)" -eq 0 ] || return 0
	unshare -m --propagation private sh in-chroot.sh "$COFFER" run --json 3 -- sh -c 'echo inside' 3> o.json > out 2> err
	[ "$(cat out)" = inside ]
	is 'r["rung"] == "landlock" and r["why_not_first"]'
}

@test "doctor: missing, with the command that fixes it" {
	run without_namespaces doctor
	[ "$status" -eq 1 ]
	[[ "$output" == *"rung 2 of 2"* ]]
	[[ "$output" == *"sudo sysctl -w user.max_user_namespaces="* ]]
}
