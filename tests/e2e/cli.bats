#!/usr/bin/env bats
# The command line: exit statuses, messages, help, settings, the outcome. What a sandbox keeps in or out is tested elsewhere.

bats_require_minimum_version 1.5.0

setup() {
	load lib
	workspace
	export XDG_RUNTIME_DIR=$TOP/run
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	export PATH=/usr/local/bin:/usr/bin:/bin
}

# JSON on standard input, a Python expression over it.
json() {
	python3 -c "import json, sys; d = json.load(sys.stdin); print(($1))"
}

# bats test_tags=smoke
@test "exit status: the command's own" {
	run coffer run -- true
	[ "$status" -eq 0 ]
	run coffer run -- sh -c 'exit 42'
	[ "$status" -eq 42 ]
	run coffer run -- sh -c 'exit 255'
	[ "$status" -eq 255 ]
}

@test "exit status: 128 + signal" {
	run coffer run -- sh -c 'kill -TERM $$'
	[ "$status" -eq 143 ]
	run coffer run -- sh -c 'kill -KILL $$'
	[ "$status" -eq 137 ]
}

# bats test_tags=smoke
@test "exit status: 124 for a timeout, and what was printed before is kept" {
	run coffer run --timeout 300ms -- sh -c 'echo before; sleep 30'
	[ "$status" -eq 124 ]
	[ "${lines[0]}" = before ]
}

@test "exit status: 127 for what does not exist, 126 for what cannot be executed" {
	run -127 coffer run -- no-such-command
	[ "$status" -eq 127 ]
	[[ "$output" == *no-such-command* ]]
	echo text > plain
	run coffer run -- ./plain
	[ "$status" -eq 126 ]
	run coffer run -- /usr
	[ "$status" -eq 126 ]
}

# bats test_tags=smoke
@test "streams are passed through, byte by byte, and kept apart" {
	head -c 100000 /dev/urandom > in
	coffer run -- cat < in > out
	cmp in out
	coffer run -- sh -c 'echo one; echo two >&2' > out 2> err
	[ "$(cat out)" = one ]
	[ "$(cat err)" = two ]
}

@test "no command: says so, 125" {
	run coffer run
	[ "$status" -eq 125 ]
	[[ "$output" == *"coffer run -- CMD"* ]]
	run coffer
	[ "$status" -eq 125 ]
	[[ "$output" == *"coffer help"* ]]
}

@test "unknown command and unknown option: the nearest is named" {
	run coffer rnu -- true
	[ "$status" -eq 125 ]
	[[ "$output" == *"coffer run"* ]]
	run coffer run --memroy 1G -- true
	[ "$status" -eq 125 ]
	[[ "$output" == *"--memory"* ]]
	run coffer ls -la
	[ "$status" -eq 125 ]
	[[ "$output" == *"coffer run -- ls"* ]]
}

@test "options: every mistake at once, nothing run" {
	run coffer run --write . --memroy 1G --timeuot 3s -Q -- touch ran
	[ "$status" -eq 125 ]
	[[ "$output" == *"--memory"* && "$output" == *"--timeout"* && "$output" == *"-Q"* ]]
	[ ! -e ran ]
	run coffer run --write . --memory bananas --timeout soon -- touch ran
	[ "$status" -eq 125 ]
	[[ "$output" == *"--memory"*bananas* && "$output" == *"--timeout"*soon* ]]
	[ ! -e ran ]
}

# bats test_tags=smoke
@test "settings: every mistake at once, each with file, pointer, what was found and what is allowed" {
	cat > s.json <<-'JSON'
		{"filesytem": {}, "limits": {"memory": true, "timeuot": "3s"}, "network": {"mode": "on"}, "filesystem": {"allowWrite": [".", 7]}}
	JSON
	run coffer run --settings s.json -- touch ran
	echo "$output"
	[ "$status" -eq 125 ]
	[ ! -e ran ]
	[ "${#lines[@]}" -eq 5 ]
	[[ "$output" == *"s.json /filesytem"*"/filesystem"* ]]
	[[ "$output" == *"s.json /limits/memory"*true* ]]
	[[ "$output" == *"s.json /limits/timeuot"*"/limits/timeout"* ]]
	[[ "$output" == *"s.json /network/mode"*"on"*"off"* ]]
	[[ "$output" == *"s.json /filesystem/allowWrite/1"*7* ]]
}

