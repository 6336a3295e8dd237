package plan_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bbsync/bbsync/internal/plan"
)

// everyFeature is a plan with all that a plan file can show: shared steps, creation
// with a manual step, changes with reasons, removals that follow another connection,
// blocks and notes.
func everyFeature() plan.Plan {
	create := connectionOf(`connection.team["new"]`, everything())
	create.Needs = []plan.GrantPermission{vpcAdmin}
	create.Notes = []plan.Note{{Text: "a note"}, {Warning: true, Text: "a warning"}}
	change := connectionOf(address, []plan.Step{plan.RenameLink{URL: linkURL, From: "a", To: "b"}, proveSSH})
	change.Changes[0].Because = []plan.Reason{{What: "application link's name", Live: "a", Want: "b"}, {What: "other", Live: "", Want: "x"}}
	removal := connectionOf("record corp/old", []plan.Step{
		plan.DeleteClient{ID: "oc-1", Name: "Bitbucket", Why: "no file describes it", Unlinks: 1, Workspaces: []string{"vpc"}},
		plan.DeleteLink{URL: linkURL, Name: name, ConsumerKey: "bbsync-1"},
		plan.DeleteSSHKey{ID: 1, Fingerprint: "ssh-1"},
		plan.RetireRecord{},
	})
	removal.Removal, removal.After = true, address
	refused := connectionOf(`connection.team["refused"]`, []plan.Step{plan.CreateLink{URL: linkURL, Name: name}})
	refused.Blocks = []plan.Block{{Kind: plan.Refused, Text: "it is there", Remedy: "adopt it"}}
	return plan.Plan{
		Fleet: fleet,
		Bitbuckets: []plan.BitbucketPlan{
			{Label: "corp", URL: "https://bitbucket.example", Changes: []plan.SharedChange{{Step: vpcAdmin, Because: []plan.Reason{{What: "permission", Live: "none", Want: "admin"}}}}},
			{Label: "down", URL: "https://down.example", Blocks: []plan.Block{{Kind: plan.Unreadable, Text: "no answer"}}},
		},
		Connections: []plan.Connection{create, change, removal, refused, connectionOf(`connection.team["same"]`, nil)},
	}
}

// movedOn is what a run may plan later: something else for each connection of
// everyFeature, and steps for what had none.
func movedOn() plan.Plan {
	p := everyFeature()
	p.Bitbuckets[1].Blocks, p.Bitbuckets[1].Changes = nil, []plan.SharedChange{{Step: vpcHookStep}}
	for i := range p.Connections {
		c := &p.Connections[i]
		c.Blocks = nil
		c.Changes = append(slices.Clone(c.Changes), plan.Change{Step: plan.RetireRecord{}})
	}
	p.Connections = append(p.Connections, connectionOf("record corp/victim", []plan.Step{plan.DeleteSSHKey{ID: 2, Fingerprint: "ssh-2"}, plan.RetireRecord{}}))
	return p
}

var vpcHookStep = plan.EnableHook{Project: "INFRA", Repository: "vpc", Key: plan.WebhookPlugin}

func everyInput() plan.Inputs {
	return plan.Inputs{
		Variables: map[string]string{"vault_address": "https://vault.example", "orgs": "3"},
		Systems:   map[string]string{"vault": "https://vault.example", "bitbucket.corp": "https://bitbucket.example"},
		Targets:   []string{"connection.team"}, Adopt: []string{address}, Shard: "0/4", Prune: true, MaxRemovals: 5, AllowUnlink: 1,
	}
}

// TestEditedPlanFiles: whatever is edited in a plan file, with its digests computed
// again or not, apply refuses the file, or runs nothing but what the unedited file
// shows and says what it leaves out.
func TestEditedPlanFiles(t *testing.T) {
	t.Parallel()
	text, err := plan.Encode(everyFeature(), everyInput())
	if err != nil {
		t.Fatal(err)
	}
	j := newJudge(t, text)
	n := map[string]int{}
	for edited := range byteEdits(text) {
		n["bytes"]++
		j.judge("a byte", edited)
	}
	for what, edited := range fieldEdits(t, text) {
		n["fields"]++
		j.judge(what, encodeTree(t, edited))
		n["fields, digest computed again"]++
		j.judge(what+", digest computed again", resealed(t, edited))
	}
	t.Logf("edits tried: %v; refused %d, not refused %d, of which %d left steps out", n, j.refused, j.taken, j.partly)
	if n["fields"] < 2500 || j.taken == 0 || j.partly == 0 {
		t.Error("too few edits, or none of a kind: this proves little")
	}
}

