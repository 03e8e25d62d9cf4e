#!/usr/bin/env bats
# Unix sockets: those that are made inside work inside, those of the host are reached where the policy lists them, and no others.

load lib

setup() {
	workspace
	private_state
	cp "$BATS_TEST_DIRNAME/unix.py" .
	mkdir "$TOP/host"
	chmod 755 "$TOP" "$TOP/ws" "$TOP/host"
	SERVER=
}

teardown() {
	[ -z "$SERVER" ] || kill "$SERVER"
	cd /
	rm -rf "$TOP"
}

# Servers of the host at these paths, until the test ends.
serve() {
	python3 unix.py serve "$@" > "$TOP/ready" 2>&1 3>&- &
	SERVER=$!
	wait_until grep -q ready "$TOP/ready"
}

# Nobody of the host's has been spoken to, but for these.
met_only() {
	[ "$(sort -u contacts 2>/dev/null)" = "$(printf '%s\n' "$@" | sort -u | sed '/^$/d')" ]
}

# bats test_tags=smoke
@test "sockets made inside work inside: in the private /tmp, in the workspace, by relative names, and in no directory" {
	run coffer run --write . -- python3 unix.py inside /tmp/a "$PWD/b" @c
	[ "$status" = 0 ]
	[ "$(grep -c ok <<<"$output")" = 6 ]
	run coffer run -- python3 unix.py inside /tmp/a @c # nothing of the host's is writable, and init performs nothing else
	[ "$(grep -c ok <<<"$output")" = 4 ]
	run coffer run --write . --denials off -- sh -c 'mkdir deep && cd deep && python3 ../unix.py inside /tmp/a @b && python3 ../unix.py connect ./none /tmp'
	[[ "$output" == *"./none ENOENT"*"/tmp ECONNREFUSED" ]]
	[ "$(grep -c ok <<<"$output")" = 4 ]
}

# bats test_tags=smoke
@test "a socket of the host is refused wherever it is, and told with what would allow it" {
	serve "$PWD/here.sock" "$TOP/host/there.sock"
	run coffer run --write . --read "$TOP/host" -- python3 unix.py connect "$PWD/here.sock" here.sock "$TOP/host/there.sock"
	[[ "$output" == *"$PWD/here.sock ECONNREFUSED"* ]]
	[[ "$output" == *"$TOP/host/there.sock EACCES"* ]]
	met_only
	run coffer why
	[[ "$output" == *"connect $TOP/host/there.sock: Permission denied"*"to allow  --allow-unix-socket $TOP/host/there.sock"* ]]
	[[ "$output" == *'{"network": {"allowUnixSockets": ["'"$PWD/here.sock"'"]}}'* ]]
}

