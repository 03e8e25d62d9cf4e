# Many candidates of one command, and looking back through the layers of a session.
bats_require_minimum_version 1.5.0
load lib

setup() {
	export XDG_DATA_HOME="$BATS_TEST_TMPDIR/data"
	mkdir -m 700 "$XDG_DATA_HOME"
	work="$BATS_TEST_TMPDIR/work"
	mkdir "$work"
	cd "$work"
	echo base > file
}

teardown() {
	for directory in "$XDG_DATA_HOME"/coffer/sessions/*/; do
		[ -d "$directory" ] && "$COFFER" session rm "$(basename "$directory")" || :
	done
}

# Nothing of a race is left but, perhaps, the workspace of its winner.
only_workspaces() {
	[ -z "$("$COFFER" session ls)" ]
	[ "$("$COFFER" discard --list | wc -l)" = "$1" ]
	[ "$(ls "$XDG_DATA_HOME/coffer/workspaces" | wc -l)" = "$1" ]
}

# get EXPRESSION: of the JSON in $output, as d.
get() {
	python3 -c 'import json,sys; d = json.loads(sys.argv[2]); print(eval(sys.argv[1]))' "$1" "$output"
}

@test "race: the best score wins, its diff can be seen and applied, and of the others nothing is left" {
	run --separate-stderr "$COFFER" race --n 5 --json --judge 'echo judged; cat score' -- sh -c 'echo $(( (COFFER_CANDIDATE * 3) % 5 )) > score; echo $COFFER_CANDIDATE > file'
	[ "$status" -eq 0 ]
	[ "$(get 'd["winner"]')" = 3 ]
	[ "$(get '[c["score"] for c in d["candidates"]]')" = "[4, 3, 2, 1, 0]" ]
	[ "$(get '[c["candidate"] for c in d["candidates"]]')" = "[3, 1, 4, 2, 5]" ]
	[ "$(get 'd["candidates"][0]["judgement"]')" = "judged"$'\n'4 ]
	name=$(get 'd["workspace"]')
	[[ "$stderr" == *"candidate 3 wins"*"coffer apply --in $name"* ]]
	[ "$(cat file)" = base ]
	[ ! -e score ]
	only_workspaces 1
	"$COFFER" diff --in "$name" | grep -q '^+3$'
	"$COFFER" apply --in "$name"
	[ "$(cat file)" = 3 ]
	only_workspaces 0
}

@test "race: numbers below zero and with exponents are scores; a last line that is none is no score, and no number beats none" {
	run --separate-stderr "$COFFER" race --n 4 --json --judge 'cat score' -- sh -c 'case $COFFER_CANDIDATE in
		1) echo -1.5e2 ;; 2) echo nan ;; 3) printf "7\n  -3 \n\n" ;; 4) printf "9\ntext\n" ;; esac > score'
	[ "$status" -eq 0 ]
	[ "$(get '[c["candidate"] for c in d["candidates"]][:2]')" = "[3, 1]" ]
	[ "$(get '[c["score"] for c in d["candidates"]]')" = "[-3, -150, None, None]" ]
}

@test "race: without a judge the command's own status decides; with one the judge's, who knows the command's" {
	run --separate-stderr "$COFFER" race --n 3 --json -- sh -c 'echo x > made; exit $(( COFFER_CANDIDATE != 2 ))'
	[ "$status" -eq 0 ]
	[ "$(get 'd["winner"]')" = 2 ]
	[ "$(get 'sorted(c["result"] for c in d["candidates"])')" = "['failed', 'failed', 'qualified']" ]
	run --separate-stderr "$COFFER" race --n 3 --json --judge 'test $COFFER_STATUS = 4 && test $COFFER_CANDIDATE = 3' -- sh -c 'exit $((COFFER_CANDIDATE + 1))'
	[ "$status" -eq 0 ]
	[ "$(get 'd["winner"]')" = 3 ]
	[[ "$stderr" == *"has changed nothing"* ]]
	[ "$(get 'd["workspace"]')" = None ]
	only_workspaces 1
}

@test "race: when none qualifies the status is 1, and nothing stays" {
	run --separate-stderr "$COFFER" race --n 3 -- sh -c 'echo x > made; exit 3'
	[ "$status" -eq 1 ]
	[ "$(grep -c 'failed.*exit status 3' <<< "$output")" = 3 ]
	only_workspaces 0
	run -1 "$COFFER" race --n 2 --judge 'exit 1' -- true
	run -1 "$COFFER" race --n 2 -- nosuch
	only_workspaces 0
}

@test "race: candidates do not see each other, whatever they write, and their output is kept apart" {
	run --separate-stderr "$COFFER" race --n 6 --jobs 6 --json --judge 'test "$(cat mine)" = $COFFER_CANDIDATE' -- \
		sh -c '[ ! -e mine ]; echo $COFFER_CANDIDATE > mine; for i in $(seq 50); do echo $COFFER_CANDIDATE; done; cat mine >&2'
	[ "$status" -eq 0 ]
	[ "$(get 'all(set(c["output"].split()) == {str(c["candidate"])} and c["output"].count("\n") == 51 for c in d["candidates"])')" = True ]
	[ "$(get '[c["result"] for c in d["candidates"]]')" = "['qualified', 'qualified', 'qualified', 'qualified', 'qualified', 'qualified']" ]
}

@test "race: of much output the end is kept, and how much came before" {
	run --separate-stderr "$COFFER" race --n 1 --json -- sh -c 'head -c 300000 /dev/zero | tr "\0" a; echo end'
	[ "$status" -eq 0 ]
	[ "$(get 'len(d["candidates"][0]["output"]), d["candidates"][0]["output_dropped"], d["candidates"][0]["output"][-4:]')" = "(65536, 234468, 'end\\n')" ]
}

@test "race --first: the first that qualifies wins, and the others are stopped at once" {
	SECONDS=0
	run --separate-stderr "$COFFER" race --first --n 4 --jobs 3 --json -- sh -c 'echo $COFFER_CANDIDATE > file; [ $COFFER_CANDIDATE = 2 ] || sleep 271828'$UID
	[ "$status" -eq 0 ]
	[ "$SECONDS" -lt 30 ]
	[ "$(get 'd["winner"]')" = 2 ]
	[ "$(get 'sorted(c["result"] for c in d["candidates"])')" = "['qualified', 'stopped', 'stopped', 'stopped']" ]
	wait_until eval '! pgrep -f "^sleep 271828$UID\$"'
	only_workspaces 1
}

@test "race --jobs: never more than so many at once" {
	run --separate-stderr "$COFFER" race --n 4 --jobs 1 --json -- sh -c 'date +%s%N; sleep 0.2; date +%s%N'
	[ "$status" -eq 0 ]
	[ "$(get 'all(a[1] <= b[0] for s in [sorted([int(t) for t in c["output"].split()] for c in d["candidates"])] for a, b in zip(s, s[1:]))')" = True ]
}

@test "race: Ctrl-C ends all of it, and nothing is left" {
	for signal in INT TERM HUP; do
		rm -f "$BATS_TEST_TMPDIR/status"
		python3 -c 'import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
sys.exit(subprocess.call(sys.argv[2:], stdout=open(sys.argv[1], "w")))' "$BATS_TEST_TMPDIR/out" \
			"$COFFER" race --n 4 --jobs 3 -- sh -c 'echo x > made; [ $COFFER_CANDIDATE = 1 ] || sleep 314159'$UID &
		wait_until eval '[ "$(pgrep -fc "^sleep 314159$UID\$")" -ge 2 ]'
		pkill -"$signal" -P $! || kill -"$signal" "$(pgrep -P $!)"
		status=0
		wait $! || status=$?
		[ "$status" -eq $((128 + $(kill -l $signal))) ]
		wait_until eval '! pgrep -f "^sleep 314159$UID\$"'
		only_workspaces 0
		[ ! -s "$BATS_TEST_TMPDIR/out" ]
	done
}

@test "race: when it is killed by force its commands end" {
	"$COFFER" race --n 2 --jobs 2 -- sleep 161803$UID &
	race=$!
	wait_until eval '[ "$(pgrep -fc "^sleep 161803$UID\$")" -ge 2 ]'
	kill -9 $race
	wait_until eval '! pgrep -f "^sleep 161803$UID\$"'
	"$COFFER" session ls --json | python3 -c 'import json, sys; s = json.load(sys.stdin); assert len(s) == 2 and all("race" in x["labels"] for x in s), s'
}

@test "race: settings hold for every candidate" {
	run --separate-stderr "$COFFER" race --n 2 --json --timeout 700ms -- sleep 60
	[ "$status" -eq 1 ]
	[ "$(get '[c["cause"] for c in d["candidates"]]')" = "['timeout', 'timeout']" ]
	run --separate-stderr "$COFFER" race --n 2 --json --env SOME_API_KEY=x -- sh -c '[ "$SOME_API_KEY" = x ]'
	[ "$status" -eq 0 ]
}

@test "race --verbose: what each one has written, escaped, with its number" {
	run --separate-stderr "$COFFER" race --n 2 --verbose -- sh -c 'printf "out %s\n\033[31mred\n" $COFFER_CANDIDATE'
	[ "$status" -eq 0 ]
	[[ "$stderr" == *"1 | out 1"* ]]
	[[ "$stderr" == *"2 | out 2"* ]]
	[[ "$stderr" != *$'\033'"[31mred"* ]]
}

@test "race: what is wrong is said, and the status is 125" {
	for words in '--n 0' '--n many' '--n 1001' '--jobs 0' '--memory 12bananas' "--judge="; do
		run -125 "$COFFER" race $words -- true
		[ -n "$output" ]
	done
	run -125 "$COFFER" race
	[[ "$output" == *"no command"* ]]
	run -125 "$COFFER" race --write /nowhere/at/all --n 3 -- true
	[ "$(wc -l <<< "$output")" = 1 ]
	only_workspaces 0 || [ ! -d "$XDG_DATA_HOME/coffer/workspaces" ]
}

# ---- layers ----

five_layers() {
	"$COFFER" session create --copy work
	for i in 1 2 3 4 5; do
		"$COFFER" session exec work -- sh -c "echo $i > n"
		"$COFFER" session checkpoint -m "step $i" work
	done
}

@test "session fork --at: as it was after a layer, or at the beginning" {
	five_layers
	"$COFFER" session fork --at 2 work two
	"$COFFER" session fork --at @0 work zero
	[ "$("$COFFER" session exec two -- cat n)" = 2 ]
	run -1 "$COFFER" session exec zero -- test -e n
	[ "$("$COFFER" session exec zero -- cat file)" = base ]
	"$COFFER" session exec two -- sh -c 'echo other > n'
	[ "$("$COFFER" session exec work -- cat n)" = 5 ]
	run -125 "$COFFER" session fork --at 17 work none
	[[ "$output" == *"no layer @17"* ]]
	run -125 "$COFFER" session fork --at x work none
	[[ "$output" == *"session log"* ]]
	[ "$("$COFFER" session ls | wc -l)" = 3 ]
}

@test "session bisect: the first layer in which a command fails, with the diff that shows it; the session is left alone" {
	five_layers
	"$COFFER" session log work > "$BATS_TEST_TMPDIR/before"
	run --separate-stderr "$COFFER" session bisect work -- sh -c 'touch trace; n=$(cat n 2> /dev/null || echo 0); [ $n -lt 4 ]'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "fails first in @4 step 4" ]
	[ "${lines[1]}" = "coffer diff --in work --from 3 --to 4" ]
	[ "$(PATH=${COFFER%/*}:$PATH bash -c "${lines[1]}" | grep '^[+-][0-9]' | tr '\n' ' ')" = "-3 +4 " ]
	run -1 "$COFFER" session exec work -- test -e trace
	"$COFFER" session log work | cmp - "$BATS_TEST_TMPDIR/before"
	[ "$("$COFFER" session ls | wc -l)" = 1 ]
}

@test "session bisect: what no layer has yet, what fails from the beginning, what does not fail, what cannot be executed" {
	five_layers
	"$COFFER" session exec work -- sh -c 'echo 6 > n'
	run --separate-stderr "$COFFER" session bisect --json work -- sh -c 'n=$(cat n || echo 0); [ $n -lt 6 ]'
	[ "$status" -eq 0 ]
	[[ "$(get 'd["diff"]')" == "coffer diff --in work --from 5"* ]]
	run --separate-stderr "$COFFER" session bisect work -- false
	[ "${lines[0]}" = "fails first in the beginning" ]
	run -1 "$COFFER" session bisect work -- true
	[[ "$output" == *"nothing to find"* ]]
	run -125 "$COFFER" session bisect work -- nosuch
	[[ "$output" == *"could not be executed"* ]]
	run -125 "$COFFER" session bisect work
	run -125 "$COFFER" session bisect absent -- true
	"$COFFER" session create plain
	run -125 "$COFFER" session bisect plain -- true
	[ "$("$COFFER" session ls | wc -l)" = 2 ]
}

@test "session create --history: a layer for each command that changed something, with its words" {
	"$COFFER" session create --copy --history work
	"$COFFER" session exec work -- sh -c 'echo 1 > n'
	"$COFFER" session exec work -- cat n
	"$COFFER" session exec work -- sh -c 'echo 2 > n; exit 7' || [ $? = 7 ]
	"$COFFER" session exec work -- touch new
	[ "$("$COFFER" session log work)" = "  @1  on @0  sh -c 'echo 1 > n'
  @2  on @0  sh -c 'echo 2 > n; exit 7'
  @3  on @0  touch new" ]
	"$COFFER" session checkout work 1
	"$COFFER" session exec work -- cat n
	"$COFFER" session exec work -- sh -c 'echo 3 > n'
	"$COFFER" session log work | tail -1 | grep -q "@4  on @1  sh -c 'echo 3 > n'"
	"$COFFER" session fork work child
	"$COFFER" session exec child -- touch more
	"$COFFER" session log child | tail -1 | grep -q 'touch more'
	run --separate-stderr "$COFFER" session bisect work -- sh -c '[ "$(cat n)" != 2 ]' # @4 has 3 again, and so has the end
	[ "$status" -eq 1 ]
	run -125 "$COFFER" session create --history host
	[[ "$output" == *"--copy"* ]]
}

@test "session create --history: many commands at once: the newest layer has all of it" {
	"$COFFER" session create --copy --history work
	for i in $(seq 8); do
		"$COFFER" session exec work -- sh -c "echo $i > file$i" &
	done
	wait
	newest=$("$COFFER" session log --json work | python3 -c 'import json,sys; print(json.load(sys.stdin)[-1]["number"])')
	"$COFFER" session fork --at "$newest" work last
	[ "$("$COFFER" session exec last -- sh -c 'cat file[1-8] | sort | tr -d "\n"')" = 12345678 ]
	[ "$("$COFFER" session ls --json | python3 -c 'import json,sys; print({s["state"] for s in json.load(sys.stdin)})')" = "{'running'}" ]
}

@test "a label of bytes that are no text, or of many, leaves the workspace readable" {
	"$COFFER" session create --copy work
	"$COFFER" session checkpoint -m "$(printf '\xff%.0s' $(seq 300))" work
	"$COFFER" session checkpoint -m "$(printf 'ä%.0s' $(seq 300))" work
	"$COFFER" session exec work -- true
	[ "$("$COFFER" session log --json work | python3 -c 'import json,sys; print([len(l["label"]) for l in json.load(sys.stdin)])')" = "[255, 127]" ]
}
