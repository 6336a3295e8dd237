package laws_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/bbsync/bbsync/sandbox"
	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

// hostile clears a terminal, changes its title, goes back over the line, turns
// the direction of writing, and looks like HTML, Markdown and a CI's command.
const hostile = "x\x1b[2J\x1b]0;owned\x07\rIn sync\u009b31m\u202e<script>alert(1)</script>`|[a](javascript:b)::error::c"

// TestHostileNames: names that people gave to things on Bitbucket reach no
// terminal, file or page as anything but text.
func TestHostileNames(t *testing.T) {
	b := newBed(t, kind{orgs: 1})
	b.restore(t, b.states(t)["connected"])
	b.must(t, b.world.Bitbuckets[0].Change("hostile names", func(st *bitbucketd.State) error {
		st.User(sandbox.ServiceUser).DisplayName = hostile
		for _, l := range st.Links {
			l.Name = hostile
		}
		for _, c := range st.Consumers {
			c.Name = hostile
		}
		for _, k := range st.SSHKeys {
			k.Label = hostile
		}
		return nil
	}))
	for _, args := range []string{
		"plan", "plan --verbose", "plan --color=always", "plan --json", "drift", "doctor", "apply --auto-approve --audit=-",
	} {
		got := b.exec(t, moment{}, strings.Fields(args)...)
		text := got.output
		if strings.Contains(args, "--color=always") {
			text = colours.Replace(text)
		}
		for _, r := range text {
			if strings.Contains(args, "--json") && r >= 0x80 {
				continue // whoever reads JSON makes of its text what fits
			}
			if r == '\u202e' || unicode.IsControl(r) && r != '\n' && r != '\t' {
				t.Fatalf("bbsync %s printed %U:\n%q", args, r, got.output)
			}
		}
		if args == "plan" && !strings.Contains(text, `x\x1b[2J`) {
			t.Errorf("bbsync plan does not show the name escaped:\n%s", text)
		}
	}
	for _, format := range []string{"markdown", "markdown-bitbucket", "html", "junit", "sarif", "github", "code-insights"} {
		got := b.exec(t, moment{}, "plan", "--format="+format)
		if strings.Contains(got.output, "<script>alert") || strings.Contains(got.output, "\n::error::c") || strings.ContainsAny(got.output, "\x1b\u202e") {
			t.Errorf("bbsync plan --format=%s lets a name be more than text:\n%s", format, got.output)
		}
	}
	if p, _, err := b.applyOnce(t.Context(), false); err != nil || !inSync(p) {
		t.Errorf("after the apply: %v, %s", err, b.leftOver())
	}
}

// colours are those that bbsync itself uses.
var colours = strings.NewReplacer("\x1b[0m", "", "\x1b[1m", "", "\x1b[2m", "", "\x1b[31m", "", "\x1b[32m", "", "\x1b[33m", "", "\x1b[36m", "", "\x1b[1;33m", "", "\x1b[1;31m", "")
