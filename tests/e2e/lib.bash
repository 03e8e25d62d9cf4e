# lib.bash: what every end-to-end test has. COFFER_BUILD names the build directory; coffer is taken from it.

coffer() {
	"${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build}/coffer" "$@"
}

# A fresh working directory with a home of its own beside it.
workspace() {
	TOP=$(mktemp -d "${BATS_TMPDIR:-/tmp}/coffer-e2e.XXXXXX")
	mkdir "$TOP/home" "$TOP/ws"
	export HOME=$TOP/home
	cd "$TOP/ws" || return 1
}

teardown() {
	cd /
	[ -z "$TOP" ] || rm -rf "$TOP"
}
