# A session's files from outside, and snapshots of them.
bats_require_minimum_version 1.5.0
load lib

setup() {
	export XDG_DATA_HOME="$BATS_TEST_TMPDIR/data"
	mkdir -m 700 "$XDG_DATA_HOME"
	work="$BATS_TEST_TMPDIR/work"
	mkdir "$work"
	cd "$work"
	snapshots="$XDG_DATA_HOME/coffer/snapshots"
}

teardown() {
	for directory in "$XDG_DATA_HOME"/coffer/sessions/*/; do
		[ -d "$directory" ] && "$COFFER" session rm "$(basename "$directory")" || :
	done
	[ -z "${MOUNTED:-}" ] || umount "$MOUNTED"
}

# A tree with all that goes over.
make_tree() {
	mkdir -p "$1/sub/deep" "$1/empty"
	echo one > "$1/one"
	printf 'a\0b' > "$1/sub/bytes"
	head -c 300000 /dev/urandom > "$1/sub/deep/random"
	chmod 750 "$1/sub"
	chmod 755 "$1/one"
	ln -s one "$1/link"
	ln -s ../one "$1/sub/up"
	ln "$1/one" "$1/hard"
	: > "$1/$(printf 'n\366n-utf8')"
	: > "$1/$(printf 'x%.0s' $(seq 255))"
	touch -d '2001-02-03 04:05:06' "$1/sub/bytes"
}

# Names, kinds, modes, times of files, contents, link texts.
print_tree() {
	(cd "$1" && find . -mindepth 1 \( -type f -printf '%P %y %m %T@ ' -exec sha256sum {} \; -o -printf '%P %y %m %l\n' \) | sed 's/  .*$//' | LC_ALL=C sort)
}

@test "cp: a directory in and out again is the same" {
	make_tree tree
	"$COFFER" session create --empty /workspace one
	"$COFFER" session cp tree one:
	[ "$("$COFFER" session exec one -- cat tree/one)" = one ]
	"$COFFER" session cp one:tree back
	diff <(print_tree tree) <(print_tree back)
	[ "$(stat -c %i back/one)" = "$(stat -c %i back/hard)" ]
	"$COFFER" session cp one:/workspace/tree/. .
	[ "$(cat one)" = one ]
	"$COFFER" session cp tree/. one:other/place
	"$COFFER" session cp one:other/place .
	diff <(print_tree tree) <(print_tree place)
}

@test "cp: files, their modes, into directories and beside them, standard streams" {
	"$COFFER" session create --empty /workspace one
	head -c 3000000 /dev/urandom > big
	chmod 640 big
	"$COFFER" session cp big one:
	"$COFFER" session cp big one:made/on/the/way
	"$COFFER" session cp big one:made/
	"$COFFER" session exec one -- sh -c 'cmp big made/on/the/way && cmp big made/big && [ $(stat -c %a big) = 640 ]'
	mkdir here
	"$COFFER" session cp one:made/big here
	"$COFFER" session cp one:made/big here/other
	cmp big here/big
	cmp big here/other
	[ "$(stat -c %a here/other)" = 640 ]
	"$COFFER" session cp - one:piped < big
	"$COFFER" session cp one:piped - | cmp - big
	run -125 "$COFFER" session cp one:nosuch .
	run -125 "$COFFER" session cp nosuch one:
	run -125 "$COFFER" session cp a b
	run -125 "$COFFER" session cp one:a one:b
	run -125 "$COFFER" session cp big one:../out
	run -125 "$COFFER" session cp big one:/etc/x
	run -125 "$COFFER" session cp big none:
	[ "$(ls -A here)" = "$(printf 'big\nother')" ]
}

@test "cp: what the sandbox has planted leads nowhere, in neither direction" {
	"$COFFER" session create --empty /workspace one
	echo secret > secret
	"$COFFER" session exec one -- sh -c "mkdir d; echo f > d/f; ln -s $work/secret d/absolute; ln -s ../../../../../..$work/secret d/relative
		ln -s . d/here; ln -s here/../.. d/chain; ln -s f d/fine; mkfifo d/fifo; ln -s $work out; ln -s $work/secret link"
	run -1 "$COFFER" session cp one:d .
	[[ "$output" == *"4 left out"* ]]
	[ "$(ls d)" = "$(printf 'f\nfine\nhere')" ]
	for path in link out/secret d/absolute d/relative d/chain/x; do
		run -125 "$COFFER" session cat one $path
		run -125 "$COFFER" session cp one:$path taken
	done
	run -125 timeout 10 "$COFFER" session cat one d/fifo
	echo new | "$COFFER" session write one link
	[ "$(cat secret)" = secret ]
	run -125 "$COFFER" session cp secret one:out/secret
	run -125 "$COFFER" session cp d one:out
	echo new > from
	run -125 "$COFFER" session write one out/x < from
	[ ! -e x ]
	[ ! -e taken ]
}

@test "who renames and links all the time while it is read, written and copied gets nothing from outside, and puts nothing there" {
	mkdir outside
	echo secret > outside/f
	"$COFFER" session create --empty /workspace one
	"$COFFER" session exec one -- sh -c "mkdir -p d/real; echo inner > d/real/f; cd d; ln -s ../../../../../../../../..$work/outside away; ln -s $work/outside absolute
		ln -s real sub"
	"$COFFER" session exec one -- sh -c 'cd d; until [ -e ../stop ]; do for to in away absolute real; do ln -sfn $to new; mv -T new sub; mv real real2; mv real2 real; done; done' &
	for _ in $(seq 15); do
		"$COFFER" session cat one d/sub/f >> seen 2> /dev/null || :
		"$COFFER" session cp one:d/sub/f taken 2> /dev/null || :
		"$COFFER" session cp one:d/sub tree 2> /dev/null || :
		echo written | "$COFFER" session write one d/sub/f 2> /dev/null || :
		"$COFFER" session cp outside/f one:d/sub/copied 2> /dev/null || :
		"$COFFER" session ls one d/sub >> listed 2> /dev/null || :
		cat taken tree/f >> seen 2> /dev/null || :
		rm -rf tree
	done
	"$COFFER" session write one stop < /dev/null
	wait $!
	[ -s seen ]
	! grep secret seen
	[ "$(ls outside)" = f ]
	[ "$(cat outside/f)" = secret ]
}

@test "cp: a directory that is joined keeps what it has, and a link in its way is not followed" {
	"$COFFER" session create --empty /workspace one
	"$COFFER" session exec one -- sh -c 'mkdir -p d/sub; echo new > d/a; echo new > d/sub/b'
	mkdir -p d outside
	echo mine > d/mine
	echo old > d/a
	"$COFFER" session cp one:d .
	[ "$(cat d/mine d/a d/sub/b)" = "$(printf 'mine\nnew\nnew')" ]
	rm -r d/sub
	ln -s ../outside d/sub
	"$COFFER" session cp one:d . || :
	[ -z "$(ls outside)" ]
}

@test "cp: a new directory on the host is there as a whole or not at all" {
	"$COFFER" session create --empty /workspace one
	"$COFFER" session exec one -- sh -c 'mkdir d; for i in $(seq 50); do echo $i > d/$i; done; truncate -s 5G d/z'
	run -125 "$COFFER" session cp one:d new
	[[ "$output" == *"more"* ]]
	[ -z "$(ls -A)" ]
}

@test "cat, write, ls" {
	"$COFFER" session create --empty /workspace one
	echo a | "$COFFER" session write one sub/a
	echo b | "$COFFER" session write --append one sub/a
	echo c | "$COFFER" session write --append one c
	[ "$("$COFFER" session cat one sub/a c /workspace/c)" = "$(printf 'a\nb\nc\nc')" ]
	echo '#' | "$COFFER" session write --mode 755 one run
	echo '##' | "$COFFER" session write one run
	[ "$("$COFFER" session exec one -- stat -c '%a %s' run)" = "755 3" ]
	run -125 "$COFFER" session write --mode 1777 one x < /dev/null
	run -125 "$COFFER" session write --mode 755 --append one x < /dev/null
	run -125 "$COFFER" session write one sub < /dev/null
	"$COFFER" session exec one -- sh -c 'ln -s sub/a link; printf x > "$(printf "e\033c\377")"'
	"$COFFER" session ls one | grep -q '^-rwxr-xr-x  *3 .* run$'
	"$COFFER" session ls one | grep -q '^lrwxrwxrwx .* link -> sub/a$'
	"$COFFER" session ls one | grep -qF 'e\x1bc\xff'
	[ "$("$COFFER" session ls one sub | wc -l)" = 1 ]
	"$COFFER" session ls --json one | python3 -c '
import json, sys
found = {str(e["path"]): e for e in json.load(sys.stdin)}
assert found["run"]["mode"] == 0o755 and found["sub"]["type"] == "directory" and len(found) == 5, found'
	"$COFFER" session ls | grep -q '^one'
	run -125 "$COFFER" session ls one nosuch
	run -125 "$COFFER" session cat one sub
}

@test "write: the old content or the new one, while somebody reads" {
	"$COFFER" session create --empty /workspace one
	head -c 100000 /dev/zero | tr '\0' a > a
	head -c 100000 /dev/zero | tr '\0' b > b
	"$COFFER" session write one f < a
	"$COFFER" session exec one -- sh -c 'until [ -e stop ]; do cat f > /tmp/seen; a=$(tr -d b < /tmp/seen | wc -c); b=$(tr -d a < /tmp/seen | wc -c); [ "$a $b" = "100000 0" ] || [ "$a $b" = "0 100000" ] || exit 9; done' &
	for i in 1 2 3 4 5; do
		"$COFFER" session write one f < b
		"$COFFER" session write one f < a
	done
	"$COFFER" session write one stop < /dev/null
	wait $!
	[ "$("$COFFER" session exec one -- ls -A)" = "$(printf 'f\nstop')" ]
}

@test "files are written below the host's own tree as they are shown, and to a session that was stopped" {
	"$COFFER" session create --write . one
	echo x | "$COFFER" session write one f
	[ "$(cat f)" = x ]
	kill -9 $(for process in $(pgrep -x coffer-session); do
		ls -l "/proc/$process/fd" 2> /dev/null | grep -q "$XDG_DATA_HOME/coffer/sessions/one/lock" && echo "$process"
	done)
	[ "$("$COFFER" session cat one f)" = x ]
	"$COFFER" session create two
	run -125 "$COFFER" session write two g < f
	[ ! -e g ]
}

@test "snapshot: kept, begun with, listed, removed" {
	make_tree tree
	"$COFFER" session create --empty /w one
	"$COFFER" session cp tree one:
	"$COFFER" session snapshot create one ready
	"$COFFER" session exec one -- rm -r tree
	"$COFFER" session rm one
	"$COFFER" session create --from ready two
	[ "$("$COFFER" session exec two -- pwd)" = /w ]
	"$COFFER" session cp two:tree back
	diff <(print_tree tree) <(print_tree back)
	"$COFFER" session snapshot ls --json | python3 -c '
import json, sys
(s,) = json.load(sys.stdin)
assert s["name"] == "ready" and s["session"] == "one" and s["tree"] == "empty" and s["path"] == "/w" and s["files"] >= 5, s'
	"$COFFER" session snapshot ls | grep -q '^ready .*empty.*/w$'
	run -125 "$COFFER" session snapshot create two ready
	[[ "$output" == *"one of this name already"* ]]
	run -125 "$COFFER" session snapshot create two ../x
	run -125 "$COFFER" session snapshot create none x
	run -125 "$COFFER" session create --from nosuch three
	run -125 "$COFFER" session cat three x
	"$COFFER" session snapshot rm ready
	[ -z "$("$COFFER" session snapshot ls)" ]
	run -125 "$COFFER" session snapshot rm ready
	[ -z "$(ls -A "$snapshots")" ]
	[ "$("$COFFER" session cat two tree/one)" = one ]
}

