#!/usr/bin/env bats
# Every limit holds, and every cause of an outcome is told when it is the cause. What a limit is held by differs: root has cgroups here,
# an ordinary user has rlimits, and then the outcome can say only what an rlimit lets one see.

setup() {
	load lib
	workspace
	private_state
}

# True where the limit of the last run counts all processes together.
by_cgroup() {
	is "l['$1'] in ('cgroup1', 'cgroup2')" 2> /dev/null
}

# ---- memory ----

# bats test_tags=smoke
@test "memory: more than that cannot be had; what was printed before is kept" {
	outcome_of --memory 64M -- /usr/bin/python3 -c 'print("before", flush=True); x = bytearray(300 << 20); print("after")'
	[ "$(cat out)" = before ]
	if by_cgroup memory; then
		is 'd["cause"] == "memory" and d["exit_code"] == 137 and d["signal"] == 9 and d["max_memory_bytes"] <= 65 << 20'
		grep -q 'memory limit was reached' err
	else
		is 'd["cause"] == "exit" and d["exit_code"] == 1 and l["memory"] == "rlimit" and any("memory" in note for note in n)'
		grep -q MemoryError err
	fi
	nothing_left
}

@test "memory: all processes together; below the limit nothing happens" {
	cat > hold.sh <<-'SH'
		jobs= failed=0
		for i in 1 2 3 4; do
			/usr/bin/python3 -c 'import time; x = bytearray(40 << 20); time.sleep(1.5)' &
			jobs="$jobs $!"
		done
		for job in $jobs; do wait $job || failed=1; done
		exit $failed
	SH
	outcome_of --memory 1G -- sh hold.sh
	is 'd["exit_code"] == 0 and d["cause"] == "exit"'
	outcome_of --memory 100M -- sh hold.sh
	if by_cgroup memory; then
		is 'd["cause"] == "memory" and d["exit_code"] != 0'
	else
		is 'd["exit_code"] == 0 and any("for each process by itself" in note for note in n)'
	fi
}

@test "memory: what lies in /tmp counts" {
	outcome_of --memory 64M -- sh -c 'head -c 200M /dev/zero > /tmp/x'
	by_cgroup memory || skip "without a cgroup a tmpfs has only its own limit (limits.tmp)"
	is 'd["cause"] == "memory"'
	nothing_left
}

@test "a limit that was reached by a command which succeeds all the same is not the cause" {
	outcome_of --memory 64M -- sh -c '/usr/bin/python3 -c "x = bytearray(300 << 20)"; exit 0'
	is 'd["cause"] == "exit" and d["exit_code"] == 0'
}

@test "swap: none beyond memory unless it is asked for; where nothing counts it, that is said" {
	coffer explain --memory 64M -- true > none
	coffer explain --memory 64M --swap 32M -- true > some
	outcome_of --memory 64M --swap 32M -- true
	if by_cgroup swap; then
		grep -qE 'memory.memsw.limit_in_bytes +67108864|memory.swap.max +0' none
		grep -qE 'memory.memsw.limit_in_bytes +100663296|memory.swap.max +33554432' some
		[ "$(awk '/SwapTotal/ { print $2 }' /proc/meminfo)" = 0 ] || {
			outcome_of --memory 64M -- /usr/bin/python3 -c 'x = bytearray(300 << 20)'
			is 'd["cause"] == "memory" and d["max_memory_bytes"] <= 65 << 20'
		}
	else
		is 'l["swap"] is None and any("swap" in note for note in n)'
		run coffer run --strict --swap 32M -- true
		[ "$status" -eq 125 ]
	fi
}

# ---- processes ----