@test "settings: broken JSON says where, a missing file says which" {
	printf '{\n"limits": {,}}\n' > s.json
	run coffer run --settings s.json -- true
	[ "$status" -eq 125 ]
	[[ "$output" == *"s.json"*"line 2"* ]]
	run coffer run --settings nowhere.json -- true
	[ "$status" -eq 125 ]
	[[ "$output" == *"nowhere.json"* ]]
}

@test "settings: the command cannot rewrite the file that its policy came from" {
	echo '{"filesystem": {"allowWrite": ["."]}}' >policy.json
	cp policy.json before
	run coffer run --settings policy.json -- sh -c 'echo more >other; echo "{}" >policy.json; mv other policy.json; rm policy.json'
	[ "$status" -ne 0 ]
	cmp policy.json before
	[ -e other ]
}

@test "settings: the second file tightens and cannot widen" {
	echo '{"limits": {"openFiles": 100}}' > one.json
	echo '{"limits": {"openFiles": 50}}' > two.json
	[ "$(coffer run -s one.json -s two.json -- sh -c 'ulimit -n')" = 50 ]
	run coffer run -s two.json -s one.json -- true
	[ "$status" -eq 125 ]
	[[ "$output" == *"one.json /limits/openFiles"* ]]
	echo '{"network": {"mode": "host"}}' > net.json
	run coffer run -s one.json -s net.json -- true
	echo "$output"
	[ "$status" -eq 125 ]
	[[ "$output" == *"/network/mode"* ]]
}

@test "options win over the first file" {
	echo '{"limits": {"openFiles": 100}}' > one.json
	[ "$(coffer run -s one.json --open-files 200 -- sh -c 'ulimit -n')" = 200 ]
}

@test "profiles: known ones work, an unknown one is named with those there are" {
	run coffer run --profile agent -- touch made
	[ "$status" -eq 0 ]
	[ -e made ]
	run coffer run --profile test -- touch not
	[ "$status" -ne 0 ]
	[ ! -e not ]
	run coffer run --profile agnet -- true
	[ "$status" -eq 125 ]
	[[ "$output" == *strict* && "$output" == *agent* ]]
}

@test "--env: sets, takes over, and nothing else comes in" {
	export SECRET_THING=42 TAKEN=yes
	[ "$(coffer run --env A=b=c --env TAKEN -- sh -c 'echo "$A/$TAKEN/$SECRET_THING"')" = b=c/yes/ ]
}

# bats test_tags=smoke
@test "--json: the outcome on its descriptor, nothing of it in the output" {
	run coffer run --json 3 -- sh -c 'echo out; exit 3' 3> outcome.json
	[ "$status" -eq 3 ]
	echo "<$output>"
	[ "$output" = out ]
	[ "$(json 'd["exit_code"], d["cause"], d["signal"], d["command"][0], d["stdout_bytes"]' < outcome.json)" = "(3, 'exit', None, 'sh', 4)" ]
	[ "$(json 'd["receipt"]["rung"] in ("namespaces", "landlock") and d["receipt"]["plan"].startswith("sha256:")' < outcome.json)" = True ]
	[ "$(json 'd["receipt"]["seccomp_instructions"] > 50 and d["receipt"]["limits"]["openFiles"]["by"] == "rlimit"' < outcome.json)" = True ]
}

@test "--json: causes are told" {
	coffer run --json 3 --timeout 200ms -- sleep 30 3> o.json || true
	[ "$(json 'd["cause"], d["exit_code"]' < o.json)" = "('timeout', 124)" ]
	coffer run --json 3 -- sh -c 'kill -USR1 $$' 3> o.json || true
	[ "$(json 'd["cause"], d["signal"]' < o.json)" = "('signal', 10)" ]
	coffer run --json 3 --output 4K -- yes 3> o.json > /dev/null || true
	[ "$(json 'd["cause"]' < o.json)" = output ]
}

