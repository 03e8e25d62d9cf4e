#!/usr/bin/env bats
# Hosts that are not this one, made of this one in namespaces of their own: coffer works there, or says why not and how to change it. Where
# a test asks for more than a user has, it is root's.

setup() {
	load lib
	workspace
	export XDG_RUNTIME_DIR=$TOP/run
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	export COFFER=${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build}/coffer
}

is_root() {
	[ "$(id -u)" = 0 ]
}

# in_mounts SCRIPT [ARG…]: as root, with mounts of its own.
in_mounts() {
	is_root || skip "needs root"
	unshare -m sh -euc "$@"
}

# The receipt of o.json has these values: receipt 'r["rung"] == "landlock"'.
receipt() {
	python3 -c 'import json, sys; r = json.load(open("o.json"))["receipt"]
assert eval(sys.argv[1]), r' "$1"
}

@test "chroot: the second rung, at once, and the fix" {
	mkdir "$TOP/root"
	in_mounts 'mount --rbind / "$1/root"; exec chroot "$1/root" sh -c "cd $1/ws && exec $COFFER run --write . --json 3 -- id -u 3> o.json"' sh "$TOP" > out
	[ "$(cat out)" != 0 ]
	receipt 'r["rung"] == "landlock" and "chroot" in r["why_not_first"]'
	run in_mounts 'mount --rbind / "$1/root"; exec chroot "$1/root" "$COFFER" run --require namespaces -- true' sh "$TOP"
	[ "$status" -eq 125 ]
	[[ "$output" == *chroot*pivot_root* ]]
}

@test "a file system whose owners stay: a note that names the tree, or under strict an error" {
	in_mounts 'mount -t ramfs -o mode=755 ram "$1/ws"; cd "$1/ws"; echo x > readable
		"$COFFER" run --write . --json 3 -- sh -c "cat readable; echo x > made || echo refused" 3> "$1/o.json" 2> "$1/err" || true
		[ ! -e made ]
		! "$COFFER" run --strict --write . -- true 2> "$1/strict"' sh "$TOP" > "$TOP/out"
	cd "$TOP"
	[ "$(cat out)" = "x"$'\n'"refused" ]
	receipt 'any("/ws: its file system cannot show files as another" in note for note in r["notes"])'
	grep -q 'ws: its file system cannot show' strict
}

@test "root without CAP_SYS_ADMIN: another user all the same" {
	is_root || skip "needs root"
	chmod 755 "$TOP"
	capsh --drop=cap_sys_admin -- -c '"$COFFER" run --json 3 -- sh -c "id -u; cat /proc/self/uid_map"' 3> o.json > out
	[ "$(head -1 out)" = 1000 ]
	[ "$(tail -1 out | awk '{ print ($2 > 65536) }')" = 1 ]
	receipt 'r["rung"] == "namespaces" and any("only root may read" in note for note in r["notes"])'
	run capsh --drop=cap_sys_admin -- -c '"$COFFER" run -- cat /etc/shadow'
	[ "$status" -ne 0 ]
}

@test "root of a container: the second rung, as another user" {
	mkdir "$TOP/root"
	chmod 755 "$TOP"
	in_mounts 'mount --rbind / "$1/root"; mount -t tmpfs none "$1/root/proc/sys"
		exec chroot "$1/root" capsh --drop=cap_sys_admin,cap_sys_ptrace,cap_net_admin,cap_sys_resource -- -c "cd $1/ws
			\"$COFFER\" run --json 3 -- sh -c \"id -u; id -G; cat /etc/shadow 2> /dev/null || echo refused\" 3> o.json"' sh "$TOP" > out
	[ "$(sed -n 1p out)" -gt 65536 ]
	[ "$(sed -n 1p out)" = "$(sed -n 2p out)" ]
	[ "$(sed -n 3p out)" = refused ]
	receipt 'r["rung"] == "landlock"'
}

@test "root that can be nobody else: nothing is run, and why" {
	is_root || skip "needs root"
	run capsh --drop=cap_setuid -- -c '"$COFFER" run -- touch ran'
	[ "$status" -eq 125 ]
	[[ "$output" == *"ordinary user"*CAP_SETUID* ]]
	run capsh --drop=cap_setuid -- -c '"$COFFER" doctor'
	[[ "$output" == *"nothing is run as root"* ]]
}

@test "uid 0 of a user namespace: itself, and said where that is root" {
	unshare -Ur "$COFFER" run --json 3 -- id -u 3> o.json > out
	[ "$(cat out)" = 0 ]
	if is_root; then
		receipt 'any("root outside" in note for note in r["notes"])'
	else
		receipt 'not any("root outside" in note for note in r["notes"])'
	fi
}

@test "a covered /proc: none inside, and a note" {
	unshare -Urm sh -euc 'mount -t tmpfs none /proc/sys/kernel; "$COFFER" run --write . --json 3 -- sh -c "ls /proc; echo x > made" 3> o.json' > out
	[ ! -s out ] && [ -s made ]
	receipt 'r["rung"] == "namespaces" and any("no /proc inside" in note for note in r["notes"])'
}
