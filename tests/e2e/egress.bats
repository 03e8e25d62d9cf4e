#!/usr/bin/env bats
# bats file_tags=once
# The egress filter alone: egress.py holds the cases. Names come from a hosts file of our own, in a mount namespace.

setup() {
	load lib
	workspace
	export COFFER_BUILD=${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build} PYTHONDONTWRITEBYTECODE=1
	COFFER_BUILD=$(realpath "$COFFER_BUILD")
	cat > hosts <<-'HOSTS'
		127.0.0.1 localhost
		127.0.0.1 a.loop.test
		10.1.2.3  other a.private.test # a comment
		169.254.169.254 a.meta.test
		::1 a.six.test
		::ffff:127.0.0.1 a.mapped.test
		127.0.0.1 evilloop.test op.test
	HOSTS
}

filter() {
	python3 "$BATS_TEST_DIRNAME/egress.py" "$1"
}

# The same where the names lead somewhere.
filter_with_names() {
	with_names egress.py "$@"
}

with_names() {
	local script=$BATS_TEST_DIRNAME/$1
	shift
	local with='mount --bind hosts /etc/hosts && exec'
	if [ "$(id -u)" = 0 ]; then
		unshare -m true 2> /dev/null || skip "no mount namespace for a hosts file"
		unshare -m sh -c "$with python3 \"\$1\" \"\$2\"" sh "$script" "$1"
	else
		unshare -rm unshare -U --map-user=1000 true 2> /dev/null || skip "no user namespace for a hosts file"
		unshare -rm sh -c "$with unshare -U --map-user=1000 python3 \"\$1\" \"\$2\"" sh "$script" "$1"
	fi
}

# SCRIPT: where the names are asked for.
with_resolver() {
	[ "$(id -u)" = 0 ] || skip "a resolver on port 53 needs root"
	printf 'nameserver 127.0.0.53\nsearch corp.test\noptions ndots:5\n' > resolv
	unshare -m true 2> /dev/null || skip "no mount namespace for a resolv.conf"
	unshare -m sh -c 'mount --bind resolv /etc/resolv.conf && exec python3 "$1" dns' sh "$BATS_TEST_DIRNAME/$1"
}

@test "egress: no lookup of what is not allowed, no search list, every answer judged" {
	with_resolver egress.py
}

@test "egress: attacks fail, and each succeeds where its check is left out" {
	with_names egress_attacks.py hosts
}

@test "egress: attacks by names, the same" {
	with_resolver egress_attacks.py
}

@test "egress: an allowed address: a tunnel, and what the engine is told" {
	filter allowed
}

@test "egress: what is on no list is refused with srt's words" {
	filter denied
}

@test "egress: an allowed name that leads to a forbidden address is refused" {
	filter_with_names resolved
}

@test "egress: an address that is denied is denied by every name" {
	filter_with_names denied_address
}

@test "egress: localhost by name is meant" {
	filter_with_names localhost
}

@test "egress: nobody there: 502, and SOCKS says why" {
	filter_with_names upstream
}

@test "egress: SOCKS 5: addresses and names; everything else has its code" {
	filter_with_names socks
}

@test "egress: TLS asks for the host that was asked for, or the server never hears of it" {
	filter_with_names tls
}

@test "egress: a second TLS greeting names the same host" {
	filter_with_names retry
}

@test "egress: a proxy behind ours: asked for what is allowed, and for nothing else" {
	filter_with_names parent
	filter_with_names parent_answers
}

@test "egress: a proxy of somebody else's in our place" {
	filter_with_names outside
}

@test "egress: a proxy with a Unix socket, for some hosts" {
	filter_with_names mitm
}

@test "egress: a server may speak first, and other protocols pass" {
	filter first_words
}

@test "egress: plain HTTP: written anew, kept alive, decided each time" {
	filter_with_names http
}

@test "egress: what servers may answer" {
	filter answers
}

@test "egress: a tunnel on a connection that was used for HTTP before" {
	filter connect_after_http
}

@test "egress: other rules while connections are open" {
	filter renew
}

@test "egress: requests that two readers could take for two things" {
	filter smuggling
}

@test "egress: a head that never ends" {
	filter slow
}

@test "egress: either side may end first" {
	filter half_close
}

@test "egress: large transfers, byte for byte" {
	filter large
}

@test "egress: a client that never reads" {
	filter never_reads
}

@test "egress: thousands of heads that never end, to and from servers" {
	filter greedy
}

@test "egress: 1,000 tunnels at once" {
	filter_with_names many
}

@test "egress: when the engine goes, everything ends" {
	filter engine_gone
}

@test "egress: rules that are none: status 125, and which member" {
	filter bad_rules
}

@test "egress: it has given up what it does not need" {
	filter confined
}
