#!/bin/sh
# examples/agents.sh: the three agents of examples/agents, with a scripted model each, and what has to come of it. Wants coffer in PATH.
set -eu
cd "$(dirname "$0")/agents"
export PYTHONPATH=../../sdk/python PYTHONDONTWRITEBYTECODE=1
python=/usr/bin/python3

# expect TEXT… in what was said
expect() {
	for text in "$@"; do
		case $said in
		*"$text"*) ;;
		*) printf '%s\nexamples/agents.sh: not there: %s\n' "$said" "$text" >&2 && exit 1 ;;
		esac
	done
}

said=$($python simple_python_agent.py)
expect 'Hello from sandbox! 45' 'ONE TWO THREE' 'Read-only file system' '<sandbox_violations>' 'Connection blocked by network allowlist'

said=$($python interactive_coding_agent.py <<'END'
python print(6 * 7)
create greet.py import sys\nprint("hello,", *sys.argv[1:])
bash python3 greet.py reader; exit 3
files
create ../outside x
dance
quit
END
)
expect 42 'greet.py is written' 'hello, reader' 'exit status 3' 'error: ../outside is outside the workbench' 'no command dance'

said=$($python advanced_coding_agent.py)
expect 'a project with README.md' 'tests fail' 'written, but: SyntaxError' 'tests pass' 'refused: ../outside.py' 'deny open' 'stopped after 2 s' 'tests/test_main.py'
echo "agents: simple, interactive and advanced did what they should"
