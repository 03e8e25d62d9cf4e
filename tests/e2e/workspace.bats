#!/usr/bin/env bats
# A working tree of the sandbox's own: an overlay of the host's, or a copy of it.

setup() {
	load lib
	teardown() { # overlayfs leaves its work directory without any mode
		cd /
		chmod -R u+rwX "$TOP/data"
		rm -rf "$TOP"
	}
	workspace
	chmod 755 "$TOP"
	export XDG_RUNTIME_DIR=$TOP/run
	mkdir -p -m 700 "$XDG_RUNTIME_DIR"
	mkdir -p "$TOP/data/upper" "$TOP/data/work" "$TOP/data/stage" "$TOP/ws/d" "$TOP/ws/gone"
	echo base > f
	echo below > d/g
	echo there > gone/x
	echo SECRET > .env
	echo SECRET > d/.env
	ln -s f link
	PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
	before=$(hash_of "$TOP/ws")
}

own() { # HOW [LAYER…] -- CMD…: in $TOP/ws
	local how=$1
	shift
	"${COFFER%/*}/tests/e2e-workspace" "$how" "${AT:-$TOP/ws}" "${BASE:-$TOP/ws}" "$TOP/data" "${SETTINGS:-"{}"}" "$@" 3> "$TOP/o.json"
}

hash_of() { # names, kinds, modes, owners, times, contents
	(cd "$1" && find . -printf '%p %y %m %U %G %T@ %l\n' | sort && find . -type f | sort | xargs -d '\n' sha256sum) | sha256sum
}

receipt() {
	python3 -c 'import json, sys; r = json.load(open(sys.argv[2]))["receipt"]
assert eval(sys.argv[1]), r' "$1" "$TOP/o.json"
}

@test "overlay: what is written, renamed and removed lands in upper, and the base is untouched" {
	own overlay -- sh -euc 'echo new > n; echo more >> f; mv n m; rm -r gone; mkdir gone; echo y > gone/y; rm link; chmod 600 d/g; mkdir -p a/b'
	[ "$(hash_of "$TOP/ws")" = "$before" ]
	cd "$TOP/data/upper"
	[ "$(cat m)" = new ]
	[ ! -e n ]
	[ "$(cat f)" = "base"$'\n'"more" ]
	[ "$(stat -c '%F %t %T' link)" = "character special file 0 0" ]
	[ "$(ls gone)" = y ]
	[ "$(stat -c %a d/g)" = 600 ]
	[ -d a/b ]
	python3 -c 'import os; assert os.getxattr("gone", "user.overlay.opaque") == b"y"'
	[ "$(stat -c %u m)" = "$(id -u)" ]
	receipt 'r["workspace"] == "overlay"'
	run own overlay -- sh -c 'ls gone; cat m; ls'
	[ "${lines[*]}" = "y new a d f gone m" ]
}

@test "overlay: nosuid and nodev, no host privilege in a file, no directory of the base renamed away" {
	run own overlay -- sh -c 'grep " $PWD overlay " /proc/self/mounts; chmod 4755 f; mknod null c 1 3; python3 -c "import os; os.rename(\"d\", \"e\")"'
	[[ "$output" == *" overlay rw,nosuid,nodev,"* ]]
	[[ "$output" == *"chmod: "*"not permitted"* ]]
	[[ "$output" == *"mknod: "*"not permitted"* ]]
	[[ "$output" == *"cross-device"* ]]
	[ ! -e "$TOP/data/upper/null" ]
	[ ! -u "$TOP/data/upper/f" ]
}

@test "overlay: secrets of the base stay unreadable, in every run, whatever an earlier one has made of their names" {
	run own overlay -- sh -c 'cat .env d/.env; rm -f .env; mv .env x; ln d/.env y; cp -a d e; cat e/.env'
	[[ "$output" != *SECRET* ]]
	[ -z "$(grep -r SECRET "$TOP/data")" ]
	ln -s /etc/hostname "$TOP/data/upper/.env"
	mkdir "$TOP/data/upper/new"
	rm -rf "$TOP/data/upper/d"
	echo file > "$TOP/data/upper/d"
	run own overlay -- sh -c 'cat d .env; echo $?'
	[ "${lines[0]}" = file ]
	[[ "$output" != *SECRET* ]]
	[ "$status" -eq 0 ]
	SETTINGS='{"filesystem": {"denyRead": ["**/f"]}}' run own overlay -- sh -c 'cat f; mv f ff; cat ff; echo x > a; mv a d2; cat d2'
	[[ "$output" != *base* ]]
	[ "${lines[-1]}" = x ]
}

