#!/usr/bin/env bats
# Published ports: servers inside that can be reached from the host's loopback, with the network off as well as filtered.

load lib

setup() {
	workspace
	private_state
	cp "$BATS_TEST_DIRNAME/publish.py" .
	PORT=$(python3 publish.py free)
	RUN=
}

teardown() {
	[ -z "$RUN" ] || kill "$RUN" 2> /dev/null || :
	cd /
	[ -z "$RUN" ] || wait "$RUN" 2> /dev/null || :
	rm -rf "$TOP"
}

# SCRIPT [OPTION…]: a sandbox that runs until the test ends, ready when its server says so.
start() {
	local script=$1
	shift
	"$COFFER" run --write . "$@" -- sh -c "exec $script" > "$TOP/ready" 2> "$TOP/err" 3>&- &
	RUN=$!
	wait_until grep -q listening "$TOP/ready"
}

talk() {
	python3 publish.py "$@"
}

# bats test_tags=smoke
@test "a server inside is reached, bytes and ends go both ways, and it ends with the run" {
	start "python3 publish.py serve 8000" --publish "$PORT:8000"
	[ "$(talk talk "$PORT")" = "MORE!9" ]
	[ "$(talk talk "$PORT")" = "MORE!9" ]
	kill "$RUN"
	wait_until sh -c "! python3 publish.py talk $PORT 2>/dev/null"
	RUN=
	start "python3 publish.py serve $PORT" --publish "$PORT" # the same port again, and inside
	[ "$(talk talk "$PORT")" = "MORE!9" ]
}

# bats test_tags=smoke
@test "with domains allowed as well, and from a settings file" {
	echo '{"network": {"allowedDomains": ["example.com"], "publish": ["'"127.0.0.1:$PORT:8000"'"]}}' > "$TOP/s.json"
	start "python3 publish.py serve 8000" --settings "$TOP/s.json"
	[ "$(talk talk "$PORT")" = "MORE!9" ]
}

@test "a hundred connections at once, and then some hundreds more" {
	start "python3 publish.py serve 8000" --publish "$PORT:8000"
	[ "$(talk crowd "$PORT" 100)" = "100 of 100" ]
	[ "$(talk crowd "$PORT" 400)" = "400 of 400" ]
}

@test "much, whole and unchanged" {
	start "python3 publish.py serve 8000" --publish "$PORT:8000"
	run talk bulk "$PORT" 64
	[[ "$output" == "whole 67108873 "* ]]
}

@test "who does not read holds up who writes, and loses nothing" {
	start "python3 publish.py count 8000" --publish "$PORT:8000"
	sent=$(talk flood "$PORT")
	[ "${sent#sent }" -lt 50000000 ]
	wait_until grep -q read "$TOP/ready"
	[ "$(grep read "$TOP/ready")" = "read ${sent#sent }" ]
}

@test "nobody listens inside: closed at once, and the next one may be luckier" {
	start 'sh -c "echo listening; while [ ! -e go ]; do sleep 0.05; done; exec python3 publish.py serve 8000"' --publish "$PORT:8000"
	run timeout 5 python3 publish.py talk "$PORT"
	[ "$status" = 1 ]
	[[ "$output" == *"Connection reset"* || "$output" == *AssertionError* || "$output" == *"Broken pipe"* ]]
	touch go
	wait_until sh -c "[ \"\$(python3 publish.py talk $PORT 2>/dev/null)\" = 'MORE!9' ]"
}

@test "a port that is taken is an error that names the field, and nothing runs" {
	start "python3 publish.py serve 8000" --publish "$PORT:8000"
	run coffer run --write . --publish "$PORT:9" -- touch ran
	[ "$status" = 125 ]
	[[ "$output" == *"--publish: "*"127.0.0.1 port $PORT"*"another program listens there, so choose another port"* ]]
	[ ! -e ran ]
	run coffer run --publish 8080:99999 -- true
	[ "$status" = 125 ]
	[[ "$output" == *'--publish: found string "8080:99999", allowed a port such as'* ]]
}

@test "on the loopback unless another address is written" {
	start "python3 publish.py serve 8000" --publish "$PORT:8000"
	run python3 -c "import socket; socket.create_connection(('127.0.0.2', $PORT), 5)"
	[[ "$output" == *ConnectionRefused* ]]
	kill "$RUN"
	wait "$RUN" || :
	start "python3 publish.py serve 8000" --publish "127.0.0.2:$PORT:8000" --publish "[::1]:$PORT:8000"
	python3 -c "
import socket
for host in '127.0.0.2', '::1':
    s = socket.create_connection((host, $PORT), 5); s.sendall(b'x'); assert s.recv(1) == b'X'"
	run talk talk "$PORT"
	[ "$status" = 1 ]
	run coffer run --publish "192.0.2.77:$PORT" -- true
	[ "$status" = 125 ]
	[[ "$output" == *"no such address"* ]]
}

@test "what comes after a document only narrows it" {
	echo '{"network": {"publish": ["'"$PORT:8000"'", "'"$((PORT + 1)):8000"'"]}}' > "$TOP/one.json"
	echo '{"network": {"publish": ["'"127.0.0.1:$PORT:8000"'"]}}' > "$TOP/two.json"
	echo '{"network": {"publish": ["'"$PORT:8001"'"]}}' > "$TOP/three.json"
	[ "$(coffer explain --settings "$TOP/one.json" --settings "$TOP/two.json" -- true | grep -c PUBLISH)" = 1 ]
	[ "$(coffer explain --settings "$TOP/one.json" -- true | grep -c PUBLISH)" = 2 ]
	run coffer explain --settings "$TOP/one.json" --settings "$TOP/three.json" -- true
	[ "$status" = 125 ]
	[[ "$output" == *"three.json /network/publish/0"*"what is published without it"* ]]
}

@test "on the host's network, and without namespaces, there is nothing to publish" {
	run coffer run --network host --publish 8080 -- true
	[ "$status" = 125 ]
	[[ "$output" == *"servers inside are on the host's network already"* ]]
	unshare -Ur true 2> /dev/null || skip "no user namespace to forbid them in"
	export COFFER
	run unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$COFFER" "$@"' sh run -v --publish "$PORT" -- echo ran
	[[ "$output" == *"without a network of its own a sandbox has no servers to publish"*ran* ]]
}

# bats test_tags=smoke
@test "allowLocalBinding: servers on the loopback inside always work, said or not" {
	local script='import socket, threading
s = socket.create_server(("127.0.0.1", 0)); six = socket.create_server(("::1", 0), family=socket.AF_INET6)
for server in s, six:
    c = socket.create_connection(server.getsockname()[:2]); server.accept()[0].sendall(b"inside"); print(c.recv(10).decode())'
	for said in '{}' '{"network": {"allowLocalBinding": true}}' '{"network": {"allowLocalBinding": false}}'; do
		echo "$said" > "$TOP/s.json"
		[ "$(coffer run --settings "$TOP/s.json" -- python3 -c "$script")" = "inside
inside" ]
	done
}