# bats test_tags=smoke
@test "processes: so many and no more, threads among them" {
	cat > spawn.py <<-'PY'
		import os, sys, threading, time
		n = 0
		try:
		    while n < 200:
		        if n % 2 == 0:
		            if os.fork() == 0:
		                time.sleep(20)
		                os._exit(0)
		        else:
		            threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
		        n += 1
		except (OSError, RuntimeError):
		    print(n, flush=True)
		    os._exit(3)
	PY
	outcome_of --processes 20 -- /usr/bin/python3 spawn.py
	if is 'l["processes"] is None' 2> /dev/null; then
		is 'any("processes" in note for note in n)'
		skip "no cgroup here, and this kernel counts all processes of a user"
	fi
	# The command is one of them, and up to two are the sandbox's own.
	[ "$(cat out)" -ge 17 ]
	[ "$(cat out)" -le 19 ]
	if by_cgroup processes; then
		is 'd["cause"] == "processes" and d["exit_code"] == 3 and d["processes_peak"] == 20'
	else
		is 'd["cause"] == "exit" and d["exit_code"] == 3 and l["processes"] == "rlimit"'
	fi
	nothing_left
}

@test "processes: a fork bomb ends with its time, and takes nobody along" {
	outcome_of --processes 50 --timeout 2s -- sh -c "f() { f $MARK | f & }; f; sleep 20"
	is 'd["cause"] in ("timeout", "processes", "exit")'
	nothing_left
}

# ---- processor ----

@test "cpus: a rate" {
	outcome_of --cpus 0.1 --timeout 3s -- sh -c "while :; do : $MARK; done & while :; do :; done"
	is 'd["cause"] == "timeout"'
	if by_cgroup cpus; then
		is 'd["cpu_ms"] <= 100 + d["duration_ms"] * 0.3'
	else
		is 'l["cpus"] is None and any(note.startswith("cpus") for note in n)'
	fi
	nothing_left
}

# bats test_tags=smoke
@test "cpuTime: of all processes together, those that have ended included" {
	outcome_of --cpu-time 600ms --timeout 60s -- sh -c "echo before; while :; do : $MARK; done & while :; do :; done"
	is 'd["cause"] == "cpu" and d["exit_code"] == 137 and d["signal"] == 9 and 500 <= d["cpu_ms"] <= 6000'
	[ "$(cat out)" = before ]
	grep -q 'cpu limit was reached' err
	nothing_left
	outcome_of --cpu-time 600ms --timeout 60s -- sh -c 'while :; do sh -c "i=0; while [ \$i -lt 20000 ]; do i=\$((i+1)); done"; done'
	is 'd["cause"] == "cpu" and 500 <= d["cpu_ms"] <= 6000'
}

@test "cpuTime: one process gets the kernel's own signal for it, or its shell tells of that" {
	outcome_of --cpu-time 1s --timeout 60s -- sh -c 'while :; do :; done'
	is 'd["cause"] == "cpu" and d["exit_code"] in (137, 152)'
	outcome_of --cpu-time 1s --timeout 60s -- sh -c 'sh -c "while :; do :; done"; exit $?'
	is 'd["cause"] == "cpu" and d["exit_code"] in (137, 152)'
}

# ---- time ----

# bats test_tags=smoke
@test "timeout: grandchildren, daemons with a session of their own and those who ignore every signal end with it" {
	outcome_of --timeout 1s -- sh -c "echo before
		(setsid sh -c 'trap \"\" TERM INT HUP QUIT; while :; do sleep $MARK; done' > /dev/null 2>&1 &)
		(sleep $MARK &) &
		nohup sleep $MARK > /dev/null 2>&1 &
		/usr/bin/python3 -c 'import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep($MARK % 1000000)' &
		echo error >&2
		sleep $MARK"
	is 'd["cause"] == "timeout" and d["exit_code"] == 124 and 1000 <= d["duration_ms"] < 10000'
	[ "$status" -eq 124 ]
	[ "$(cat out)" = before ]
	[ "$(head -1 err)" = error ]
	nothing_left
}

