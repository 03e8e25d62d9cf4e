#!/usr/bin/env bats
# Archives: hostile ones end in the directory or in an error, and what is packed is unpacked again bit for bit.

load lib

UNPACK=${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build}/coffer-unpack

setup() {
	workspace
	mkdir a b
}

teardown() {
	cd /
	[ -z "${SWAPPER:-}" ] || kill "$SWAPPER"
	chmod -R u+rwX "$TOP"
	rm -rf "$TOP"
}

pack() {
	"$UNPACK" create "$@" 3< a 2> report
}

unpack() {
	"$UNPACK" extract "$@" 3< b 2> report
}

empty_b() {
	chmod -R u+rwX b
	rm -rf b
	mkdir b
}

# says EXPRESSION: true of the last report r.
says() {
	python3 -c 'import json, sys; r = json.load(open("report")); sys.exit(not eval(sys.argv[1]) and "not so: %s\n%s" % (sys.argv[1], r))' "$1"
}

# Everything that is kept of a tree: names, kinds, modes, times, link texts, contents, which names are one file.
inventory() {
	python3 - "$1" <<-'PYTHON'
		import hashlib, os, sys
		top, first = os.fsencode(sys.argv[1]), {}
		for folder, dirs, files in os.walk(top):
		    dirs.sort()
		    for name in sorted(dirs + files):
		        path = os.path.join(folder, name)
		        st = os.lstat(path)
		        kind, short = st.st_mode & 0o170000, os.path.relpath(path, top)
		        body = os.readlink(path) if kind == 0o120000 else hashlib.sha256(open(path, "rb").read()).hexdigest() if kind == 0o100000 else ""
		        print(short, oct(st.st_mode), st.st_mtime_ns, body, first.setdefault(st.st_ino, short) if kind == 0o100000 else "")
	PYTHON
}

fill() {
	printf 'x' > a/file
	chmod 751 a/file
	ln a/file a/second
	ln -s ../../etc a/link
	mkdir -p a/d/empty "a/$(printf 'n%.0s' {1..200})/$(printf 'm%.0s' {1..200})"
	printf 'é' > 'a/é'
	printf 'decomposed' > $'a/e\u0301'
	printf 'bytes' > $'a/\xff\n\x1b'
	truncate -s 100M a/sparse
	printf 'y' | dd of=a/sparse bs=1 seek=50000000 conv=notrunc status=none
	head -c 3000000 /dev/urandom > a/random
	touch -d 2001-02-03T04:05:06.789 a/file
	touch -h -d 1999-01-01 a/link
	touch -d 2002-02-02 a/d/empty
	chmod 555 a/d
}

@test "hostile archives: nothing outside changes, nothing dangerous is inside, limits hold" {
	python3 "$BATS_TEST_DIRNAME/archives.py" "$UNPACK" "$TOP/arena" > out || { grep -A1 '^not ok' out; return 1; }
	[ "$(grep -c '^ok' out)" -ge 100 ]
}

# bats test_tags=smoke
@test "what is packed is unpacked again bit for bit, plain and compressed; GNU tar reads it too" {
	fill
	inventory a > wanted
	for option in "" --zstd; do
		empty_b
		pack $option > archive
		[ "$(stat -c %s archive)" -lt 5000000 ]
		unpack < archive
		says 'r["status"] == "done"'
		inventory b | diff wanted -
	done
	[ "$(du -sk b | cut -f1)" -lt 6000 ]
	pack > archive
	empty_b
	tar --warning=no-unknown-keyword -C b -xpf archive
	inventory b | diff wanted -
	find a -exec touch -h -d 2003-03-03 {} + # its own format knows whole seconds
	inventory a > wanted
	tar -C a --format=gnu -S -czf archive .
	empty_b
	unpack < archive
	inventory b | diff wanted -
}

@test "fifos and sockets are left out, nothing blocks; what cannot be read is told" {
	touch a/file a/secret
	mkfifo a/fifo
	pack > archive
	says 'r["status"] == "done" and r["skipped"] == 1 and r["files"] == 2'
	[ "$(id -u)" != 0 ] || return 0
	chmod 0 a/secret
	run pack
	[ "$status" = 7 ]
	says 'r["status"] == "incomplete" and r["entry"] == "secret" and r["error"] == "Permission denied"'
}

