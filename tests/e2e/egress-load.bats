#!/usr/bin/env bats
# bats file_tags=once
# The egress filter under load; egress_load.py holds the cases. On loopback alone. With CHECK_EGRESS_LOAD=1 as large as docs/PERFORMANCE.md has it.

setup() {
	load lib
	workspace
	export COFFER_BUILD=${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build} PYTHONDONTWRITEBYTECODE=1
	COFFER_BUILD=$(realpath "$COFFER_BUILD")
	if [ -z "${CHECK_EGRESS_LOAD:-}" ]; then
		export EGRESS_TUNNELS=${EGRESS_TUNNELS:-500} EGRESS_SOAK_SECONDS=${EGRESS_SOAK_SECONDS:-3}
	else
		export EGRESS_SOAK_SECONDS=${EGRESS_SOAK_SECONDS:-600}
	fi
}

under() {
	python3 "$BATS_TEST_DIRNAME/egress_load.py" "$1" >&3
}

@test "load: 10,000 tunnels at once" {
	under tunnels
}

@test "load: slow heads" {
	under loris
}

@test "load: giant heads" {
	under giants
}

@test "load: half-closed peers" {
	under half_closed
}

@test "load: peers that never read" {
	under never_reading
}

@test "load: one connection too many" {
	under crowd
}

@test "load: a soak" {
	under soak
}
