#!/usr/bin/env bats
# TLS that ends in the egress filter: tls.py drives the filter alone; the rest is coffer on the Internet of tests/e2e/internet.

setup() {
	load lib
	workspace
	export COFFER_BUILD=${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build} PYTHONDONTWRITEBYTECODE=1
	COFFER_BUILD=$(realpath "$COFFER_BUILD")
}

filter() {
	TMPDIR=$TOP python3 "$BATS_TEST_DIRNAME/tls.py" "$1"
}

@test "tls: a certificate for each host, requests that are read, a server that is verified" {
	filter opens
}

@test "tls: megabytes there and back, in bounded memory" {
	filter large
}

@test "tls: a server with another name, a foreign, an old or no authority never sees a request" {
	filter untrusted
}

@test "tls: CONNECT, SNI and Host name one host, or nothing goes out" {
	filter names
}

@test "tls: clients that do not trust it, or do not speak" {
	filter client
}

@test "tls: hosts whose TLS stays closed" {
	filter excluded
}

@test "tls: no more tunnels than maxTunnels" {
	filter crowd
}

@test "tls: rules for requests: methods, paths in every reading, headers, reasons" {
	filter requests
}

@test "tls: the rules hold for plain HTTP, whichever way it comes" {
	filter plain
}

@test "tls: placeholders become secrets for their hosts alone, over TLS alone" {
	filter secrets
}

@test "tls: a WebSocket is a tunnel behind its 101" {
	filter upgrade
}

@test "tls: confined like the filter without TLS; rules that cannot be are refused" {
	filter confined
}

@test "tls: all else is as in the filter without TLS" {
	[ "$(id -u)" = 0 ] || skip "a resolver on port 53 needs root"
	printf 'nameserver 127.0.0.53\nsearch corp.test\noptions ndots:5\n' > resolv
	unshare -m true 2> /dev/null || skip "no mount namespace for a resolv.conf"
	export COFFER_EGRESS=coffer-egress-tls
	unshare -m sh -c 'mount --bind resolv /etc/resolv.conf && exec python3 "$1" dns' sh "$BATS_TEST_DIRNAME/egress.py"
	for case in allowed denied localhost upstream socks first_words answers; do
		python3 "$BATS_TEST_DIRNAME/egress.py" "$case"
	done
}