@test "timeout: not before its time" {
	outcome_of --timeout 60s -- sleep 0.3
	is 'd["cause"] == "exit" and d["exit_code"] == 0 and d["duration_ms"] >= 300'
}

@test "the end of the command is everybody's, without a limit too" {
	outcome_of -- sh -c "(setsid sleep $MARK > /dev/null 2>&1 &); exit 0"
	is 'd["cause"] == "exit" and d["exit_code"] == 0'
	nothing_left
}

# ---- output and files ----

# bats test_tags=smoke
@test "output: to the byte, each stream for itself, and what came before is kept" {
	outcome_of --output 10000 -- sh -c 'head -c 10000 /dev/zero; head -c 10000 /dev/zero >&2'
	is 'd["cause"] == "exit" and d["stdout_bytes"] == d["stderr_bytes"] == 10000 and not d["stdout_truncated"]'
	outcome_of --output 10000 -- sh -c "echo error >&2; yes; sleep $MARK"
	is 'd["cause"] == "output" and d["exit_code"] == 137 and d["stdout_truncated"] and not d["stderr_truncated"] and d["stdout_bytes"] == 10000'
	[ "$(wc -c < out)" -eq 10000 ]
	[ "$(head -1 err)" = error ]
	nothing_left
	outcome_of --output 10000 -- sh -c 'head -c 10001 /dev/zero >&2; sleep 20'
	is 'd["cause"] == "output" and d["stderr_truncated"] and d["stderr_bytes"] == 10000'
	status=0
	coffer run --output 10000 --json 3 -- yes 3> o.json > /dev/null || status=$?
	is 'd["cause"] == "output"' # where the caller throws it away as well
}

@test "fileSize: no file grows past it, whoever writes" {
	outcome_of --write . --file-size 1M -- sh -c 'echo before; exec head -c 3M /dev/zero > f'
	is 'd["cause"] == "file_size" and d["exit_code"] == 153 and d["signal"] == 25 and l["fileSize"] == "rlimit"'
	[ "$(stat -c %s f)" -eq 1048576 ]
	[ "$(cat out)" = before ]
	outcome_of --write . --file-size 1M -- sh -c 'head -c 3M /dev/zero > f; exit $?'
	is 'd["cause"] == "file_size" and d["exit_code"] == 153'
	# Python asks to be told by errno.
	outcome_of --write . --file-size 1M -- /usr/bin/python3 -c 'open("g", "wb").write(bytes(3 << 20))'
	is 'd["cause"] == "exit" and d["exit_code"] == 1'
	grep -q 'File too large' err
	[ "$(stat -c %s g)" -eq 1048576 ]
}

@test "openFiles" {
	outcome_of --open-files 30 -- /usr/bin/python3 -c 'import os
fds = []
try:
    while True: fds.append(os.dup(0))
except OSError as e: print(max(fds), e.strerror)'
	is 'd["cause"] == "exit" and l["openFiles"] == "rlimit"'
	[ "$(cat out)" = "29 Too many open files" ]
}

