#!/usr/bin/env bats
# Documents that are printed from tables agree with them, and what the README shows works.

setup() {
	load lib
	teardown() { # sessions that the documents make, when one of their lines has failed
		for directory in "${TOP:-/nowhere}"/data/coffer/sessions/*/; do
			[ ! -d "$directory" ] || "$COFFER" session rm "$(basename "$directory")" || true
		done
		cd /
		[ -z "$TOP" ] || rm -rf "$TOP"
	}
	ROOT=$BATS_TEST_DIRNAME/../..
}

# bats test_tags=smoke
@test "docs/PLAN.md, PLACES.md, SYSCALLS.md and coffer-settings(5) are what the tables print" {
	cd "$ROOT"
	tools/tables --check
}

@test "every command has a manual page, and each page is named in another" {
	cd "$ROOT/man"
	for command in run explain why doctor try race session channel gc; do
		[ -s coffer-$command.1.scd ]
		grep -q "coffer-$command\*(1)" coffer.1.scd
	done
	for command in diff apply discard; do
		grep -q "^\*coffer $command\*" coffer-try.1.scd
	done
	for command in create exec ls cp cat write snapshot gc pause resume rm fork checkpoint log checkout; do
		grep -q "^\*coffer session .*$command" coffer-session.1.scd
		grep -q "^\*$command\*$" coffer-session.1.scd
	done
}

@test "every link of the README and of docs/ leads somewhere" {
	cd "$ROOT"
	for page in README.md docs/*.md HACKING.md CONTRIBUTING.md SECURITY.md; do
		for link in $(grep -o '](\([^)#]*\)' "$page" | sed 's/](//' | grep -v '^https\?:'); do
			[ -e "$(dirname "$page")/$link" ] || { echo "$page: $link"; false; }
		done
	done
}

# The commands that stand in code of the README and of the manual, and in help, each in a directory with what they name.
@test "every command that README, manual and help show is run, and works" {
	workspace
	private_state
	export XDG_DATA_HOME=$TOP/data
	mkdir -m 700 "$XDG_DATA_HOME"
	export PATH=${COFFER%/*}:$PATH
	printf 'all test:\n\techo made > out\n' > Makefile
	echo 'print(6 * 7)' > main.py
	printf '#!/bin/sh\ncat\n' > a.out
	printf '#!/bin/sh\necho configured\n' > configure
	cp a.out unknown
	cp a.out score
	cp a.out attempt
	chmod +x a.out configure unknown score attempt
	echo '{"name": "x", "version": "1.0.0", "scripts": {"test": "true"}}' > package.json
	echo '{"filesystem": {"allowWrite": ["."]}}' > policy.json
	echo text > input
	{
		sed -n 's/^\$ \(coffer .*\)/\1/p; t; s/^\t\{0,1\}\(coffer \(run\|race\|explain\|why\|doctor\|gc\|try\|diff\|apply\|discard\|session\)\( .*\|\)\)/\1/p; s/^\(diff <(coffer.*\)/\1/p' \
			"$ROOT/README.md" "$ROOT"/man/*.scd | sed 's/   *#.*//; s/++$//; s/\\\*/*/g'
		for command in run race explain why doctor gc version; do
			coffer help $command | sed -n '/^Examples/,/^Usage/s/^  \(coffer [^ ].*\)/\1/p' | sed 's/   .*//'
		done
	} | grep -v '\\$\|^coffer runs \|^coffer failed\|^coffer why 7f3a\|^coffer keeps' > commands
	[ "$(wc -l < commands)" -ge 20 ]
	while read -r command; do
		case $command in
		*npm*) type npm > /dev/null || continue ;;
		*jq*) type jq > /dev/null || continue ;;
		esac
		status=0
		bash -o pipefail -c "$command" < input > shown 2>&1 || status=$?
		case $status:$command in
		0:*) ;;
		1:*touch\ note | 1:diff* | 1:coffer\ doctor*) ;;
		125:*strict*) grep -q 'strict' shown ;; # where not everything can be enforced
		*) echo "$command: exit status $status" && cat shown && false ;;
		esac
	done < commands
}