@test "snapshot of a copy: what differs from the directory, with what was removed; laid on another by name only" {
	mkdir project other
	cd project
	echo 1 > keep
	echo 2 > gone
	mkdir d
	echo 3 > d/x
	"$COFFER" session create --copy one
	"$COFFER" session exec one -- sh -c 'rm gone; echo new > keep; rm -r d; mkdir d; echo z > d/z'
	"$COFFER" session checkpoint one
	"$COFFER" session exec one -- sh -c 'echo later > later'
	"$COFFER" session snapshot create one done
	"$COFFER" session create --from done two
	[ "$("$COFFER" session exec two -- sh -c 'cat keep d/* later; ls')" = "$(printf 'new\nz\nlater\nd\nkeep\nlater')" ]
	diff <("$COFFER" diff --in one --names) <("$COFFER" diff --in two --names)
	"$COFFER" apply --in two
	[ "$(ls; cat keep)" = "$(printf 'd\nkeep\nlater\nnew')" ]
	cd ../other
	run -125 "$COFFER" session create --from done three
	[[ "$output" == *"--copy"* ]]
	echo theirs > theirs
	"$COFFER" session create --copy --from done three
	[ "$("$COFFER" session exec three -- ls)" = "$(printf 'd\nkeep\nlater\ntheirs')" ]
}