@test "tmp, tmpInodes: bytes in /tmp and in /dev/shm, and how many files" {
	outcome_of --tmp 1M -- sh -c 'head -c 3M /dev/zero > /tmp/x; head -c 3M /dev/zero > /dev/shm/x; stat -c %s /tmp/x /dev/shm/x'
	is 'l["tmp"] == "tmpfs" and l["tmpInodes"] == "tmpfs"'
	[ "$(cat out)" = "1048576
1048576" ]
	[ "$(grep -c 'No space left' err)" -eq 2 ]
	outcome_of --tmp-inodes 100 -- /usr/bin/python3 -c 'import os
n = 0
try:
    while n < 1000: open(f"/tmp/{n}", "w").close(); n += 1
except OSError as e: print(n, e.strerror)'
	read -r n rest < out
	[ "$n" -ge 95 ] && [ "$n" -le 100 ]
	[ "$rest" = "No space left on device" ]
}

@test "workspaceSize, workspaceFiles: too much in a tree of its own ends the command; of the host's tree it is an error" {
	export XDG_DATA_HOME=$TOP/data
	mkdir -m 700 "$XDG_DATA_HOME"
	status=0
	coffer try --workspace-size 20M --json 3 -- sh -c 'head -c 5M /dev/zero > a; sleep 0.2' 3> o.json 2> err || status=$?
	is 'd["cause"] == "exit" and d["exit_code"] == 0 and l["workspaceSize"] == "survey"'
	coffer try --workspace-size 20M --json 3 -- sh -c 'head -c 4G /dev/zero > a; sleep 60' 3> o.json 2> err || status=$?
	is 'd["cause"] == "workspace" and d["exit_code"] == 137'
	coffer try --workspace-files 100 --json 3 -- sh -c 'while :; do mktemp f.XXXXXXXX; done' 3> o.json > out 2> err || status=$?
	is 'd["cause"] == "workspace" and l["workspaceFiles"] == "survey"'
	grep -q "workspace limit" err
	! coffer run --workspace-files 100 -- true 2> err
	grep -q -e '--workspace-files:.*--copy' err
	! find "$XDG_DATA_HOME" -size +2G | grep . # it was stopped long before
}

# ---- other causes ----

@test "exit and signal; a signal of a limit that somebody only sends is a signal" {
	outcome_of -- sh -c 'exit 7'
	is 'd["cause"] == "exit" and d["exit_code"] == 7 and d["signal"] is None'
	for number in 1 9 15 24 25 31; do
		outcome_of -- sh -c "kill -$number \$\$"
		is "d['cause'] == 'signal' and d['signal'] == $number and d['exit_code'] == 128 + $number"
	done
	outcome_of -- sh -c 'exit 153'
	is 'd["cause"] == "exit"'
	outcome_of -- no-such-command
	is 'd["cause"] == "exit" and d["exit_code"] == 127 and "not found" in d["message"]'
}

@test "cancelled: by the second SIGINT" {
	"$COFFER" run --json 3 -- sh -c "trap '' INT; echo ready; while :; do sleep 0.1 $MARK; done" 3> o.json > out 2> err &
	pid=$!
	wait_until grep -q ready out
	kill -INT $pid
	sleep 0.5
	kill -0 $pid
	kill -INT $pid
	status=0
	wait $pid || status=$?
	[ "$status" -eq 137 ]
	is 'd["cause"] == "cancelled" and d["exit_code"] == 137 and d["signal"] == 9'
	[ "$(cat out)" = ready ]
	nothing_left
}

@test "policy and setup: nothing was run, and which of the two it was" {
	outcome_of --memory bananas -- touch ran
	is 'd["cause"] == "policy" and d["exit_code"] == 125 and d["error"]["code"] == "usage" or d["error"]["code"] == "policy"'
	outcome_of --write /nonexistent/place -- touch ran
	is 'd["cause"] in ("policy", "exit")'
	mkdir alone
	cp "$COFFER" alone/coffer
	COFFER=$PWD/alone/coffer
	outcome_of -- true
	if [ "$status" -eq 0 ]; then skip "coffer is installed: its launcher is found everywhere"; fi
	is 'd["cause"] == "setup" and d["exit_code"] == 125 and "coffer-launch" in d["error"]["text"]'
	[ "$(cat out)" = "" ]
}

@test "all limits at once, and a run that stays within" {
	outcome_of --memory 256M --swap 0 --processes 50 --cpus 2 --cpu-time 20s --timeout 60s --output 1M --file-size 1M --open-files 100 --tmp 1M --tmp-inodes 100 \
		-- sh -c 'echo x > /tmp/x; cat /tmp/x'
	is 'd["cause"] == "exit" and d["exit_code"] == 0 and len(l) == 11'
	[ "$(cat out)" = x ]
	nothing_left
}