@test "listed paths, with and without what is below them; none that leads out" {
	mkdir -p a/d/e
	touch a/d/e/f a/g
	ln -s ../../out a/link
	printf 'd\0' | "$UNPACK" create --paths 3< a 4<&0 2> report | tar -t > names
	[ "$(tr '\n' ' ' < names)" = "d/ d/e/ d/e/f " ]
	printf 'd\0g\0' | "$UNPACK" create --paths --flat 3< a 4<&0 2> report | tar -t > names
	[ "$(tr '\n' ' ' < names)" = "d/ g " ]
	for path in ../ws/a /etc link/x d/../../b; do
		status=0
		printf '%s\0' "$path" | "$UNPACK" create --paths 3< a 4<&0 > /dev/null 2> report || status=$?
		[ "$status" = 4 ]
	done
	status=0
	printf 'none\0g\0' | "$UNPACK" create --paths 3< a 4<&0 2> report > archive || status=$?
	[ "$status" = 7 ]
	[ "$(tar -tf archive)" = g ]
	status=0
	printf 'none\0../x\0' | "$UNPACK" create --paths 3< a 4<&0 > /dev/null 2> report || status=$? # what ends the work is told, not what was left out before
	[ "$status" = 4 ]
	says 'r["entry"] == "../x"'
	mkdir -p a/many
	touch a/many/{1..20}
	status=0
	"$UNPACK" create --entries 10 3< a > /dev/null 2> report || status=$?
	[ "$status" = 5 ]
}

@test "a snapshot keeps whiteouts and opaque directories; without it a whiteout is refused" {
	mkdir a/opaque
	mknod a/gone c 0 0 2> /dev/null || skip "this kernel lets no user make a whiteout"
	setfattr -n user.overlay.opaque -v y a/opaque 2> /dev/null || python3 -c 'import os; os.setxattr("a/opaque", "user.overlay.opaque", b"y")' || skip "no user attributes on this file system"
	pack --snapshot > archive
	status=0
	unpack < archive || status=$?
	[ "$status" = 4 ]
	unpack --snapshot < archive
	[ "$(stat -c '%F %t %T' b/gone)" = "character special file 0 0" ]
	python3 -c 'import os; assert os.getxattr("b/opaque", "user.overlay.opaque") == b"y"'
	pack > archive
	says 'r["skipped"] == 1'
}

@test "a full disk, a closed pipe and a slow sender end in an error that says what stands" {
	head -c 2000000 /dev/zero > a/big
	pack > archive
	[ ! -e /dev/full ] || { ! pack > /dev/full; says 'r["status"] == "failed" and r["error"] == "No space left on device"'; }
	status=0
	(head -c 5000 archive; sleep 5) | unpack --time 1s || status=$?
	[ "$status" = 5 ]
	says 'r["status"] == "limit" and r["error"] == "Connection timed out" and r["files"] == 0'
	[ -z "$(ls b)" ]
	status=0
	unpack --bytes 1M < archive || status=$?
	[ "$status" = 5 ]
	[ -z "$(ls b)" ]
}

@test "a directory that is swapped for a link meanwhile leads nothing out" {
	mkdir out tree b/x
	for i in $(seq 300); do mkdir -p a/x/$i; echo planted > a/x/$i/planted; echo planted > a/x/p$i; done
	pack > archive
	python3 -c '
import os
os.chdir("b")
while True:
    try:
        os.rename("x", "y"); os.symlink("../out", "x"); os.unlink("x"); os.rename("y", "x")
    except OSError:
        try: os.unlink("x")
        except OSError: pass
' 3>&- &
	SWAPPER=$!
	for i in $(seq 15); do unpack < archive || true; done
	for i in $(seq 15); do "$UNPACK" create 3< b 2> report | tar -t > names || true; ! grep -q out/ names; done
	[ -z "$(ls -A out)" ]
}

@test "the program has given up what it does not need before it reads a byte" {
	mkfifo pipe
	"$UNPACK" extract 3< b < pipe 2> report 4< /dev/null 9< /etc/passwd &
	pid=$!
	exec 8> pipe
	wait_until grep -q 'Seccomp:.2' /proc/$pid/status
	grep -q 'NoNewPrivs:.1' /proc/$pid/status
	grep -q 'CapEff:.0000000000000000' /proc/$pid/status
	[ "$(ls /proc/$pid/fd 2> /dev/null | tr '\n' ' ')" = "0 1 2 3 " ] || [ "$(id -u)" != 0 ]
	exec 8>&-
	wait "$pid" || true
	says 'r["status"] == "malformed"'
}
