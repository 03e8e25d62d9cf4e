#!/bin/sh
# examples/session-agent.sh: the agents of examples/agents/*session_agent.*, and what has to come of them. Wants coffer, node and git in PATH.
set -eu
cd "$(dirname "$0")/agents"
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
export XDG_DATA_HOME="$data" PYTHONPATH=../../sdk/python PYTHONDONTWRITEBYTECODE=1

# expect TEXT… in what was said
expect() {
	for text in "$@"; do
		case $said in
		*"$text"*) ;;
		*) printf '%s\nexamples/session-agent.sh: not there: %s\n' "$said" "$text" >&2 && exit 1 ;;
		esac
	done
}

said=$(/usr/bin/python3 python_session_agent.py 2>&1)
expect 'AssertionError' 'Could not resolve host' 'policy: path "../roman.py"' '+    (1000, "M"), (900, "CM")' 'not applied: .vscode/tasks.json' \
	'ApplyResult(ok=True, written=1' ' roman.py | 6 +++++-' 'OK'
echo "session-agent: Python repaired what the tests found"

command -v node >/dev/null || { echo "session-agent: JavaScript is skipped, there is no node" && exit 0; }
said=$(node session_agent.mjs)
expect 'SandboxToolPolicyError: Command is not allowed by sandbox tool policy: curl' '# fail 1' '# fail 0' '# pass 2' 'Wrote roman.js' \
	"+const NUMERALS = [[1000, 'M'], [900, 'CM'], [500, 'D'], [400, 'CD']" '1 file changed, 1 insertion(+), 1 deletion(-)'
echo "session-agent: JavaScript repaired what the tests found"
