/*
 * commands.c: the table of commands. Each has a file of its own and knows nothing of the others.
 */
#include "cli/command.h"

#include <string.h>

/* clang-format off: a table is read by its columns */
const struct command commands[] = {
	{ "run", command_run, ON_RUN, true, "[options] [--] CMD [ARG…]", "run a command in a fresh sandbox",
	  "  coffer run -- python3 main.py            read the toolchain and this directory, write nothing, no network\n"
	  "  coffer run --write . -- make test        the working directory may be written; .git/hooks and its like stay protected\n"
	  "  coffer run --memory 512M --timeout 30s --network off -- ./a.out < input\n"
	  "  coffer run --settings policy.json --json 3 -- npm test 3> outcome.json\n" },
	{ "explain", command_explain, ON_EXPLAIN, true, "[options] [--] CMD [ARG…]", "show the plan of a run, before anything happens",
	  "  coffer explain -- make test              every step, and which setting asked for it\n"
	  "  coffer explain --json --write . -- make test | jq .operations\n" },
	{ "why", command_why, ON_WHY, false, "[options] [RUN]", "explain what the last run, or RUN, was refused",
	  "  coffer why                               who, what, which rule, the smallest change that would allow it\n"
	  "  coffer why 7f3a --json | jq .denials\n" },
	{ "doctor", command_doctor, ON_DOCTOR, false, "[options]", "show what this machine can enforce, and how to get what it lacks",
	  "  coffer doctor                            exit status 0: full protection; 1: something is missing\n"
	  "  coffer doctor --json | jq '.findings[] | select(.fix)'\n" },
	{ "try", command_try, ON_TRY, true, "[options] [--] CMD [ARG…]", "run a command on a copy-on-write view of the working directory",
	  "  coffer try -- npm install                nothing of this directory changes\n"
	  "  coffer diff --stat                       what it would have changed\n"
	  "  coffer apply                             let it: all, or `coffer apply package.json`\n"
	  "  coffer discard                           or not\n" },
	{ "diff", command_diff, ON_DIFF, false, "[options] [PATH…]", "show what a try, or a session, has changed",
	  "  coffer diff                              a patch, as git writes them\n"
	  "  coffer diff --names src\n"
	  "  coffer diff --in work --json             of the session \"work\"\n" },
	{ "apply", command_apply, ON_APPLY, false, "[options] [PATH…]", "do to the host what a try, or a session, has changed",
	  "  coffer apply --check                     what would be done, and what is in the way\n"
	  "  coffer apply src README.md               only this\n"
	  "  coffer apply --hunk src/main.c:1,3       of this file only the first and the third hunk\n"
	  "  coffer apply --allow .git/hooks/pre-commit\n" },
	{ "discard", command_discard, ON_DISCARD, false, "[options] [NAME…]", "forget what a try has changed",
	  "  coffer discard                           the latest one here\n"
	  "  coffer discard --list                    which there are\n" },
	{ "race", command_race, ON_RACE, true, "[options] [--] CMD [ARG…]", "run a command many times over, and keep what the best one did",
	  "  coffer race --n 8 --judge './score' -- ./attempt     each in a copy-on-write view of this directory\n"
	  "  coffer race --first -- sh -c './attempt --seed $COFFER_CANDIDATE'\n"
	  "  coffer race --json --jobs 2 -- make test | jq .winner\n" },
	{ "code", command_code, ON_CODE, true, "[options] FILE|- [--] [ARG…]", "run a snippet of code in a fresh sandbox",
	  "  coffer code hello.py                     its suffix, or #! line, says what it is written in\n"
	  "  coffer code -l python -e 'print(6 * 7)'\n"
	  "  coffer code -l js --timeout 10s --memory 256M - < main.js\n"
	  "  coffer code --copy --file lib.rb main.rb a b     it may write here; `coffer diff` shows what it did\n"
	  "  coffer code --list                       languages, and what to install for those that are missing\n" },
	{ "session create", command_session_create, ON_SESSION_CREATE, false, "[options] [NAME]",
	  "make a sandbox that stays, and print its name",
	  "  coffer session create --write . work     commands executed in it share files, processes and network\n"
	  "  coffer session create --idle 10m --ttl 8h --network off --memory 2G agent-7\n" },
	{ "session exec", command_session_exec, ON_SESSION_EXEC, true, "[options] NAME [--] CMD [ARG…]", "execute a command in a session",
	  "  coffer session exec work -- npm test\n"
	  "  coffer session exec --cwd src --env CI=1 --timeout 5m work -- make\n" },
	{ "session start", command_session_start, ON_SESSION_START, true, "[options] NAME [--] CMD [ARG…]",
	  "start a command in a session that nobody waits for",
	  "  coffer session start work -- npm run dev  prints it as JSON, with its number; its output is kept\n"
	  "  coffer session start --tty work -- bash   with a terminal, for `coffer session attach work`\n" },
	{ "session attach", command_session_attach, ON_SESSION_ATTACH, false, "[options] NAME [NUMBER]",
	  "see what such a command writes, and type at its terminal",
	  "  coffer session attach work               Ctrl-P Ctrl-Q leaves it; it goes on, and can be attached to again\n"
	  "  coffer session attach --replay 1M work 1\n" },
	{ "session ps", command_session_ps, ON_SESSION_NAMED, false, "NAME [NUMBER]", "list what has been started in a session, as JSON",
	  "  coffer session ps work | jq '.[] | select(.status == \"running\")'\n" },
	{ "session logs", command_session_logs, ON_SESSION_NAMED, false, "NAME NUMBER", "show what such a command has written last",
	  "  coffer session logs work 1\n" },
	{ "session stop-process", command_session_stop_process, ON_SESSION_NAMED, false, "NAME NUMBER…",
	  "end such commands with all that came of them", "  coffer session stop-process work 1        SIGTERM, and after 5 s SIGKILL\n" },
	{ "session ls", command_session_ls, ON_SESSION_LS, false, "[options] [NAME [PATH…]]",
	  "list the sessions of this user, or the files of one",
	  "  coffer session ls\n"
	  "  coffer session ls --json | jq '.[] | select(.state == \"stopped\")'\n"
	  "  coffer session ls work src                what is in src, below the directory where its commands start\n" },
	{ "session cp", command_session_cp, ON_SESSION_FILES, false, "FROM TO", "copy a file or a directory into a session, or out of it",
	  "  coffer session cp src work:               the directory, as src of the session's own\n"
	  "  coffer session cp work:out/report.pdf .\n"
	  "  coffer session cp - work:input < data     standard input; standard output: coffer session cp work:log -\n" },
	{ "session cat", command_session_cat, ON_SESSION_FILES, false, "NAME PATH…", "show files of a session",
	  "  coffer session cat work build/log.txt | tail\n" },
	{ "session write", command_session_write, ON_SESSION_WRITE, false, "[options] NAME PATH",
	  "write standard input into a file of a session",
	  "  echo '{}' | coffer session write work config.json     the old content or the new one, never a half\n"
	  "  coffer session write --mode 755 work run.sh < run.sh\n" },
	{ "session pause", command_session_pause, ON_SESSION_NAMED, false, "NAME…", "stop all processes of a session where they are",
	  "  coffer session pause work                the next exec lets them go on\n" },
	{ "session resume", command_session_resume, ON_SESSION_NAMED, false, "NAME…", "let the processes of a session go on",
	  "  coffer session resume work\n" },
	{ "session fork", command_session_fork, ON_SESSION_FORK, false, "[options] NAME [CHILD…]",
	  "make sessions that begin where one is, or was",
	  "  coffer session fork work try-1 try-2     settings and files, not processes\n"
	  "  coffer session fork --at 3 work before   as it was after layer 3 of `coffer session log work`\n" },
	{ "session checkpoint", command_session_checkpoint, ON_SESSION_CHECKPOINT, false, "[options] NAME",
	  "remember what the files of a session are now", "  coffer session checkpoint -m 'tests pass' work\n" },
	{ "session log", command_session_log, ON_SESSION_LOG, false, "[options] NAME", "list what has been remembered of a session",
	  "  coffer session log work\n"
	  "  coffer diff --in work --from 3 --to 7\n" },
	{ "session checkout", command_session_checkout, ON_SESSION_CHECKOUT, false, "NAME LAYER",
	  "go back to what the files of a session were",
	  "  coffer session checkout work 3           its processes are killed; 0: the beginning\n" },
	{ "session bisect", command_session_bisect, ON_SESSION_BISECT, true, "[options] NAME [--] CMD [ARG…]",
	  "find the layer in which a command first fails",
	  "  coffer session bisect work -- make test  in forks of its layers; the session is left alone\n" },
	{ "session snapshot", command_session_snapshot, ON_SNAPSHOT, false,
	  "create NAME SNAPSHOT | ls | rm SNAPSHOT… | export SNAPSHOT FILE | import FILE SNAPSHOT",
	  "keep the files of a session under a name, for others to begin with",
	  "  coffer session snapshot create work ready\n"
	  "  coffer session create --from ready again\n"
	  "  coffer session snapshot export ready ready.tar.zst; `-` is standard output, and for import standard input\n" },
	{ "session gc", command_gc, ON_GC, false, "", "the same as coffer gc",
	  "  coffer session gc                        sessions whose making was cut short, or whose time was up\n" },
	{ "session rm", command_session_rm, ON_SESSION_NAMED, false, "NAME…", "end sessions, and remove all that they were",
	  "  coffer session rm work\n" },
	{ "verify", command_verify, ON_VERIFY, false, "[options] FILE…|-", "read programs before they run, and say what they may do",
	  "  coffer verify tool.py                    exit status 0: nothing to report; 1: findings\n"
	  "  coffer verify --mode anvil --allow network tool.py\n"
	  "  coffer verify --format sarif src/*.py > findings.sarif\n"
	  "  generate | coffer verify --language python -\n" },
	{ "channel", command_channel, ON_CHANNEL, false, "[options]", "serve sessions to a program, as JSON lines",
	  "  coffer channel                           requests on standard input, answers on standard output; docs/PROTOCOL.md\n"
	  "  coffer channel --listen /run/user/1000/coffer.sock\n" },
	{ "gc", command_gc, ON_GC, false, "", "clear what runs and sessions that were ended by force have left",
	  "  coffer gc                                every run does it in passing; this does it now\n" },
	{ "completion", command_completion, ON_COMPLETION, false, "bash|zsh|fish", "print a completion script for a shell",
	  "  coffer completion bash > ~/.local/share/bash-completion/completions/coffer\n"
	  "  coffer completion zsh > ~/.zfunc/_coffer\n"
	  "  coffer completion fish > ~/.config/fish/completions/coffer.fish\n" },
	{ "version", command_version, ON_VERSION, false, "", "print the version", "  coffer version\n" },
	{ "help", command_help, ON_HELP, false, "[COMMAND|schema]", "show help, or the JSON Schema of settings files",
	  "  coffer help run\n"
	  "  coffer help schema > coffer-settings.schema.json\n" },
	{ NULL, NULL, 0, false, NULL, NULL, NULL },
};
/* clang-format on */

static bool is_called(const char *name, const char *word, const char *next)
{
	size_t n = strlen(word);
	if (strncmp(name, word, n) != 0)
		return false;
	return next ? name[n] == ' ' && strcmp(name + n + 1, next) == 0 : !name[n];
}

const struct command *command_find(const char *word, const char *next, int *ret_words)
{
	for (const struct command *command = commands; command->name; command++) {
		bool one = is_called(command->name, word, NULL), two = next && is_called(command->name, word, next);
		if (!one && !two)
			continue;
		*ret_words = one ? 1 : 2;
		return command;
	}
	return NULL;
}