// A judge knows what the unedited file approves in the worlds that apply may find.
type judge struct {
	t        *testing.T
	unedited plan.Saved
	worlds   []plan.Plan
	approved []map[string]string // in each world: address → steps
	inputs   plan.Inputs

	refused, taken, partly int
}

func newJudge(t *testing.T, text []byte) *judge {
	t.Helper()
	saved, err := plan.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	j := &judge{t: t, unedited: saved, worlds: []plan.Plan{everyFeature(), movedOn()}, inputs: everyInput()}
	for _, world := range j.worlds {
		held, _ := saved.Approved(world)
		j.approved = append(j.approved, stepsByAddress(held))
	}
	return j
}

// judge fails the test when the edited file would make apply do what the unedited one
// would not.
func (j *judge) judge(what string, edited []byte) {
	j.t.Helper()
	saved, err := plan.Decode(edited)
	if err != nil || saved.Fleet != fleet || len(saved.Inputs.Differences(j.inputs)) > 0 {
		j.refused++
		return
	}
	j.taken++
	for i, world := range j.worlds {
		held, outdated := saved.Approved(world)
		runs := stepsByAddress(held)
		for address, steps := range runs {
			if was, is := shown(j.unedited, address), shown(saved, address); !reflect.DeepEqual(was, is) {
				j.t.Fatalf("%s: it runs on %s, and the file shows something else:\n%s", what, address, cmp.Diff(was, is))
			}
			if j.approved[i][address] != steps {
				j.t.Fatalf("%s: it runs on %s:\n%s\nand not\n%s\nof\n%s", what, address, steps, j.approved[i][address], edited)
			}
		}
		told := map[string]bool{}
		for _, o := range outdated {
			told[o.Address] = true
		}
		for address := range j.approved[i] {
			if _, ok := runs[address]; !ok && !told[address] {
				j.t.Fatalf("%s: %s is left out without a word", what, address)
			}
		}
		if i == 0 && len(runs) < len(j.approved[i]) {
			j.partly++
		}
	}
}

// shown returns what a file says of an address, but for the notes.
func shown(saved plan.Saved, address string) []plan.Entry {
	var out []plan.Entry
	for _, e := range slices.Concat(saved.Bitbuckets, saved.Connections) {
		if e.Address == address {
			e.Notes = nil
			out = append(out, e)
		}
	}
	return out
}

// stepsByAddress returns what apply would run of a plan.
func stepsByAddress(p plan.Plan) map[string]string {
	out := map[string]string{}
	add := func(address string, blocks []plan.Block, steps []plan.AnyStep) {
		if len(blocks) == 0 && len(steps) > 0 {
			var b strings.Builder
			for _, s := range steps {
				fmt.Fprintf(&b, "%T %s\n", s, encoded(s))
			}
			out[address] = b.String()
		}
	}
	for _, b := range p.Bitbuckets {
		add(b.Address(), b.Blocks, plan.AnySteps(b.Steps()))
	}
	for _, c := range p.Connections {
		add(c.Address, c.Blocks, plan.AnySteps(c.Steps()))
	}
	return out
}

// byteEdits yields the text with each byte changed or left out.
func byteEdits(text []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for i := range text {
			changed := bytes.Clone(text)
			changed[i] ^= 1
			cased := bytes.Clone(text)
			cased[i] ^= 0x20
			for _, edited := range [][]byte{changed, cased, slices.Delete(bytes.Clone(text), i, i+1)} {
				if !bytes.Equal(edited, text) && !yield(edited) {
					return
				}
			}
		}
	}
}

// fieldEdits yields the document with each of its values replaced, removed, repeated
// or exchanged for another value of the document.
func fieldEdits(t *testing.T, text []byte) func(func(string, any) bool) {
	t.Helper()
	parse := func() any {
		var doc any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		return doc
	}
	places := nodes(parse(), nil)
	return func(yield func(string, any) bool) {
		for _, place := range places {
			for _, e := range editsOf(place, places) {
				doc := parse()
				edited := e.edit(doc)
				if reflect.DeepEqual(edited, parse()) {
					continue
				}
				if !yield(fmt.Sprintf("%v: %s", place.path, e.name), edited) {
					return
				}
			}
		}
	}
}

// A node is a value of a document and the way to it: names and indexes.
type node struct {
	path  []any
	value any
}

