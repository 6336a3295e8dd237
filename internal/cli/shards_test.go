package cli

import (
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// eightProcesses runs a command as eight processes at once, each with its
// --shard; what shard i printed is in shard-i.out, its exit code in shard-i.code.
const eightProcesses = `
for i in 0 1 2 3 4 5 6 7; do
	{ "$@" --shard $i/8 >shard-$i.out 2>shard-$i.err; echo $? >shard-$i.code; } &
done
wait
cat shard-*.err >&2`

// shards runs a command as eight processes and insists on their exit codes, each
// being 0 or one of those given: shards 0,4 COMMAND [ARG...].
func shards(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: shards CODE,... COMMAND [ARG...]")
	}
	ts.Check(ts.Exec("sh", append([]string{"-c", eightProcesses, "shards"}, args[1:]...)...))
	seen := map[string]bool{"0": true}
	for i := range 8 {
		code := strings.TrimSpace(ts.ReadFile("shard-" + string(rune('0'+i)) + ".code"))
		if code != "0" && !strings.Contains(","+args[0]+",", ","+code+",") {
			ts.Fatalf("shard %d ended with %s, want 0 or one of %s:\n%s", i, code, args[0], ts.ReadFile("shard-"+string(rune('0'+i))+".out"))
		}
		seen[code] = true
	}
	for code := range strings.SplitSeq(args[0], ",") {
		if !seen[code] {
			ts.Fatalf("no shard ended with %s", code)
		}
	}
}
