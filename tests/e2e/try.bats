#!/usr/bin/env bats
# `coffer try`, and what becomes of what it has changed: diff, apply, discard.
bats_require_minimum_version 1.5.0
load lib

setup() {
	workspace
	private_state
	export PATH=$PATH:/usr/sbin:/sbin
	export XDG_DATA_HOME=$TOP/data
	mkdir -m 700 "$XDG_DATA_HOME"
	mkdir d gone
	seq 40 > numbers
	echo base > f
	echo below > d/g
	echo there > gone/x
	ln -s f link
	printf 'a\0b' > binary
}

teardown() {
	cd /
	chmod -R u+rwX "$TOP"
	rm -rf "$TOP"
}

hash_of() { # names, kinds, modes, owners, times, contents
	(cd "$1" && find . -printf '%p %y %m %U %G %T@ %C@ %l\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum
}

tried() { # CMD…: without a word about it
	coffer try -- "$@" 2> "$TOP/said"
}

names() {
	coffer diff --names "$@"
}

kept() { # how many workspaces there are
	coffer discard --list | wc -l
}

change_all() {
	tried sh -euc 'echo new > n; sed -i "s/^3$/three/; s/^30$/thirty/" numbers; rm -r gone; mkdir -p a/b; echo deep > a/b/c; ln -sf n link
		printf "c\0d" > binary; chmod 755 f; echo more >> d/g'
}

@test "nothing of the host changes: not a byte, a mode or a time; and it is said what would have" {
	before=$(hash_of .)
	change_all
	[ "$(hash_of .)" = "$before" ]
	grep -q 'nothing of it has happened yet' "$TOP/said"
	grep -q 'A a/b/c | +1 -0' "$TOP/said"
	grep -q '^coffer:   [0-9]* changed: ' "$TOP/said" # the last line, though not each of those before
	[ "$(kept)" = 1 ]
}

@test "the command sees what it has written, its status is passed on, and what changed nothing leaves nothing" {
	run -0 tried sh -c 'echo x > n; cat n; cat f'
	[ "${lines[*]}" = "x base" ]
	run -7 tried sh -c 'echo y > f; exit 7'
	run -143 tried sh -c 'kill -TERM $$'
	run -127 tried nosuch
	run -124 coffer try --timeout 500ms -- sleep 60
	[ "$(kept)" = 2 ]
	coffer discard
	coffer discard
	run -0 --separate-stderr coffer try -- sh -c 'cat f; echo x > t; rm t'
	[ "$stderr" = "coffer: nothing was changed" ]
	[ "$(kept)" = 0 ]
	run -125 coffer diff
	[[ "$output" == *"nothing has been tried here"* ]]
}

@test "diff: names, lines, JSON, and paths that begin where the caller stands" {
	change_all
	names > "$TOP/names"
	grep -qx 'A n' "$TOP/names"
	grep -qx 'M numbers' "$TOP/names"
	grep -qx 'D gone/x' "$TOP/names"
	grep -qx 'M f' "$TOP/names"
	grep -qx 'M link' "$TOP/names"
	coffer diff --stat | grep -qx 'M numbers | +2 -2'
	coffer diff --json | /usr/bin/python3 -c 'import json, sys
d = {c["path"]: c["change"] for c in json.load(sys.stdin)["changes"]}
assert d["n"] == "added" and d["numbers"] == "modified" and d["gone/x"] == "deleted", d'
	[ "$(names n)" = 'A n' ]
	[ "$(names "$PWD/a/b/c")" = 'A a/b/c' ]
	[ "$(names d/)" = 'M d/g' ]
	[ "$(cd d && names g)" = 'M d/g' ]
	[ "$(cd d && names .)" = 'M d/g' ]
	[ "$(cd d && names ../n)" = 'A n' ]
	id=$(coffer discard --list | cut -d' ' -f1)
	[ "$(cd / && names --in "$id" d)" = 'M d/g' ] # not inside: it begins at the base
	run -125 names ../home
	[[ "$output" == *"no path inside of $TOP/ws"* ]]
	run -125 names ''
}

@test "the patch is what git apply takes, and makes the same tree as coffer apply" {
	type git > /dev/null || skip "no git"
	rm binary
	cp -a . "$TOP/copy"
	tried sh -euc 'echo new > n; sed -i "s/^3$/three/" numbers; rm -r gone; mkdir -p a/b; printf nonl > a/b/c; ln -sf n link; chmod 755 f; printf "x\0y" > bin
		: > empty; echo x > "with blank"; mv d/g d/moved'
	coffer diff > "$TOP/patch"
	git -C "$TOP/copy" apply --check "$TOP/patch"
	git -C "$TOP/copy" apply "$TOP/patch"
	coffer apply
	diff -r --no-dereference . "$TOP/copy"
	[ -x "$TOP/copy/f" ]
	[ -x f ]
}

@test "apply: all of it, once, and the workspace goes" {
	change_all
	coffer apply --check > "$TOP/check"
	grep -q '^note *f: becomes executable' "$TOP/check"
	[ "$(cat f)" = base ] && [ ! -e n ] && [ -e gone/x ]
	coffer apply > "$TOP/applied"
	grep -q '^note *f: becomes executable' "$TOP/applied"
	[ "$(cat n)" = new ]
	[ "$(sed -n '3p;30p' numbers | tr '\n' ' ')" = 'three thirty ' ]
	[ ! -e gone ]
	[ "$(cat a/b/c)" = deep ]
	[ "$(readlink link)" = n ]
	[ -x f ]
	[ "$(stat -c %U:%G n)" = "$(stat -c %U:%G .)" ]
	[ "$(kept)" = 0 ]
	[ -z "$(find . -name '.coffer*')" ]
}

@test "apply: by path, by hunk, and the rest later; --keep keeps the workspace" {
	change_all
	coffer apply n > /dev/null
	[ "$(cat n)" = new ]
	[ -e gone/x ]
	(cd d && coffer apply g > /dev/null)
	[ "$(tail -n 1 d/g)" = more ]
	coffer apply --hunk numbers:2 > /dev/null
	[ "$(sed -n '3p;30p' numbers | tr '\n' ' ')" = '3 thirty ' ]
	run -0 names
	[[ "$output" == *numbers* ]]
	[[ "$output" != *"A n"* ]]
	coffer apply --keep > /dev/null
	[ "$(sed -n '3p;30p' numbers | tr '\n' ' ')" = 'three thirty ' ]
	[ "$(kept)" = 1 ]
	[ -z "$(names)" ]
	coffer apply > /dev/null
	[ "$(kept)" = 0 ]
}

@test "apply: what is not there, what is no hunk, what cannot be chosen" {
	change_all
	run -125 coffer apply nosuch
	[[ "$output" == *"nosuch: the workspace has not changed it"* ]]
	run -125 coffer apply --hunk numbers
	[[ "$output" == *"names no hunks"* ]]
	run -125 coffer apply --hunk numbers:9
	run -125 coffer apply --hunk n:1
	run -125 coffer apply --in nosuch
	[ ! -e n ]
	[ "$(sed -n 3p numbers)" = 3 ]
}

@test "conflicts: a file of the host's that was changed meanwhile stops all of it; touching one does not" {
	change_all
	touch f numbers
	echo theirs > d/g
	run -125 coffer apply
	[[ "$output" == *"conflict d/g: the host's file was changed meanwhile"* ]]
	[ "$(cat d/g)" = theirs ]
	[ ! -e n ]
	run -125 coffer apply --check
	coffer apply f numbers n > /dev/null # the others are not in conflict
	[ "$(cat n)" = new ]
	printf 'below\nmore\n' > d/g # what was to be applied has been done by hand
	coffer apply > /dev/null
	[ "$(kept)" = 0 ]
}

@test "conflicts: a file that was removed, or made by somebody else under the same name" {
	change_all
	rm d/g
	echo theirs > n
	run -125 coffer apply
	[[ "$output" == *"conflict d/g: the host's file was removed meanwhile"* ]]
	[[ "$output" == *"conflict n: "* ]]
	[ "$(cat n)" = theirs ]
	[ -e gone/x ]
}

@test "gates: what the host would execute, or obey, is applied only when it is allowed by name" {
	tried sh -euc 'mkdir -p .git/hooks .vscode; echo "echo planted" > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit; echo x > .envrc
		echo {} > .vscode/tasks.json; ln -s /etc/passwd out; ln -s ../../home up; ln -s d/g in; echo fine > fine'
	run -125 coffer apply
	for path in .git/hooks/pre-commit .envrc .vscode/tasks.json out up; do
		[[ "$output" == *"refused  $path: "* ]]
	done
	[[ "$output" != *"refused  in: "* ]]
	[ ! -e fine ]
	run -125 coffer apply --json
	/usr/bin/python3 -c 'import json, sys; d = json.loads(sys.argv[1].splitlines()[0])
assert sum(f["kind"] == "refused" for f in d["findings"]) >= 5 and d["written"] == 0, d' "$output"
	coffer apply fine in > /dev/null
	[ "$(cat fine)" = fine ] && [ "$(readlink in)" = d/g ]
	(cd d && coffer apply --allow ../.envrc ../.envrc > /dev/null)
	[ -e .envrc ]
	coffer apply --allow .git --allow .vscode --allow out --allow up > /dev/null
	[ -x .git/hooks/pre-commit ]
	[ "$(readlink out)" = /etc/passwd ]
	[ "$(kept)" = 0 ]
}

@test "apply --test: done only when the test ends with 0, seen where all is as it would be" {
	tried sh -c 'echo changed > f; rm -r gone; rm d/g; mkdir -p new/deep; echo n > new/deep/x; chmod 750 new; ln -sf numbers link; rm binary; mkdir binary; echo in > binary/in
		sed -i "1s/^/one /; 40s/^/forty /" numbers'
	before=$(hash_of .)
	run -125 --separate-stderr coffer apply --test 'echo "told"; cat f; exit 3'
	[[ $stderr == *"told"*"changed"*"exit status 3"* ]]
	[ "$(hash_of .)" = "$before" ] && [ "$(kept)" -eq 1 ]
	echo 'set -e
		[ "$(pwd -P)" = "$1" ] && [ "$(cat f new/deep/x binary/in)" = "changed
n
in" ]
		[ ! -e gone ] && [ ! -e d/g ] && [ -d d ] && [ "$(readlink link)" = numbers ] && [ "$(stat -c %a new)" = 750 ]
		[ "$(head -n 1 numbers)" = "one 1" ] && [ "$(tail -n 1 numbers)" = "forty 40" ]
		echo spoiled > f; rm -rf new; touch left' > "$TOP/check"
	coffer apply --check --test 'exit 1'
	coffer apply --keep --test "$(sed "s|\$1|$(pwd -P)|" "$TOP/check")"
	[ "$(cat f new/deep/x binary/in)" = $'changed\nn\nin' ] && [ ! -e gone ] && [ ! -e left ] && [ "$(kept)" -eq 1 ]
	[ -z "$(names)" ]
}

@test "apply --test: of what was chosen, by path and by hunk; a file that was not is as it was" {
	tried sh -c 'echo changed > f; rm -r gone; echo n > new; sed -i "1s/^/one /; 40s/^/forty /" numbers'
	coffer apply --test '[ "$(cat f)" = base ] && [ -e gone/x ] && [ ! -e new ] && [ "$(head -n 1 numbers)" = 1 ] && [ "$(tail -n 1 numbers)" = "forty 40" ]' --hunk numbers:2
	[ "$(tail -n 1 numbers)" = "forty 40" ] && [ "$(head -n 1 numbers)" = 1 ]
	run -125 coffer apply --test 'test -e new' gone
	[ -e gone/x ]
	coffer apply --test 'test ! -e gone/x && test ! -e new' gone
	[ ! -e gone/x ] && [ ! -e new ]
}

@test "apply --test: a timeout, a signal, a conflict, a test that cannot be: nothing is applied, nothing is left" {
	tried sh -c 'echo changed > f'
	run -125 --separate-stderr coffer apply --timeout 300ms --test 'sleep 60'
	[[ $stderr == *timeout* ]]
	run -125 coffer apply --test 'echo x > /dev/full || exit 7'
	"$COFFER" apply --test 'trap "" INT; sleep 60; exit 0' 2> "$TOP/said" &
	pid=$! status=0
	sleep 1
	kill -INT $pid
	wait $pid || status=$?
	[ $status -eq 125 ]
	grep -q cancelled "$TOP/said"
	[ "$(cat f)" = base ] && [ "$(kept)" -eq 1 ]
	echo theirs > f
	run -125 --separate-stderr coffer apply --test 'echo was run >&2'
	[[ $stderr != *"was run"* ]] && [ "$(cat f)" = theirs ] && [ "$(kept)" -eq 1 ]
}

@test "set-id and sticky bits do not come out" {
	chmod 4755 f
	tried sh -euc 'echo more >> f; cp /bin/true t; mkdir s'
	layer=$(echo "$XDG_DATA_HOME"/coffer/workspaces/*/upper)
	[ -d "$layer" ] || skip "no overlay here"
	chmod 6755 "$layer/t" # no command inside can do that: as if one had
	chmod 1777 "$layer/s"
	coffer apply > "$TOP/applied"
	grep -q '^note *t: loses its set-id bits' "$TOP/applied"
	[ "$(stat -c %a t)" = 755 ]
	[ "$(stat -c %a s)" = 777 ]
	[ "$(stat -c %a f)" = 755 ]
}

@test "discard: the latest, by name, all that there are; what is in use is not" {
	change_all
	tried sh -c 'echo second > n'
	[ "$(kept)" = 2 ]
	[ "$(names)" = 'A n' ] # the latest
	run -0 coffer discard
	[[ "$output" == "coffer: discarded "* ]]
	names | grep -qx 'M numbers'
	id=$(coffer discard --list | cut -d' ' -f1)
	coffer discard --list --json | /usr/bin/python3 -c 'import json, os, sys; d, = json.load(sys.stdin)
assert d["id"] == sys.argv[1] and d["base"] == os.getcwd() and not d["in_use"], d' "$id"
	run -125 coffer discard nosuch
	coffer discard "$id"
	[ "$(kept)" = 0 ]
	[ -z "$(ls -A "$XDG_DATA_HOME/coffer/workspaces")" ]
	run -125 coffer discard
	"$COFFER" try -- sh -c 'echo x > started; sleep 60' 2> /dev/null 3>&- &
	wait_until eval '[ -e "$(echo "$XDG_DATA_HOME"/coffer/workspaces/*/*/started)" ]'
	run -125 coffer discard
	kill $!
	wait $! || true
}

@test "two tries in one directory: each from what the host has, and the second to be applied is told of the first" {
	tried sh -c 'echo one >> f; echo 1 > one'
	first=$(coffer discard --list | cut -d' ' -f1)
	run -0 tried sh -c 'cat f; ls; echo two >> f; echo 2 > two'
	[ "${lines[0]}" = base ]
	[[ "$output" != *$'\n'one* ]]
	coffer apply > /dev/null
	[ "$(cat f)" = base$'\n'two ]
	run -125 coffer apply --in "$first"
	[[ "$output" == *"conflict f: "* ]]
	coffer apply one > /dev/null
	[ "$(cat one)" = 1 ]
	coffer discard
	[ "$(kept)" = 0 ]
}

@test "kill -9 of coffer try: the host is as it was, nothing runs on, and what is left can be listed and discarded" {
	before=$(hash_of .)
	for delay in 0.02 0.1 0.4; do
		"$COFFER" try -- sh -c 'echo x > n; echo y >> f; sleep $0' "$MARK" 2> /dev/null 3>&- &
		sleep $delay
		kill -9 $!
		wait $! 2> /dev/null || true
	done
	wait_until none_marked
	[ "$(hash_of .)" = "$before" ]
	coffer discard --list
	for id in $(coffer discard --list | cut -d' ' -f1); do
		wait_until coffer discard "$id" 2> /dev/null
	done
	[ "$(kept)" = 0 ]
	[ -z "$(ls -A "$XDG_DATA_HOME/coffer/workspaces")" ]
	coffer gc
}

@test "names of any bytes: newline, blank, quote, no UTF-8, leading dash" {
	cat > "$TOP/names.py" <<-'END'
		import os
		for name in (b"a\nb", b"\xff\xfe", b' "x"\t', b"-rf", b"\xc3\xa9", b"a" * 255):
		    with open(name, "wb") as f:
		        f.write(b"x\n")
	END
	cp -a . "$TOP/copy"
	tried /usr/bin/python3 -c "$(cat "$TOP/names.py")"
	[ "$(names | wc -l)" = 6 ]
	! names | LC_ALL=C grep -q "$(printf '\377')"
	coffer diff --json | /usr/bin/python3 -c 'import json, sys; assert len(json.load(sys.stdin)["changes"]) == 6'
	if type git > /dev/null; then
		coffer diff > "$TOP/patch"
		git -C "$TOP/copy" apply "$TOP/patch"
	fi
	coffer apply -- "$(printf '\377\376')" -rf > /dev/null
	[ "$(cat ./-rf)" = x ]
	[ "$(cat "$(printf '\377\376')")" = x ]
	coffer apply > /dev/null
	[ "$(find . -type f -size 2c | wc -l)" -ge 6 ]
	[ ! -d "$TOP/copy/.git" ] && diff -r --no-dereference . "$TOP/copy"
}

@test "where there can be no overlay, a copy does: the same commands" {
	mkdir "$TOP/l" "$TOP/u" "$TOP/w"
	chmod 700 "$TOP/u"
	unshare -Urm true 2> /dev/null || skip "no user namespaces here"
	before=$(hash_of .)
	unshare -Urm sh -euc 'mount -t overlay overlay -o "userxattr,lowerdir=$1/l,upperdir=$1/u,workdir=$1/w" "$1/data" 2> /dev/null ||
			mount -t overlay overlay -o "lowerdir=$1/l,upperdir=$1/u,workdir=$1/w" "$1/data" || exit 77
		"$2" try -- sh -euc "echo new > n; echo more >> f; rm -r gone; mkdir a; chmod 755 d/g" 2> "$1/said"
		"$2" discard --list --json > "$1/list"
		"$2" diff --names > "$1/names"
		"$2" diff > "$1/patch"
		find . | sort > "$1/found"
		cat f >> "$1/found"
		! "$2" apply --test "test -e gone/x" > "$1/applied"
		"$2" apply --test "test -x d/g && test ! -e gone && test -d a && grep -q more f" > "$1/applied"
		"$2" discard --list > "$1/rest"' sh "$TOP" "$COFFER" || {
		[ $? = 77 ] && skip "no overlay in a user namespace"
		cat "$TOP/said"
		false
	}
	grep -q '"mode":"copy"' "$TOP/list"
	grep -qx 'A n' "$TOP/names"
	grep -qx 'M f' "$TOP/names"
	grep -qx 'D gone/x' "$TOP/names"
	! grep -q '^\./n$' "$TOP/found"
	[ "$(tail -n 1 "$TOP/found")" = base ]
	[ "$(cat n)" = new ]
	[ "$(cat f)" = base$'\n'more ]
	[ ! -e gone ]
	[ -d a ]
	[ -x d/g ]
	[ ! -s "$TOP/rest" ]
}

@test "a full disk: the command is told, apply says so, and nothing is half done" {
	unshare -Urm true 2> /dev/null || skip "no user namespaces here"
	# the data on 1 MiB, then the base on 1 MiB
	run -0 unshare -Urm sh -uc 'mount -t tmpfs -o size=1m,mode=700 none "$1/data"
		"$2" try -- sh -c "head -c 4000000 /dev/zero > big" 2> "$1/said" && exit 3
		[ -e big ] && exit 4
		"$2" discard --list | cut -d" " -f1 | xargs -r "$2" discard
		[ -z "$(ls -A "$1/data/coffer/workspaces")" ] || exit 5
		exit 0' sh "$TOP" "$COFFER"
	run -0 unshare -Urm sh -uc 'mkdir "$1/small"
		mount -t tmpfs -o size=1m,mode=700 none "$1/small"
		cd "$1/small"
		echo base > f
		echo base > e
		"$2" try -- sh -c "head -c 3000000 /dev/urandom > big; echo new > e; rm f; echo n > n" 2> "$1/said"
		cat "$1/said"
		"$2" apply > "$1/applied" 2>&1 && exit 3
		grep -qi "no space" "$1/applied" || { cat "$1/said" "$1/applied"; exit 4; }
		[ "$(cat e)" = base ] && [ "$(cat f)" = base ] && [ ! -e n ] && [ ! -e big ] || exit 5
		[ "$(ls -A)" = "e
f" ] || exit 6
		"$2" apply e f n > /dev/null || exit 7
		[ "$(cat e)" = new ] && [ ! -e f ] && [ -e n ] || exit 8' sh "$TOP" "$COFFER"
}

@test "coffer apply, killed at any moment and run again: complete, and at no moment half a file" {
	cat > "$TOP/check.py" <<-'END'
		import os, sys
		old, new, final = 0, 0, "final" in sys.argv
		for i in range(150):
		    name = "k%d" % i
		    text = open(name).read() if os.path.exists(name) else ""
		    if text == "old %d\n" % i * 50:
		        old += 1
		    elif text == "new %d\n" % i * 70:
		        new += 1
		    else:
		        sys.exit("%s is neither: %d bytes" % (name, len(text)))
		if final and (old or os.path.exists("k_gone") or any(n.startswith(".coffer") for n in os.listdir("."))):
		    sys.exit("not complete: %d old; %s" % (old, os.listdir(".")))
	END
	for _ in $(seq 5); do
		/usr/bin/python3 -c 'for i in range(150): open("k%d" % i, "w").write("old %d\n" % i * 50)'
		touch k_gone
		tried /usr/bin/python3 -c 'import os
for i in range(150): open("k%d" % i, "w").write("new %d\n" % i * 70)
os.unlink("k_gone")'
		tries=0
		while [ $tries -lt 15 ]; do
			tries=$((tries + 1))
			"$COFFER" apply > "$TOP/applied" 2>&1 3>&- &
			pid=$!
			sleep "0.0$((RANDOM % 6))$((RANDOM % 10))"
			kill -9 $pid 2> /dev/null || true
			wait $pid 2> /dev/null && break
			/usr/bin/python3 "$TOP/check.py"
		done
		coffer apply > "$TOP/applied" 2>&1 || grep -q 'nothing has been tried here' "$TOP/applied"
		/usr/bin/python3 "$TOP/check.py" final
		[ "$(kept)" = 0 ]
	done
}