@test "snapshot: of the host's own tree there is none; a persistent directory is begun with one once" {
	"$COFFER" session create --write . host
	run -125 "$COFFER" session snapshot create host x
	[[ "$output" == *"host's own tree"* ]]
	"$COFFER" session create --empty /w one
	echo a | "$COFFER" session write one a
	"$COFFER" session snapshot create one x
	"$COFFER" session create --empty /w --persist kept --from x two
	[ "$("$COFFER" session cat two a)" = a ]
	"$COFFER" session rm two
	run -125 "$COFFER" session create --empty /w --persist kept --from x two
	"$COFFER" session create --empty /w --persist kept three
	[ "$("$COFFER" session cat three a)" = a ]
}

@test "export and import: the same files, as an archive that others read" {
	make_tree tree
	"$COFFER" session create --empty /w one
	"$COFFER" session cp tree one:
	"$COFFER" session snapshot create one s
	"$COFFER" session snapshot export s s.tar.zst
	"$COFFER" session snapshot export s - | cmp - s.tar.zst
	python3 -c 'import sys; assert open("s.tar.zst", "rb").read(4) == b"\x28\xb5\x2f\xfd"'
	"$COFFER" session snapshot rm s
	"$COFFER" session snapshot import s.tar.zst again
	"$COFFER" session snapshot import - piped < s.tar.zst
	for name in again piped; do
		"$COFFER" session create --from $name $name
		"$COFFER" session cp $name:tree $name
		diff <(print_tree tree) <(print_tree $name)
	done
	tar -cf plain.tar tree
	"$COFFER" session snapshot import plain.tar plain
	"$COFFER" session create --from plain --empty /here plain
	[ "$("$COFFER" session cat plain tree/one)" = one ]
	run -125 "$COFFER" session snapshot export s -
	run -125 "$COFFER" session snapshot export again /nowhere/at/all
}