@test "--json: when nothing was run it says why" {
	run coffer run --json 3 --memory bananas -- true 3> o.json
	[ "$status" -eq 125 ]
	[ "$(json 'd["exit_code"], d["cause"], "bananas" in d["error"]["text"]' < o.json)" = "(125, 'policy', True)" ]
}

@test "--json: only a descriptor that is open and not the command's" {
	run coffer run --json 1 -- touch /tmp/x
	[ "$status" -eq 125 ]
	[[ "$output" == *"3> outcome.json"* ]]
	run coffer run --json 9 -- true
	[ "$status" -eq 125 ]
	[[ "$output" == *"not open"* ]]
	run coffer run --json three -- true
	[ "$status" -eq 125 ]
}

# bats test_tags=smoke
@test "why: the last run with denials, with rule and remedy; the remedy works" {
	run coffer run -- sh -c 'echo x > made'
	[ "$status" -ne 0 ]
	run coffer why
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"sh -c echo x > made"* ]]
	[[ "$output" == *"made: Read-only file system"* ]]
	remedy=$(coffer why --json | json '[x["remedy"] for x in d["denials"] if x["target"].endswith("/made")][0]')
	[[ "$remedy" == --allow-write* ]]
	coffer run $remedy -- sh -c 'echo x > made'
	[ -s made ]
}

@test "why: by name, unknown names, and none yet" {
	run coffer why
	[ "$status" -eq 125 ]
	[[ "$output" == *"recorded"* ]]
	coffer run --json 3 -- sh -c 'echo x > made' 3> o.json || true
	name=$(json 'd["run"]' < o.json)
	run coffer why "${name:0:6}"
	[ "$status" -eq 0 ]
	[[ "$output" == *"run $name"* ]]
	run coffer why zzz
	[ "$status" -eq 125 ]
	[[ "$output" == *"$name"* ]]
	run coffer why one two
	[ "$status" -eq 125 ]
}

@test "what a name says cannot reach the terminal" {
	coffer run -- sh -c "echo x > \"\$(printf 'a\\033]0;t\\007b')\"" || true
	coffer why > text
	! grep -q "$(printf '\033')" text
	grep -q 'a\\x1b]0;t\\x07b' text
}

@test "a run that went well leaves no record, and the state is private" {
	coffer run -- true
	[ ! -e "$XDG_RUNTIME_DIR/coffer/records" ]
	[ "$(stat -c %a "$XDG_RUNTIME_DIR/coffer")" = 700 ]
	chmod 755 "$XDG_RUNTIME_DIR/coffer"
	run coffer run -- true
	[ "$status" -eq 125 ]
	[[ "$output" == *"chmod 0700"* ]]
}

# bats test_tags=smoke
@test "explain: the same twice, shows who asked, runs nothing" {
	coffer explain --write . --memory 512M -- touch ran > one
	coffer explain --write . --memory 512M -- touch ran > two
	cmp one two
	[ ! -e ran ]
	grep -q '# --write' one
	grep -q '# --memory' one
	grep -q 'EXEC' one
	coffer explain --json -- true | json 'd["operations"][-1]'
	[ "$(coffer run --explain -- touch ran)" = "$(coffer explain -- touch ran)" ]
	[ ! -e ran ]
}

@test "doctor: each thing with its state; JSON; exit status" {
	run coffer doctor
	echo "$output"
	[ "$status" -le 1 ]
	[[ "$output" == *Landlock* && "$output" == *"user namespaces"* ]]
	healthy=$(coffer doctor --json | json 'd["healthy"]') || true
	[ "$status" -eq "$([ "$healthy" = True ] && echo 0 || echo 1)" ]
}