# bats test_tags=smoke
@test "a listed socket is reached, its neighbour is not; a listed directory opens all that are in it" {
	serve "$TOP/host/a" "$TOP/host/b"
	run coffer run --read "$TOP/host" --allow-unix-socket "$TOP/host/a" -- python3 unix.py connect "$TOP/host/a" "$TOP/host/b"
	[ "$output" = "$TOP/host/a $TOP/host/a
$TOP/host/b EACCES" ]
	met_only "$TOP/host/a"
	run coffer run --allow-unix-socket "$TOP/host/a" -- python3 unix.py connect "$TOP/host/a" "$TOP/host/b" # listed is visible
	[ "$output" = "$TOP/host/a $TOP/host/a
$TOP/host/b ENOENT" ]
	echo '{"network": {"allowUnixSockets": ["'"$TOP/host"'"]}}' > "$TOP/s.json"
	run coffer run --settings "$TOP/s.json" -- python3 unix.py connect "$TOP/host/a" "$TOP/host/b"
	[ "$output" = "$TOP/host/a $TOP/host/a
$TOP/host/b $TOP/host/b" ]
	run coffer run --allow-unix-socket "$TOP/host/*a" -- python3 unix.py connect "$TOP/host/a"
	[ "$output" = "$TOP/host/a $TOP/host/a" ]
	run coffer run --allow-unix-socket "$TOP/host/none" -v -- true
	[[ "$output" == *"$TOP/host/none: does not exist"* ]]
}

@test "a server that starts again, and a link to it, are the same listed path" {
	mkdir "$TOP/host/dir"
	ln -s "$TOP/host/dir/a" "$TOP/host/link"
	serve "$TOP/host/dir/a"
	run coffer run --allow-unix-socket "$TOP/host/dir" --read "$TOP/host" -- python3 unix.py connect "$TOP/host/dir/a" "$TOP/host/link"
	[ "$output" = "$TOP/host/dir/a $TOP/host/dir/a
$TOP/host/link $TOP/host/dir/a" ]
	run coffer run --allow-unix-socket "$TOP/host/link" -- python3 unix.py connect "$TOP/host/dir/a"
	[ "$output" = "$TOP/host/dir/a $TOP/host/dir/a" ]
	mkfifo "$TOP/go"
	coffer run --allow-unix-socket "$TOP/host/dir" --read "$TOP/go" -- sh -c "cat '$TOP/go'; python3 unix.py connect '$TOP/host/dir/a'" > "$TOP/out" 3>&- &
	sleep 0.2
	kill "$SERVER"
	wait_until sh -c "! kill -0 $SERVER 2>/dev/null"
	rm "$TOP/host/dir/a"
	serve "$TOP/host/dir/a"
	echo > "$TOP/go"
	wait %2 || wait $!
	[ "$(tail -1 "$TOP/out")" = "$TOP/host/dir/a $TOP/host/dir/a" ]
}

@test "what the sandbox may write it cannot make a listed socket of: moved, linked, or in a listed directory" {
	mkdir sub
	serve "$PWD/listed" "$PWD/other"
	run coffer run --write . --allow-unix-socket listed -- sh -c 'python3 unix.py connect listed other; mv listed moved; mv other listed; ln moved second; ln -s other link
		python3 unix.py connect moved second listed link /proc/self/cwd/listed'
	[ "$output" = "listed $PWD/listed
other ECONNREFUSED
moved $PWD/listed
second $PWD/listed
listed ECONNREFUSED
link ENOENT
/proc/self/cwd/listed ECONNREFUSED" ]
	met_only "$PWD/listed"
	run coffer run --write . --allow-unix-socket sub -- true
	[ "$status" = 125 ]
	[[ "$output" == *"--allow-unix-socket: sub: what the sandbox may write could be moved there"*"name the socket itself"* ]]
	run coffer run --write . --allow-unix-socket '*.sock' -- true
	[ "$status" = 125 ]
}

@test "races for the name, and for descriptor and address, are lost: nobody of the host's is ever met" {
	serve "$PWD/foreign"
	run coffer run --write . -- python3 unix.py swap foreign 2
	[ "$output" = held ]
	met_only
	run coffer run --write . -- python3 unix.py lie "$PWD/foreign" 2
	[ "$output" = held ]
	met_only
}

@test "names in no directory: the host's do not exist, with a network of one's own and without" {
	serve "@$(basename "$TOP")"
	run coffer run -- python3 unix.py connect "@$(basename "$TOP")"
	[ "$output" = "@$(basename "$TOP") ECONNREFUSED" ]
	met_only
	run coffer run --network host -- sh -c "python3 unix.py connect '@$(basename "$TOP")'; python3 unix.py inside @mine$$"
	[[ "$output" == *"@$(basename "$TOP") E"* ]]
	[[ "$output" != *"@$(basename "$TOP") @"* ]]
	met_only
}

@test "datagram sockets bring an address with each message: refused, and vsock whatever is allowed" {
	run coffer run -- python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)'
	[[ "$output" == *"PermissionError"* ]]
	run coffer why
	[[ "$output" == *"socket AF_UNIX: Operation not permitted"*"to allow  --allow-all-unix-sockets"* ]]
	run coffer run -- python3 -c 'import socket; socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)'
	[[ "$output" == *"PermissionError"* ]]
	run coffer run --allow-all-unix-sockets -- python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); print("fine", flush=True); socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)'
	[[ "$output" == *"fine"*"PermissionError"* ]]
}

@test "--allow-all-unix-sockets: every socket that can be seen" {
	serve "$PWD/here.sock"
	run coffer run --allow-all-unix-sockets -- python3 unix.py connect "$PWD/here.sock"
	[ "$output" = "$PWD/here.sock $PWD/here.sock" ]
}

@test "a profile's list is only narrowed by what comes after it" {
	echo '{"network": {"allowUnixSockets": ["'"$TOP/host"'"]}}' > "$TOP/one.json"
	echo '{"network": {"allowUnixSockets": ["'"$TOP/host/a"'"]}}' > "$TOP/two.json"
	echo '{"network": {"allowUnixSockets": ["'"$TOP/ws/x"'"]}}' > "$TOP/three.json"
	serve "$TOP/host/a" "$TOP/host/b"
	run coffer run --settings "$TOP/one.json" --settings "$TOP/two.json" -- python3 unix.py connect "$TOP/host/a" "$TOP/host/b"
	[ "$output" = "$TOP/host/a $TOP/host/a
$TOP/host/b ENOENT" ]
	run coffer run --settings "$TOP/one.json" --settings "$TOP/three.json" -- true
	[ "$status" = 125 ]
	[[ "$output" == *"three.json /network/allowUnixSockets/0"*"what can be connected to without it"* ]]
}

@test "a server that is busy is waited for, as the kernel would" {
	run coffer run -- python3 -c '
import socket, threading, time
s = socket.socket(socket.AF_UNIX); s.bind("/tmp/busy"); s.listen(0)
def one(i):
    c = socket.socket(socket.AF_UNIX); c.connect("/tmp/busy"); c.recv(10)
threads = [threading.Thread(target=one, args=(i,)) for i in range(6)]
[t.start() for t in threads]
time.sleep(0.3)
n = socket.socket(socket.AF_UNIX); n.setblocking(False)
try: n.connect("/tmp/busy"); print("taken")
except BlockingIOError: print("again")
for t in threads: s.accept()[0].send(b"x")
[t.join() for t in threads]
print("done")'
	[ "$output" = "again
done" ]
}

@test "without namespaces: the same rules" {
	unshare -Ur true 2> /dev/null || skip "no user namespace to forbid them in"
	export COFFER
	serve "$TOP/host/a" "$TOP/host/b" "$PWD/here.sock" "@$(basename "$TOP")"
	run unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$COFFER" "$@"' sh run --write . --read "$TOP/host" --allow-unix-socket "$TOP/host/a" -- \
		python3 unix.py connect "$TOP/host/a" "$TOP/host/b" here.sock "@$(basename "$TOP")"
	[[ "$output" == *"$TOP/host/a $TOP/host/a
$TOP/host/b EACCES
here.sock ECONNREFUSED
@$(basename "$TOP") E"* ]]
	met_only "$TOP/host/a"
	run unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$COFFER" "$@"' sh run --write . -- python3 unix.py inside "$PWD/x"
	[ "$(grep -c ok <<<"$output")" = 2 ]
}

@test "where init cannot make calls for others the list is a note, or under strict an error" {
	run coffer run -v --allow-nested-user-namespaces --allow-unix-socket "$TOP/host" -- true
	[[ "$output" == *"no Unix socket can be connected to: nested user namespaces see other paths"* ]]
	run coffer run --strict --allow-nested-user-namespaces --allow-unix-socket "$TOP/host" -- true
	[ "$status" = 125 ]
}
