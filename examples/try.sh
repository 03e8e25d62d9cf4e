#!/bin/sh
# A tour of what a sandbox does, on this machine. `make try` runs it, and so does `make check`: each step says how it should end.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
build=${COFFER_BUILD:-$root/build}
PATH="$build:$PATH"
top=$(mktemp -d /tmp/coffer-try.XXXXXX)
trap 'rm -rf "$top"' EXIT
mkdir -p "$top/home/.ssh" "$top/project/.git/hooks"
mkdir -m 700 "$top/run"
echo 'a private key' >"$top/home/.ssh/id_ed25519"
echo 'echo "hello from $0"' >"$top/project/main.sh"
export HOME="$top/home" XDG_RUNTIME_DIR="$top/run"
cd "$top/project" || exit 1

# step STATUS 'what it shows' COMMAND…: STATUS is a number, or - for any but 0.
step() {
	expected=$1
	printf '\n# %s\n$ ' "$2"
	shift 2
	printf '%s ' "$@"
	echo
	"$@"
	status=$?
	case $expected in
	-) [ $status -ne 0 ] && return ;;
	*) [ $status -eq "$expected" ] && return ;;
	esac
	echo "try: that should have ended with $expected and ended with $status" >&2
	exit 1
}

step 0 'The toolchain is there, and so is the working directory.' coffer run -- sh main.sh
step - 'A private key is not.' coffer run -- cat "$HOME/.ssh/id_ed25519"

step - 'Nothing is written …' coffer run -- touch note
step 0 '… and there is a reason, and a way to allow it.' coffer why
step 0 'You say where.' coffer run --write . -- touch note
step - 'Even then, nothing is planted that would run later, outside.' coffer run --write . -- cp main.sh .git/hooks/pre-commit
step 0 'What was that about?' coffer why

step - 'There is no network …' coffer run -- bash -c 'exec 3<>/dev/tcp/192.0.2.1/53'
step 0 '… and the reason for that.' coffer why
step 0 'Other processes are out of sight.' coffer run -- sh -c 'ls /proc | grep -c "^[0-9]"'
step 124 'Time, memory, processes and output have limits.' coffer run --timeout 1s -- sleep 60
step 7 'The exit status is the command'"'"'s own.' coffer run -- sh -c 'exit 7'

step 0 'This is how it is made, before anything happens.' coffer explain --memory 512M -- sh main.sh

# Something real: this repository's own unit tests. Those of the lower layers need nothing but their own files and /tmp.
cd "$root" || exit 1
for test in "$build"/tests/unit-base-* "$build"/tests/unit-policy-* "$build"/tests/unit-plan-*; do
	[ -f "$test" ] && [ -x "$test" ] || continue
	step 0 "Something real: $(basename "$test"), in a sandbox." coffer run --read "$build" -- sh -c '"$0" >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }; tail -n 1 /tmp/log' "$test"
done

echo
echo '# What this machine can enforce, and how to get what it lacks:'
coffer doctor || :