@test "import: hostile archives, broken ones and no archives leave nothing" {
	/usr/bin/python3 - <<-'PYTHON'
		import io, tarfile
		def make(name, *entries):
		    with tarfile.open(name, "w") as tar:
		        for path, kind, link in entries:
		            info = tarfile.TarInfo(path)
		            info.type, info.linkname = kind, link
		            tar.addfile(info, io.BytesIO(b""))
		make("up.tar", ("../up", tarfile.REGTYPE, ""))
		make("absolute.tar", ("/tmp/coffer-absolute", tarfile.REGTYPE, ""))
		make("through.tar", ("l", tarfile.SYMTYPE, "/tmp"), ("l/coffer-through", tarfile.REGTYPE, ""))
		make("hard.tar", ("h", tarfile.LNKTYPE, "/etc/passwd"))
		make("fifo.tar", ("f", tarfile.FIFOTYPE, ""))
		with tarfile.open("device.tar", "w") as tar:
		    info = tarfile.TarInfo("null")
		    info.type, info.devmajor, info.devminor = tarfile.CHRTYPE, 1, 3
		    tar.addfile(info)
		with tarfile.open("bomb.tar.gz", "w:gz") as tar:
		    info = tarfile.TarInfo("zeros")
		    info.size = 1 << 30
		    class Zeros:
		        def read(self, n): return bytes(n)
		    tar.addfile(info, Zeros())
	PYTHON
	make_tree tree
	tar -c tree | head -c 200000 > cut.tar
	echo none > none.tar
	for archive in up absolute through hard fifo device cut none; do
		run -125 "$COFFER" session snapshot import $archive.tar x
		[ -z "$(ls -A "$snapshots")" ]
	done
	run -125 "$COFFER" session snapshot import bomb.tar.gz x
	run -125 "$COFFER" session snapshot import nosuch x
	[ -z "$(ls -A "$snapshots")" ]
	[ ! -e /tmp/coffer-absolute ]
	[ ! -e /tmp/coffer-through ]
}

@test "snapshots that are killed halfway: whole or not there, and gc clears up" {
	"$COFFER" session create --empty /w one
	"$COFFER" session exec one -- sh -c 'for i in $(seq 30); do head -c 2000000 /dev/urandom > $i; done'
	whole=0
	for step in 1 2 3 4 5 6 7 8; do
		"$COFFER" session snapshot create one s$step &
		creator=$!
		sleep 0.0$step
		kill -9 $creator 2> /dev/null || :
		wait $creator 2> /dev/null || :
		[ ! -e "$snapshots/s$step" ] || whole=$((whole + 1))
	done
	echo "$whole of 8 were finished"
	for found in $("$COFFER" session snapshot ls | cut -d' ' -f1); do
		"$COFFER" session create --from $found of-$found
		[ "$("$COFFER" session exec of-$found -- sh -c 'cat * | wc -c')" = 60000000 ]
		"$COFFER" session rm of-$found
	done
	! "$COFFER" session snapshot ls | grep broken
	"$COFFER" gc
	[ "$(ls -A "$snapshots" | wc -l)" = $whole ]
	[ "$("$COFFER" session exec one -- sh -c 'cat * | wc -c')" = 60000000 ]
}

