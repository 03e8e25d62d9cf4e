#!/usr/bin/env bats
# bats file_tags=once
# `srt proxy`: the line here, the rest in srt_proxy.py, which asks npm's as well when SRT_PROXY says how to start it.

setup() {
	load lib
	workspace
	export COFFER_BUILD=${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build} PYTHONDONTWRITEBYTECODE=1
	COFFER_BUILD=$(realpath "$COFFER_BUILD")
	export PATH="$COFFER_BUILD:$PATH"
}

proxy() {
	TMPDIR=$TOP python3 "$BATS_TEST_DIRNAME/srt_proxy.py" "$1"
}

# wrong TEXT WORD…: a line that ends in status 2, with that said.
wrong() {
	local text=$1
	shift
	run srt proxy "$@" < /dev/null
	[ "$status" = 2 ]
	[ "$output" = "$text" ]
}

@test "srt proxy: a line that is wrong" {
	wrong "srt proxy: a decider is required (--decider-fd, or --decider-in and --decider-out)" --listen 127.0.0.1:0 --decider-in 0
	wrong "srt proxy: --listen-fd (or --listen for development) is required" word --decider-fd 0
	wrong 'srt proxy: --listen needs <host:port> with a port from 0 to 65535 (got "localhost:65536")' --listen localhost:65536 --decider-fd 0
	for address in 0.0.0.0:0 :0 192.0.2.1:0 [::]:0 128.0.0.1:0; do
		wrong "srt proxy: --listen \"$address\" is not a loopback address (127.0.0.0/8, [::1] or localhost); pass --listen-any-interface to bind it anyway" --listen=$address --decider-fd=0
	done
	wrong "error: unknown option '--verbose'" --verbose
	wrong "error: option '--ca-fd <fd>' argument missing" --ca-fd
	wrong "srt proxy: --decider-fd 77: Bad file descriptor" --listen 127.0.0.1:0 --decider-fd 77
	wrong "srt proxy: proxy-only: the CA PEM needs a private key and a certificate" --listen 127.0.0.1:0 --decider-in 0 --decider-out 1 --ca-fd 0
	run srt proxy --listen --version
	[ "$status $output" = "0 0.0.83" ]
	run srt-proxy --bogus --version
	[ "$status $output" = "0 srt-proxy 0.0.83" ]
	srt --help | grep -q '^  proxy \[args'
	run srt proxy --help
	[ "$status" = 0 ]
	[ "${lines[0]}" = "Usage: srt-proxy [options]" ]
	[ "$(srt-py proxy 2> /dev/null)" = "Running: proxy" ] || false # a command there
}

@test "srt proxy: what a decider is asked, and that nothing else passes" {
	proxy asks
	proxy denies
	proxy http_alone
}

@test "srt proxy: headers and credentials that it sets" {
	proxy edits
}

@test "srt proxy: bodies that it wants to see" {
	proxy body
}

@test "srt proxy: verdicts that come late" {
	proxy late
}

@test "srt proxy: slips of the protocol end it, closed" {
	proxy slips
}

@test "srt proxy: how it ends, and where it listens" {
	proxy ends
	proxy listens
}

@test "srt proxy: TLS that is opened with the authority that it was handed" {
	proxy tls
	proxy trust
}