@test "help: examples first, every option, every command" {
	for command in run explain why doctor gc completion version help; do
		run coffer $command --help
		[ "$status" -eq 0 ]
		[[ "$output" == *Examples*Usage* ]]
		coffer help | grep -q "  $command "
	done
	coffer help run | grep -q -- '--memory SIZE'
	coffer --help > /dev/null
	run coffer help nonsense
	[ "$status" -eq 125 ]
	coffer help schema | json 'd["properties"]["limits"]["properties"]["memory"]["default"]'
}

@test "version" {
	[[ "$(coffer version)" == "coffer "[0-9]* ]]
	[ "$(coffer --version)" = "$(coffer version)" ]
}

@test "completion: scripts are sound and know commands, options and profiles" {
	coffer completion bash > c.bash
	bash -n c.bash
	bash -c '. ./c.bash
		COMP_WORDS=(coffer ru) COMP_CWORD=1; _coffer; [ "${COMPREPLY[*]}" = run ] || exit 1
		COMP_WORDS=(coffer run --mem) COMP_CWORD=2; _coffer; [ "${COMPREPLY[*]}" = --memory ] || exit 2
		COMP_WORDS=(coffer run --profile a) COMP_CWORD=3; _coffer; [ "${COMPREPLY[*]}" = agent ] || exit 3
		COMP_WORDS=(coffer run --network h) COMP_CWORD=3; _coffer; [ "${COMPREPLY[*]}" = host ] || exit 4
		COMP_WORDS=(coffer session re) COMP_CWORD=2; _coffer; [ "${COMPREPLY[*]}" = resume ] || exit 5
		COMP_WORDS=(coffer session exec --cw) COMP_CWORD=3; _coffer; [ "${COMPREPLY[*]}" = --cwd ] || exit 6'
	for shell in zsh fish; do
		coffer completion $shell > c.$shell
		grep -q memory c.$shell
		! command -v $shell > /dev/null || $shell -n c.$shell
	done
	run coffer completion tcsh
	[ "$status" -eq 125 ]
}

@test "no colour in a file, none with NO_COLOR" {
	coffer help run > text
	coffer doctor >> text || true
	coffer run --nonsense -- true 2>> text || true
	! grep -q "$(printf '\033')" text
}

# bats test_tags=smoke
@test "signals are passed on" {
	"${COFFER_BUILD:-$BATS_TEST_DIRNAME/../../build}/coffer" run -- sh -c 'trap "echo got; exit 9" USR1; echo ready; while :; do sleep 0.1; done' > out &
	pid=$!
	for _ in $(seq 100); do grep -q ready out && break; sleep 0.1; done
	kill -USR1 $pid
	status=0
	wait $pid || status=$?
	[ "$status" -eq 9 ]
	grep -q got out
}

@test "gc: nothing to do is fine" {
	run coffer gc
	[ "$status" -eq 0 ]
}

@test "coffer's own state is not written by a run, wherever it is" {
	workspace
	mkdir -m 700 run
	export XDG_RUNTIME_DIR=$PWD/run
	coffer run -- true
	run coffer run --write . -- sh -c 'echo x > ok; echo x > run/coffer/journal/x; echo x > run/coffer/records/x; mv run moved'
	[ -s ok ]
	[ "$(ls run/coffer/journal)" = "" ]
	[ ! -e run/coffer/records/x ]
	[ -d run/coffer ]
	chmod 500 "$HOME"
	run env -u XDG_RUNTIME_DIR "$COFFER" run -- true # a home that cannot be written is no reason
	[ "$status" = 0 ]
	chmod 700 "$HOME"
}

@test "the workspace has a second name when one is asked for" {
	workspace
	echo here > file
	run --separate-stderr coffer run --write . --workspace-alias /workspace -- sh -c 'cat /workspace/file; cd /workspace && pwd && echo made > new; cat new'
	[ "$status" -eq 0 ]
	[ "$output" = "$(printf 'here\n/workspace\nmade')" ]
	[ "$(cat new)" = made ]
	for taken in /usr/x /bin / "$PWD/below"; do
		run coffer run --workspace-alias "$taken" -- true
		[ "$status" -eq 125 ]
		[[ $output == *"no link to the workspace can be made there"* ]]
	done
}