@test "overlay: all of it may be written without a rule, what a rule protects on the host as well, and sockets are its own" {
	SETTINGS='{"filesystem": {"allowWrite": [".", "./not/there"], "denyWrite": ["f"]}}' own overlay -- sh -euc 'mkdir -p .git/hooks .vscode
		echo x > .git/hooks/pre-commit; echo x > .vscode/tasks.json; echo x > f; /usr/bin/python3 -c "
import socket
s = socket.socket(socket.AF_UNIX); s.bind(\"s\"); s.listen()
c = socket.socket(socket.AF_UNIX); c.connect(\"s\"); print(\"connected\")"' > "$TOP/out"
	grep -q connected "$TOP/out"
	[ "$(cat "$TOP/data/upper/.git/hooks/pre-commit")" = x ]
	[ "$(cat "$TOP/data/upper/f")" = x ]
	[ "$(hash_of "$TOP/ws")" = "$before" ]
	own overlay -- - | grep 'INIT ' | grep -v ,act
}

@test "overlay: layers, the lowest first, and a tree of nothing but them" {
	mkdir -p "$TOP/data/layers/1" "$TOP/data/layers/2"
	echo one > "$TOP/data/layers/1/f"
	echo one > "$TOP/data/layers/1/one"
	echo two > "$TOP/data/layers/2/f"
	run own overlay layers/1 layers/2 -- cat f one
	[ "${lines[*]}" = "two one" ]
	AT=/workspace BASE=- run own overlay layers/1 -- sh -c 'pwd; cat f; ls; echo x > made'
	[ "${lines[*]}" = "/workspace one f one" ]
	[ "$(cat "$TOP/data/upper/made")" = x ]
	rm "$TOP/data/upper/made"
	AT=/workspace BASE=- run own overlay -- sh -c 'ls -A; mkdir d; rmdir d; echo y > y; cat y'
	[ "${lines[*]}" = "y" ]
}

@test "stage: a copy at the same place, with the same secrets hidden, and its directories pinned" {
	cp -a . "$TOP/data/stage/"
	run own stage -- sh -c 'pwd; cat .env; mv d e; mkdir -p .git/hooks; echo x > .git/hooks/pre-commit; echo y > f; cat f'
	[ "${lines[0]}" = "$TOP/ws" ]
	[ "${lines[-1]}" = y ]
	[[ "$output" != *SECRET* ]]
	[[ "$output" == *"'d' to 'e'"* ]]
	[ "$(cat "$TOP/data/stage/f")" = y ]
	[ -e "$TOP/data/stage/.git/hooks/pre-commit" ]
	[ "$(hash_of "$TOP/ws")" = "$before" ]
	receipt 'r["workspace"] == "copy"'
	rm -r "$TOP/data/stage/d"
	ln -s / "$TOP/data/stage/d"
	own stage -- true
}

@test "stage, where nothing can be mounted: the sandbox works in the copy itself" {
	cp -a . "$TOP/data/stage/"
	[ "$(id -u)" != 0 ] || skip "root's sandbox is another user, who does not own the copy"
	own() { "${COFFER%/*}/tests/e2e-without" userns -- "${COFFER%/*}/tests/e2e-workspace" stage "$TOP/ws" "$TOP/ws" "$TOP/data" "$1" -- sh -c "$2" 3> "$TOP/o.json"; }
	run own '{"filesystem": {"allowWrite": ["."]}}' "pwd; cat .env d/.env; echo y > f; cat f; echo z > $TOP/ws/f; cat $TOP/ws/d/g"
	[ "${lines[0]}" = "$TOP/data/stage" ]
	[[ "$output" != *SECRET* ]]
	[[ "$output" == *$'\n'y$'\n'* ]]
	[[ "$output" == *below ]]
	[ "$(hash_of "$TOP/ws")" = "$before" ]
	receipt 'r["workspace"] == "copy" and r["rung"] == "landlock" and any("works on its copy" in n for n in r["notes"])'
}

@test "where an overlay cannot be the caller is told to make a stage, and nothing has run" {
	[ "$(id -u)" = 0 ] || skip "needs root to mount an overlay for the data to lie on"
	mkdir "$TOP/l" "$TOP/u" "$TOP/w" "$TOP/data2"
	mkdir -p "$TOP/l/upper" "$TOP/l/work"
	unshare -m sh -euc 'mount -t overlay overlay -o "lowerdir=$1/l,upperdir=$1/u,workdir=$1/w" "$1/data"
		status=0
		"$2" overlay "$1/ws" "$1/ws" "$1/data" "{}" -- touch ran 2> "$1/err" || status=$?
		[ $status = 75 ]' sh "$TOP" "${COFFER%/*}/tests/e2e-workspace"
	grep -q '^unsupported at workspace: overlay: ' "$TOP/err"
	[ -z "$(find "$TOP" -name ran)" ]
}

@test "where its files are another group's, which an overlay could not copy up, a stage is wanted" {
	[ "$(id -u)" = 0 ] || skip "needs root to give the files away"
	chown -R 12345:54321 "$TOP/ws"
	chown -R 12345:12345 "$TOP/data" "$TOP/run" "$TOP/home"
	own overlay -- sh -c 'echo x > f' # to root they are all its sandbox's
	[ "$(stat -c %u:%g "$TOP/data/upper/f")" = 12345:12345 ]
	build=$TOP/build
	mkdir -p "$build/tests"
	cp "${COFFER%/*}/coffer-launch" "$build/"
	cp "${COFFER%/*}/tests/e2e-workspace" "$build/tests/"
	chmod -R a+rX "$build"
	run setpriv --reuid=12345 --regid=12345 --clear-groups "$build/tests/e2e-workspace" overlay "$TOP/ws" "$TOP/ws" "$TOP/data" '{}' -- true
	[ "$status" -eq 75 ]
	[[ "$output" == *"another user or group"* ]]
}

@test "what is mounted below the base cannot be uncovered by a user: a stage is wanted" {
	[ "$(id -u)" = 0 ] || skip "needs root to mount something there"
	chown -R 12345:12345 "$TOP"
	mkdir -p "$TOP/build/tests"
	cp "${COFFER%/*}/coffer-launch" "$TOP/build/"
	cp "${COFFER%/*}/tests/e2e-workspace" "$TOP/build/tests/"
	chmod -R a+rX "$TOP/build"
	run unshare -m sh -euc 'mount -t tmpfs none "$1/ws/d"; exec setpriv --reuid=12345 --regid=12345 --clear-groups \
		"$1/build/tests/e2e-workspace" overlay "$1/ws" "$1/ws" "$1/data" "{}" -- cat d/g' sh "$TOP"
	[ "$status" -eq 75 ]
	[[ "$output" != *below* ]]
}

@test "overlay in a user namespace of somebody else's, as in a container without privileges" {
	unshare -Ur true || skip "no user namespaces here"
	unshare -Urm "${COFFER%/*}/tests/e2e-workspace" overlay "$TOP/ws" "$TOP/ws" "$TOP/data" '{}' -- sh -euc 'echo n > n; rm f' 3> "$TOP/o.json"
	[ "$(cat "$TOP/data/upper/n")" = n ]
	[ "$(stat -c '%F' "$TOP/data/upper/f")" = "character special file" ]
	[ "$(hash_of "$TOP/ws")" = "$before" ]
}

@test "no overlay of what the policy does not let be read, and none around coffer's own data" {
	AT=$HOME BASE=$HOME run own overlay -- true
	[ "$status" -eq 125 ]
	[[ "$output" == "policy at workspace: overlay: "*"let it be read"* ]]
	AT=$TOP BASE=$TOP run own overlay -- true
	[[ "$output" == *XDG_DATA_HOME* ]]
	AT=/proc/x BASE=- run own overlay -- true
	[[ "$output" == "policy at workspace"* ]]
	SETTINGS='{"filesystem": {"view": "host"}}' AT=/workspace BASE=- run own overlay -- true
	[[ "$output" == *"no such directory on the host"* ]]
	SETTINGS='{"filesystem": {"view": "host"}}' run own overlay -- ls -A "$TOP/data"
	[ "$status" -ne 0 ] # hidden, though all else of the host is shown
}