@test "a full disk: no snapshot, no import, no file, and what was there is there" {
	[ "$(id -u)" = 0 ] || skip "only root may mount a small file system"
	mkdir small
	mount -t tmpfs -o size=8M,mode=700 none small || skip "no tmpfs may be mounted here"
	MOUNTED=$work/small
	export XDG_DATA_HOME=$work/small
	"$COFFER" session create --empty /w one
	"$COFFER" session exec one -- sh -c 'head -c 3500000 /dev/urandom > f'
	was=$("$COFFER" session exec one -- sha256sum f)
	run -125 "$COFFER" session snapshot create one s
	echo "$output"
	[[ "$output" == *"space"* ]]
	[ -z "$(ls -A small/coffer/snapshots)" ]
	head -c 9000000 /dev/urandom > big
	run -125 "$COFFER" session cp big one:f
	run -125 "$COFFER" session write one f < big
	tar -cf big.tar big
	run -125 "$COFFER" session snapshot import big.tar s
	[ -z "$(ls -A small/coffer/snapshots)" ]
	[ "$("$COFFER" session exec one -- sha256sum f)" = "$was" ]
	[ "$("$COFFER" session ls one | wc -l)" = 1 ]
	"$COFFER" session rm one
}

@test "no inodes left: no snapshot, no import, no copy, and what was there is there" {
	[ "$(id -u)" = 0 ] || skip "only root may mount a small file system"
	mkdir small
	mount -t tmpfs -o nr_inodes=400,mode=700 none small || skip "no tmpfs may be mounted here"
	MOUNTED=$work/small
	export XDG_DATA_HOME=$work/small
	"$COFFER" session create --empty /w one
	"$COFFER" session exec one -- sh -c 'for i in $(seq 200); do echo $i > $i; done'
	run -125 "$COFFER" session snapshot create one s
	[[ "$output" == *"space"* ]]
	[ -z "$(ls -A small/coffer/snapshots)" ]
	mkdir many
	(cd many && touch $(seq 500))
	tar -cf many.tar many
	run -125 "$COFFER" session snapshot import many.tar s
	[ -z "$(ls -A small/coffer/snapshots)" ]
	run -125 "$COFFER" session cp many one:
	[ "$("$COFFER" session exec one -- sh -c 'cat ? ?? ??? | wc -l')" = 200 ]
	"$COFFER" session rm one
}

@test "a damaged record of a snapshot: said, and it can be removed" {
	"$COFFER" session create --empty /w one
	"$COFFER" session snapshot create one s
	echo '{' > "$snapshots/s/record"
	"$COFFER" session snapshot ls | grep -q '^s .*broken'
	"$COFFER" session snapshot ls --json | grep -q fault
	run -125 "$COFFER" session create --from s two
	[[ "$output" == *damaged* ]]
	"$COFFER" session snapshot rm s
	"$COFFER" session snapshot create one s
	: > "$snapshots/s/tree.tar.zst"
	run -125 "$COFFER" session create --from s two
	run -125 "$COFFER" session exec two -- true
	[ ! -e "$XDG_DATA_HOME/coffer/workspaces/two" ]
}

@test "gc: a session whose making was cut short goes; a damaged one stays to be looked at" {
	"$COFFER" session create one
	mkdir -m 700 "$XDG_DATA_HOME/coffer/sessions/half" "$XDG_DATA_HOME/coffer/sessions/young"
	touch -d '1 minute ago' "$XDG_DATA_HOME/coffer/sessions/half"
	"$COFFER" session create broken
	kill -9 $(for process in $(pgrep -x coffer-session); do
		ls -l "/proc/$process/fd" 2> /dev/null | grep -q "$XDG_DATA_HOME/coffer/sessions/broken/lock" && echo "$process"
	done)
	echo '{' > "$XDG_DATA_HOME/coffer/sessions/broken/record"
	touch -d '1 minute ago' "$XDG_DATA_HOME/coffer/sessions/broken"
	"$COFFER" session gc
	[ ! -e "$XDG_DATA_HOME/coffer/sessions/half" ]
	[ -e "$XDG_DATA_HOME/coffer/sessions/young" ]
	[ -e "$XDG_DATA_HOME/coffer/sessions/broken" ]
	"$COFFER" session exec one -- true
	"$COFFER" session rm young broken
}
