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

# without CALL[=ERROR]… -- CMD: an old kernel or a container engine's filter (without.c).
without() {
	"$(dirname "$COFFER")/tests/e2e-without" "$@"
}

# Nothing of a run is there any more: no process in a sandbox of its own, no scratch directory, no journal.
host_is_clean() {
	local own place
	own=$(readlink /proc/self/ns/mnt)
	for place in $(ls -l /proc/[0-9]*/cwd 2> /dev/null | awk -v top="$TOP" 'index($NF, top) == 1 { print $(NF - 2) }'); do
		[ "$(readlink "${place%/cwd}/ns/mnt" 2> /dev/null || echo "$own")" = "$own" ]
		! [[ "$(tr '\0' ' ' 2> /dev/null < "${place%/cwd}/cmdline")" == *coffer-launch* ]]
	done
	[ -z "$(find "$XDG_RUNTIME_DIR/coffer" -mindepth 1 ! -name journal ! -name records ! -path '*/records/*.json')" ]
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

@test "missing system calls: the same protection" {
	chmod 755 "$TOP"
	local calls
	for calls in clone3 pidfd_open close_range openat2 keyctl "open_tree move_mount mount_setattr" "open_tree=EPERM move_mount=EPERM mount_setattr=EPERM" landlock \
		"open_tree move_mount mount_setattr openat2 clone3 close_range pidfd_open landlock"; do
		echo "$calls"
		without $calls -- "$COFFER" run --json 3 -- sh -c 'cat /proc/sys/kernel/osrelease > /dev/null; echo x 2> /dev/null > made || echo refused; cat /etc/shadow 2> /dev/null || echo hidden; ls -d /proc/[0-9]* | wc -l' 3> o.json > out
		[ "$(sed -n 1,2p out | tr '\n' ' ')" = "refused hidden " ]
		[ "$(sed -n 3p out)" -le 4 ]
		[ ! -e made ]
		receipt 'r["rung"] == "namespaces"'
		host_is_clean
	done
}

@test "a filter that refuses user namespaces, or a security module their use: the second rung" {
	chmod 755 "$TOP"
	local calls
	for calls in userns "userns keyctl=EPERM openat2 pidfd_open close_range" mount=EPERM mount=EACCES; do
		echo "$calls"
		without $calls -- "$COFFER" run --json 3 -- sh -c 'echo x 2> /dev/null > made || echo refused; cat /etc/shadow 2> /dev/null || echo hidden' 3> o.json > out
		[ "$(tr '\n' ' ' < out)" = "refused hidden " ]
		[ ! -e made ]
		receipt 'r["rung"] == "landlock" and r["why_not_first"]'
		run without $calls -- "$COFFER" run --require namespaces -- touch ran
		[ "$status" -eq 125 ]
		[[ "$output" == *"user namespaces are off"* ]]
		[ ! -e ran ]
		host_is_clean
	done
}

@test "what nothing stands in for: refused, before the command" {
	local calls
	for calls in "userns landlock" "userns landlock=EOPNOTSUPP" seccomp=EPERM memfd_create; do
		echo "$calls"
		run without $calls -- "$COFFER" run -- touch ran
		[ "$status" -eq 125 ]
		[ -n "$output" ]
		[ ! -e ran ]
		host_is_clean
	done
	run without userns landlock -- "$COFFER" run -- true
	[[ "$output" == *"seccomp=unconfined"*"lsm="* ]]
}

@test "init that cannot read what calls name: a note, or an error where a rule needs it" {
	for call in process_vm_readv=EPERM openat2; do
		without $call -- "$COFFER" run --write . --json 3 -- sh -c 'mkdir dir; echo x > made' 3> o.json
		[ -s made ]
		receipt 'any("protected names" in note and "init cannot read" in note for note in r["notes"])'
		receipt 'any("init cannot read" in line for line in r["denials_untold"])'
		run without $call -- "$COFFER" run --write . --deny-write later -- touch ran
		[ "$status" -eq 125 ]
		[[ "$output" == *"later: cannot be kept from appearing"* ]]
		[ ! -e ran ]
		rm -r dir made
	done
}

@test "coffer in coffer: the second rung, and nothing that is hidden from the outer one" {
	local build
	build=$(realpath "$(dirname "$COFFER")")
	chmod 755 "$TOP"
	echo secret > "$TOP/secret"
	coffer run --read "$build" -- "$build/coffer" run -v -- sh -c 'echo in; cat "$1/secret" 2> /dev/null || echo hidden' sh "$TOP" > out 2> err
	[ "$(tr '\n' ' ' < out)" = "in hidden " ]
	grep -q 'note: user namespaces are off' err
	run coffer run --read "$build" -- "$build/coffer" run --require namespaces -- true
	[ "$status" -eq 125 ]
	run coffer run --read "$build" --write . -- "$build/coffer" run --write . -- touch ran
	[ "$status" -eq 125 ]
	[[ "$output" == *"Landlock is off"* ]]
	host_is_clean
}

@test "a container without root: namespaces in namespaces" {
	unshare -Urmpf --mount-proc "$COFFER" run --write . --json 3 -- sh -c 'echo x > made; ls -d /proc/[0-9]* | wc -l' 3> o.json > out
	[ -s made ]
	[ "$(cat out)" -le 4 ]
	receipt 'r["rung"] == "namespaces" and len(r["namespaces"]) == 7'
	host_is_clean
}

@test "hidepid: both rungs go on" {
	unshare -Urmpf --mount-proc sh -euc 'mount -t proc -o hidepid=2 proc /proc; "$COFFER" run --write . -- sh -c "mkdir one; echo x > one/made"
		echo 0 > /proc/sys/user/max_user_namespaces; "$COFFER" run --write . -- sh -c "mkdir two; echo x > two/made"'
	[ -s one/made ] && [ -s two/made ]
}
