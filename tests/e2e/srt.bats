#!/usr/bin/env bats
# The manners of srt that tests/compat/srt, which compares with npm's, does not see: the Python port's, and the variables of the SDKs.

load lib

setup() {
	workspace
	export PATH="${COFFER%/*}:$PATH" XDG_RUNTIME_DIR="$TOP/run"
	mkdir -m 700 "$TOP/run"
}

settings() {
	echo '{"network": {"allowedDomains": [], "deniedDomains": []}, "filesystem": {"denyRead": [], "allowWrite": ["."], "denyWrite": []}}'
}

@test "srt-py says what it runs, once, and joins words without quoting" {
	run srt-py echo "a  b" -d '$((1+1))'
	[ "$output" = 'Running: echo a  b -d $((1+1))
a b -d 2' ]
	run srt-py "echo hi | tr h j"
	[ "${lines[1]}" = ji ]
	run srt-py -- echo x
	[ "${lines[0]}" = "Running: echo x" ]
	COFFER_SRT_PROFILE=py run srt 'exit 7'
	[ "$status" = 7 ]
	[ "$output" = "Running: exit 7" ]
}

@test "srt-py ends a wrong line as click does" {
	for line in "" "-x" "--settings" "-c true"; do
		run srt-py $line
		[ "$status" = 2 ]
		[ "${lines[0]}" = "Usage: srt [OPTIONS] COMMAND..." ]
		[[ "${lines[2]}" == "Error: "* ]]
	done
	run srt-py
	[[ "$output" == *"Error: Missing argument 'COMMAND...'." ]]
	run srt-py --version
	[ "$status" = 0 ]
	[[ "$output" == "srt, version "* ]]
	run srt-py --help
	[ "$status" = 0 ]
	COFFER_SRT_PROFILE=perl run srt true
	[ "$status" = 1 ]
}

@test "srt-py goes on with the defaults when settings are wrong, and says so; the defaults write nothing and reach nobody" {
	echo '{"network": {}}' > wrong.json
	for file in wrong.json absent.json; do
		srt-py -s "$file" 'echo x > f; curl -s http://example.com' > out 2> err || true
		[ "$(sed -n 1p out)" = "Running: echo x > f; curl -s http://example.com" ]
		[ "$(sed -n 2p out)" = "Connection blocked by network allowlist" ]
		grep -q "$file" err
		[ ! -e f ]
	done
	run srt -s wrong.json true
	[ "$status" = 1 ]
	settings > "$HOME/.srt-settings.json"
	run srt-py "curl -s http://example.com" # an empty list is no network
	[ "${lines[1]}" = "Connection blocked by network allowlist" ]
}

@test "srt-py that is interrupted ends with 130, srt with 0" {
	export COFFER_SRT_SETTINGS
	COFFER_SRT_SETTINGS=$(settings)
	for pair in py:130 npm:0; do
		COFFER_SRT_PROFILE=${pair%:*} srt "echo begun; sleep 20" > begun &
		wait_until grep -q ^begun begun
		kill -INT $!
		status=0
		wait $! || status=$?
		[ "$status" = "${pair#*:}" ]
		rm begun
	done
}

@test "settings by a variable, which the command does not see" {
	export COFFER_SRT_SETTINGS COFFER_SRT_OUTCOME=$TOP/home/outcomes COFFER_SRT_PROFILE=npm
	COFFER_SRT_SETTINGS=$(settings)
	run srt "echo x > f && cat f; env | grep -c COFFER_SRT_"
	[ "$output" = "x
0" ]
	[ "$(wc -l < "$COFFER_SRT_OUTCOME")" = 1 ]
	COFFER_SRT_SETTINGS='{"network": 1}' run srt true
	[ "$status" = 1 ]
	[[ "$output" == "Error: COFFER_SRT_SETTINGS does not hold a valid config — network: "* ]]
	settings > s.json
	COFFER_SRT_SETTINGS='{"network": 1}' run srt -s s.json true # a file that is named comes first
	[ "$status" = 0 ]
}

@test "outcomes are added to a file whose directory is not the command's" {
	export COFFER_SRT_OUTCOME=$PWD/told/outcomes
	mkdir told
	settings > "$HOME/.srt-settings.json"
	run srt 'echo x > /etc/new; ln -s /etc/x told/link; rm -f told/outcomes; mv told elsewhere'
	[ "$status" != 0 ]
	[ "$(ls -A told)" = outcomes ]
	run srt true
	[ "$(jq -r '.denials[] | select(.operation == "create").target' told/outcomes)" = /etc/new ]
	[ "$(wc -l < told/outcomes)" = 2 ]
	for path in "$PWD/nowhere/file" outcomes "$PWD/link"; do
		ln -sf "$HOME/.bashrc" link
		COFFER_SRT_OUTCOME=$path run srt echo ran
		[ "$status" = 1 ]
		[[ "$output" != *ran* ]]
	done
	[ ! -e "$HOME/.bashrc" ]
}

@test "violations that the settings ignore are counted, and told nowhere" {
	export COFFER_SRT_OUTCOME=$TOP/home/outcomes
	settings | jq '. + {"ignoreViolations": {"*": ["/etc/quiet", "ads.invalid"], "git push": ["/etc/pushed"]}}' > s.json
	refused='echo x > /etc/quiet; echo x > /etc/pushed; curl -s http://ads.invalid; curl -s http://other.invalid; true'
	run srt -s s.json -c "$refused # git push"
	[[ "$output" == *"Connection blocked by network allowlist"* ]]
	[ "$(tail -n 1 "$COFFER_SRT_OUTCOME" | jq -r '.denials[].target')" = other.invalid:80 ]
	[ "$(tail -n 1 "$COFFER_SRT_OUTCOME" | jq .denials_ignored)" = 3 ]
	coffer why > why
	grep -q 'connect other.invalid:80' why
	grep -q 'and 3 that the settings ignore' why
	[ -z "$(tail -n +4 why | grep -E 'quiet|pushed|ads')" ] # above are the command's own words
	run srt -s s.json -c "$refused # git pull"
	[ "$(tail -n 1 "$COFFER_SRT_OUTCOME" | jq -r '.denials[].target' | sort)" = "/etc/pushed
other.invalid:80" ]
}

@test "denials that coffer's settings ignore are neither told as they happen nor explained, beside a profile too" {
	echo '{"profile": "agent", "ignoreViolations": {"sh": ["/etc/quiet"]}}' > s.json
	echo '{"ignoreViolations": {"*": ["/etc/loud"]}}' > later.json
	coffer run --settings s.json --settings later.json -v --json 3 -- sh -c 'echo x > /etc/quiet; echo x > /etc/loud' 3> o.json 2> err || true
	grep -q /etc/loud err
	[ -z "$(grep /etc/quiet err | grep -v 'sh: ')" ]
	[ "$(jq -r '.denials[].target' o.json)" = /etc/loud ]
	[ "$(jq .denials_ignored o.json)" = 1 ]
	coffer run --settings s.json -- sh -c ': > /etc/quiet' 2> err || true
	[ -z "$(grep denial err)" ]
	run coffer why
	[[ "$output" == *" /etc/loud: "* && "$output" != *" /etc/quiet: "* ]]
}

@test "a control channel that cannot be had is refused before anything runs" {
	run srt --control-fd 9 echo ran
	[ "$status" = 1 ]
	[[ "$output" == "Error: --control-fd 9 is not usable: "*"Refusing to run the command without the control channel it asks for." ]]
}