func nodes(value any, path []any) []node {
	out := []node{{path, value}}
	at := func(step any) []any { return append(slices.Clone(path), step) }
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out = append(out, nodes(v[name], at(name))...)
		}
	case []any:
		for i, e := range v {
			out = append(out, nodes(e, at(i))...)
		}
	}
	return out
}

type treeEdit struct {
	name string
	edit func(doc any) any
}

// editsOf returns the edits at one place: what it may be replaced by, and what its
// parent may become.
func editsOf(place node, all []node) []treeEdit {
	var out []treeEdit
	for _, v := range replacements(place, all) {
		out = append(out, treeEdit{fmt.Sprintf("%.40v instead", v), func(doc any) any {
			return change(doc, place.path, func(any, any) any { return v })
		}})
	}
	if len(place.path) == 0 {
		return out
	}
	last := place.path[len(place.path)-1]
	parent := place.path[:len(place.path)-1]
	return append(out,
		treeEdit{"left out", func(doc any) any { return change(doc, parent, func(v, _ any) any { return without(v, last) }) }},
		treeEdit{"twice", func(doc any) any { return change(doc, parent, func(v, _ any) any { return twice(v, last) }) }},
		treeEdit{"exchanged with the next", func(doc any) any { return change(doc, parent, func(v, _ any) any { return exchanged(v, last) }) }},
	)
}

// replacements are values of every type, and all of the document's of the same name
// or kind: another step's text, another connection's digest.
func replacements(place node, all []node) []any {
	out := []any{nil, "", "x", 0.0, 1.0, true, false, []any{}, map[string]any{}}
	switch v := place.value.(type) {
	case string:
		out = append(out, v+" ", strings.ToUpper(v), strings.TrimSuffix(v, "s"))
	case float64:
		out = append(out, v+1, -v)
	case map[string]any:
		for name, value := range map[string]any{"removal": true, "state": "in sync", "after": "x", "prune": true, "x": 1.0} {
			more := maps.Clone(v)
			more[name] = value
			out = append(out, more)
		}
	}
	seen := map[string]bool{}
	for _, other := range all {
		key := fmt.Sprint(other.value)
		if reflect.TypeOf(other.value) != reflect.TypeOf(place.value) || seen[key] || lastOf(other) != lastOf(place) {
			continue
		}
		seen[key] = true
		out = append(out, other.value)
	}
	return out
}

// lastOf is the name of a value, or of the array that it is in.
func lastOf(n node) string {
	for _, step := range slices.Backward(n.path) {
		if name, ok := step.(string); ok {
			return name
		}
	}
	return ""
}

// change replaces the value at a path.
func change(doc any, path []any, with func(value, key any) any) any {
	if len(path) == 0 {
		return with(doc, nil)
	}
	switch v := doc.(type) {
	case map[string]any:
		name, _ := path[0].(string)
		v[name] = change(v[name], path[1:], with)
	case []any:
		i, _ := path[0].(int)
		v[i] = change(v[i], path[1:], with)
	}
	return doc
}

func without(parent, key any) any {
	switch v := parent.(type) {
	case map[string]any:
		delete(v, key.(string)) //nolint:forcetypeassert // names of objects are strings
		return v
	case []any:
		i, _ := key.(int)
		return slices.Delete(v, i, i+1)
	}
	return parent
}

func twice(parent, key any) any {
	switch v := parent.(type) {
	case map[string]any:
		name, _ := key.(string)
		v[strings.ToUpper(name)] = v[name]
		return v
	case []any:
		i, _ := key.(int)
		return slices.Insert(v, i, v[i])
	}
	return parent
}

func exchanged(parent, key any) any {
	switch v := parent.(type) {
	case map[string]any:
		name, _ := key.(string)
		names := slices.Sorted(maps.Keys(v))
		next := names[(slices.Index(names, name)+1)%len(names)]
		v[name], v[next] = v[next], v[name]
		return v
	case []any:
		i, _ := key.(int)
		next := (i + 1) % len(v)
		v[i], v[next] = v[next], v[i]
		return v
	}
	return parent
}

func encodeTree(t *testing.T, doc any) []byte {
	t.Helper()
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// resealed returns the document as an attacker would write it who has the source:
// laid out as bbsync does, with the digest of what it says now.
func resealed(t *testing.T, doc any) []byte {
	t.Helper()
	var saved plan.Saved
	if err := json.Unmarshal(encodeTree(t, doc), &saved); err != nil {
		return encodeTree(t, doc)
	}
	saved.Digest = ""
	sum := sha256.Sum256(encodeTree(t, saved))
	saved.Digest = hex.EncodeToString(sum[:])
	return encodeTree(t, saved)
}
