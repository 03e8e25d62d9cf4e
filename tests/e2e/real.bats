#!/usr/bin/env bats
# Real work inside, with the results that it has outside.

setup() {
	load lib
	workspace
}

# bats test_tags=smoke
@test "git: clone, commit, log of a local repository" {
	git init -q --bare origin.git
	git clone -q origin.git seed 2>/dev/null
	(cd seed && git -c user.name=n -c user.email=e@x commit -q --allow-empty -m first && git push -q origin HEAD:main)
	git --git-dir=origin.git symbolic-ref HEAD refs/heads/main
	inside=$(coffer run --allow-read . -- sh -c "cd /tmp && git clone -q '$PWD/origin.git' c && cd c && echo x > f && git add f && git -c user.name=n -c user.email=e@x commit -q -m second && git log --format=%s")
	[ "$inside" = "second
first" ]
}

@test "git: commit in the workspace itself, hooks and config untouched" {
	git init -q .
	git -c user.name=n -c user.email=e@x commit -q --allow-empty -m first
	echo x > file
	coffer run --write . -- sh -c 'git add file && git -c user.name=n -c user.email=e@x commit -q -m inside'
	[ "$(git log -1 --format=%s)" = inside ]
}

# bats test_tags=smoke
@test "gcc and clang: compile, link and run" {
	printf '#include <stdio.h>\nint main(void) { return puts("built inside") < 0; }\n' > a.c
	for cc in gcc clang; do
		command -v $cc >/dev/null || continue
		[ "$(coffer run --write . -- sh -c "$cc -O2 -o a a.c && ./a")" = "built inside" ]
	done
	command -v clang >/dev/null || skip "gcc is fine; no clang here"
}

@test "make with jobs, the output where it belongs" {
	printf 'all: $(patsubst %%,o%%,1 2 3 4 5 6 7 8)\no%%:\n\tsleep 0.05; echo $* > $@\n' > Makefile
	coffer run --write . -- make -s -j4
	[ "$(cat o1 o8)" = "1
8" ]
}

@test "npm: ci and test of a package from a local tarball" {
	command -v npm >/dev/null || skip "no npm here"
	mkdir dep app
	echo '{"name":"dep","version":"1.0.0","main":"i.js"}' > dep/package.json
	echo 'module.exports = 42' > dep/i.js
	(cd dep && npm pack --silent >/dev/null && mv dep-1.0.0.tgz ../app/)
	cd app
	echo '{"name":"app","version":"1.0.0","dependencies":{"dep":"file:dep-1.0.0.tgz"},"scripts":{"test":"node t.js"}}' > package.json
	echo 'if (require("dep") !== 42) process.exit(1); console.log("tests pass")' > t.js
	npm install --package-lock-only --silent --offline
	run coffer run --write . -- sh -c 'npm ci --offline --silent --cache /tmp/npm && npm test --silent'
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"tests pass"* ]]
}

# bats test_tags=smoke
@test "python: subprocess, threads, multiprocessing, sqlite, tempfile, asyncio" {
	run coffer run -- /usr/bin/python3 -c '
import asyncio, multiprocessing, os, sqlite3, subprocess, tempfile, threading
assert subprocess.run(["echo", "hi"], capture_output=True, text=True).stdout == "hi\n"
t = threading.Thread(target=lambda: None); t.start(); t.join()
with multiprocessing.get_context("fork").Pool(2) as p: assert p.map(abs, [-1, -2]) == [1, 2]
c = sqlite3.connect(os.path.join(tempfile.mkdtemp(), "d")); c.execute("create table t(x)"); c.commit()
async def f(): await asyncio.sleep(0.01); return 7
assert asyncio.run(f()) == 7
print("fine")'
	echo "$output"
	[ "$status" -eq 0 ] && [[ "$output" == *fine ]]
}

# Left out, because they become a second user, and the sandbox has one: the kernel answers EINVAL where they expect EPERM.
@test "python's own tests of subprocess, os, tempfile and paths, as outside" {
	[ -f /usr/lib/python3.11/test/test_subprocess.py ] || skip "libpython3-testsuite is not installed"
	run coffer run --timeout 600s -- /usr/bin/python3 -m test -q -i test_user -i test_group -i test_chown_without_permission \
		test_posixpath test_tempfile test_subprocess test_os
	echo "$output" | tail -30
	[ "$status" -eq 0 ]
}

# bats test_tags=smoke
@test "strace and gdb of a child, with allowPtrace" {
	command -v strace >/dev/null || skip "no strace here"
	run coffer run --allow-ptrace -- strace -f -e trace=execve /bin/true
	echo "$output"
	[ "$status" -eq 0 ] && [[ "$output" == *execve* ]]
	command -v gdb >/dev/null || skip "no gdb here"
	run coffer run --allow-ptrace -- gdb -q -batch -ex run -ex 'print 6*7' /bin/true
	[[ "$output" == *"= 42"* ]]
}

@test "without allowPtrace there is no tracing" {
	command -v strace >/dev/null || skip "no strace here"
	run coffer run -- strace /bin/true
	[ "$status" -ne 0 ]
}

@test "node, perl, awk, tar, find, sort: the same output as outside" {
	for command in 'node -e "console.log([3,1,2].sort().join())"' 'perl -e "print 6*7"' 'seq 1000 | sort -r | tail -1' 'tar c /etc/hostname 2>/dev/null | tar t'; do
		[ "$(coffer run -- sh -c "$command")" = "$(sh -c "$command")" ]
	done
}

@test "Chromium, headless, with its own sandbox inside: a page to a picture and to text" {
	command -v chromium >/dev/null || skip "no chromium here (apt-get install chromium)"
	echo '<p id=p></p><script>document.getElementById("p").append("answer " + 6 * 7)</script>' > page.html
	run timeout 120 "$COFFER" run --allow-nested-user-namespaces --allow-all-unix-sockets --write . -- \
		chromium --headless --disable-gpu --user-data-dir=/tmp/profile --window-size=300,200 --screenshot="$PWD/page.png" "file://$PWD/page.html"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(head -c 4 page.png | tail -c 3)" = PNG ]
	[ "$(stat -c %s page.png)" -gt 500 ]
	timeout 120 "$COFFER" run --allow-nested-user-namespaces --allow-all-unix-sockets -- \
		chromium --headless --disable-gpu --user-data-dir=/tmp/profile --dump-dom "file://$PWD/page.html" > dom 2> /dev/null
	grep -q 'answer 42' dom
}
