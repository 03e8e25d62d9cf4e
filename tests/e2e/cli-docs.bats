#!/usr/bin/env bats
# Documents that are printed from tables agree with them, and what the README shows works.

setup() {
	load lib
	ROOT=$BATS_TEST_DIRNAME/../..
}

# bats test_tags=smoke
@test "docs/PLAN.md, PLACES.md, SYSCALLS.md and coffer-settings(5) are what the tables print" {
	cd "$ROOT"
	tools/tables --check
}

@test "every command has a manual page, and each page is named in another" {
	cd "$ROOT/man"
	for command in run explain why doctor gc; do
		[ -s coffer-$command.1.scd ]
		grep -q "coffer-$command\*(1)" coffer.1.scd
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
