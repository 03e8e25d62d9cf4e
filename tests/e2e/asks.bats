#!/usr/bin/env bats
# bats file_tags=once
# Filters that ask somebody else, of a sandbox and of `srt proxy`, and deciders that are slow, die, or say what they should not; asks.py holds the cases.

setup() {
	load lib
	workspace
	export COFFER_BUILD=${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build} PYTHONDONTWRITEBYTECODE=1
	COFFER_BUILD=$(realpath "$COFFER_BUILD")
	export PATH="$COFFER_BUILD:$PATH"
}

filter() {
	TMPDIR=$TOP timeout 120 python3 "$BATS_TEST_DIRNAME/asks.py" "$1"
}

@test "asks: hosts on neither list, in each way of asking" {
	filter hosts
	filter hosts_wait
	filter hosts_renew
}

@test "asks: a yes does not lead where names may not lead" {
	filter hosts_addresses
}

@test "asks: the resolver answers, the connection is asked about" {
	filter resolver
}

@test "asks: requests, and hosts before them" {
	COFFER_EGRESS=coffer-egress-tls filter requests
	filter both
}

@test "asks: slips of the protocol are a no" {
	filter slips
}

@test "asks: attacks fail, and each succeeds where its check is left out" {
	filter attacks
}

@test "asks: a decider that is slow, with more questions than may wait" {
	filter hosts_slow
}

@test "asks: a decider that never answers" {
	filter hosts_never
}

@test "asks: a decider that dies, talks nonsense, or answers twice, while many wait" {
	filter hosts_dies
	filter proxy_dies
}

@test "asks: srt proxy and a decider that is slow, or does not read" {
	filter proxy_slow
	filter proxy_never_reads
}

@test "asks: srt proxy and more bodies than there is memory for" {
	filter proxy_bodies
}

@test "asks: settings that ask need somebody to be asked" {
	echo '{"network": {"asks": "hosts", "allowedDomains": ["a.test"]}}' > s.json
	run coffer run --settings s.json -- true
	[ "$status" = 125 ]
	[[ $output == *"network.asks: nobody is there to be asked"* ]]
	run coffer session create --settings s.json one
	[ "$status" = 125 ]
	[[ $output == *"a session outlives whoever could be asked"* ]]
	COFFER_SRT_DECIDER=hosts:t:$TOP/none run srt true
	[ "$status" = 1 ]
	[[ $output == *"the command is not run"* ]]
	COFFER_SRT_DECIDER=all:t:$TOP/none run srt true
	[ "$status" = 1 ]
	[[ $output == *"allowed nothing or hosts"* ]]
}
