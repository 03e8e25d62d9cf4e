#!/bin/sh
# examples/session-agent.sh: the agent of examples/agents/session_agent.mjs, and what has to come of it. Wants coffer, node and git in PATH.
set -eu
cd "$(dirname "$0")/agents"
command -v node >/dev/null || { echo "session-agent: skipped, there is no node" && exit 0; }
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
said=$(XDG_DATA_HOME=$data node session_agent.mjs)
for text in 'SandboxToolPolicyError: Command is not allowed by sandbox tool policy: curl' '# fail 1' '# fail 0' '# pass 2' 'Wrote roman.js' \
	"+const NUMERALS = [[1000, 'M'], [900, 'CM'], [500, 'D'], [400, 'CD']" '1 file changed, 1 insertion(+), 1 deletion(-)'; do
	case $said in
	*"$text"*) ;;
	*) printf '%s\nexamples/session-agent.sh: not there: %s\n' "$said" "$text" >&2 && exit 1 ;;
	esac
done
echo "session-agent: repaired what the tests found"
