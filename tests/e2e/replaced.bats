#!/usr/bin/env bats
# What is hidden or masked, while the host gives its name to other files: a cover comes off by that, and what then has the name must not be seen.

load lib

setup() {
	workspace
	chmod 755 "$TOP" "$HOME"
}

# replace NAME…: for two seconds the host puts new secrets in their place, by rename and by removal, from outside of what the sandbox sees.
replace() {
	local end=$((SECONDS + 3)) name

	while [ "$SECONDS" -lt "$end" ]; do
		for name in "$@"; do
			echo s3cret-new > "$TOP/new" && chmod 644 "$TOP/new" && mv "$TOP/new" "$name"
			rm -f "$name"
			echo s3cret-late > "$name"
		done
	done
}

# Reads the names that it is given in every way there is, as fast as it can, until $TOP/ws/end appears. Says what it saw.
reader() {
	cat > read.py <<-'PYTHON'
		import ctypes, os, struct, sys
		seen, dirs = {}, [os.open(".", os.O_RDONLY), os.open("/proc/self/cwd", os.O_PATH)]
		libc = ctypes.CDLL(None, use_errno=True)
		def openat2(name):
		    fd = libc.syscall(437, -100, name.encode(), struct.pack("QQQ", os.O_RDONLY, 0, 0), 24)
		    if fd < 0:
		        raise OSError(ctypes.get_errno(), "")
		    return fd
		def linked(name):
		    os.link(name, "hard")
		    return os.open("hard", os.O_RDONLY)
		def moved(name):
		    os.rename(name, "moved")
		    return os.open("moved", os.O_RDONLY)
		def soft(name):
		    if not os.path.islink("soft-" + os.path.basename(name)):
		        os.symlink(os.path.abspath(name), "soft-" + os.path.basename(name))
		    return os.open("soft-" + os.path.basename(name), os.O_RDONLY)
		def again(name):
		    fd = os.open(name, os.O_PATH)
		    try:
		        return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
		    finally:
		        os.close(fd)
		held = []
		def later(name):
		    if len(held) > 20:
		        os.close(held.pop(0))
		    held.append(os.open(name, os.O_PATH))
		    return os.open(f"/proc/self/fd/{held[0]}", os.O_RDONLY)
		ways = [lambda n: os.open(n, os.O_RDONLY), lambda n: os.open(n, os.O_RDWR), lambda n: os.open(n, os.O_RDWR | os.O_CREAT),
		        lambda n: os.open(n, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), lambda n: os.open(n, os.O_RDONLY, dir_fd=dirs[0]),
		        lambda n: os.open("../ws/" + n, os.O_RDONLY, dir_fd=dirs[1]), lambda n: os.open("/proc/self/cwd/" + n, os.O_RDONLY),
		        openat2, linked, moved, soft, again, later]
		rounds = 0
		while not os.path.exists("end"):
		    rounds += 1
		    for name in sys.argv[1:]:
		        for way in ways:
		            try:
		                fd = way(name)
		            except OSError as error:
		                seen[name, error.strerror or error.errno] = 1
		                continue
		            seen[name, os.read(fd, 100)] = 1
		            os.close(fd)
		for entry in seen:
		    print(*entry)
		print("rounds", rounds)
	PYTHON
}

# none PATTERN FILE: as `! grep`, which fails no test but in its last line.
none() {
	if grep "$1" "$2"; then
		return 1
	fi
}

# while_replaced "NAMES" OPTION…: the reader in a sandbox with these options, and the host at work.
while_replaced() {
	local names=$1

	shift
	reader
	(
		sleep 1
		replace $names
		sleep 0.2
		touch end
	) &
	coffer run --json 3 "$@" -- /usr/bin/python3 read.py $names 3> o.json > out 2>&1 || cat out
	wait
	cat out
	[ "$(sed -n 's/^rounds //p' out)" -gt 20 ]
}

@test "replaced: a file that somebody hid, in a tree that is only read" {
	echo s3cret-old > note
	while_replaced note --deny-read note
	grep "^note Permission denied" out
	none s3cret out
	grep s3cret note
}

@test "replaced: .env, where the sandbox writes beside the host" {
	echo s3cret-old > .env
	while_replaced ".env" --write .
	grep "^.env Permission denied" out
	none s3cret out
	grep s3cret .env
	[ ! -e hard ] && [ ! -e moved ]
}

@test "replaced: a hidden directory, once opens are looked at" {
	mkdir sub
	echo s3cret-old > sub/key
	echo s3cret-old > note
	(sleep 1.5 && mv sub sub-old && mkdir sub && echo s3cret-new > sub/key && touch end) &
	coffer run --deny-read note --deny-read sub -- sh -c 'until [ -e end ]; do cat sub/key; done; cat sub/key sub-old/key; ls sub' > out 2>&1 || true
	wait
	none s3cret out
	none '^key' out
}

@test "replaced: a masked file has its placeholder, or nothing; one that was not there stays away" {
	echo 'token s3cret-old' > cred
	echo '{"network": {"allowedDomains": ["a.test"], "tlsTerminate": {}}, "credentials": {"files": [{"path": "'"$PWD"'/cred", "mode": "mask", "extract": "token (\\S+)"},
		{"path": "'"$PWD"'/absent", "mode": "mask"}]}}' > "$TOP/s.json"
	coffer run --settings "$TOP/s.json" -- cat cred > before
	grep 'token fake_value_' before
	run coffer run --settings "$TOP/s.json" -- cat absent
	[[ "$output" == *"No such file"* ]]
	while_replaced "cred absent" --settings "$TOP/s.json"
	grep 'cred.*fake_value_' out
	grep '^cred Permission denied' out
	grep '^absent Permission denied' out
	none s3cret out
}

@test "replaced: an ordinary run is told what is hidden only as it was" {
	echo s3cret > .env
	outcome_of -- true
	is 'any("/.env is hidden as found at the start" in x for x in n)'
	rm .env
	outcome_of --write . -- true
	is 'not any("hidden as found" in x for x in n)'
}
