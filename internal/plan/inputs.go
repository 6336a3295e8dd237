package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Inputs are what a run was asked for with. A plan file records them, so that a
// reviewer sees them and apply can compare them with its own. It never takes them
// from the file.
type Inputs struct {
	Variables   map[string]string `json:"variables"` // of the configuration, as schema.Fleet has them
	Systems     map[string]string `json:"systems"`   // address of each: "vault", "terraform.LABEL", "bitbucket.LABEL"; "vault namespace"
	Targets     []string          `json:"targets"`
	Adopt       []string          `json:"adopt"`
	Shard       string            `json:"shard"` // "" for the whole fleet
	Prune       bool              `json:"prune"`
	MaxRemovals int               `json:"max_removals"` // in force: the flag's or the configuration's
	AllowUnlink int               `json:"allow_unlink"`
}

// Differences describes each input of a run that is not as in the plan, with both
// values, in a stable order. The order of targets has no meaning.
func (planned Inputs) Differences(run Inputs) []string {
	var out []string
	add := func(name, planned, run string) {
		if planned != run {
			out = append(out, fmt.Sprintf("%s: %s when planned, %s now", name, planned, run))
		}
	}
	for _, name := range keysOf(planned.Variables, run.Variables) {
		add("variable "+name, value(planned.Variables, name), value(run.Variables, name))
	}
	for _, name := range keysOf(planned.Systems, run.Systems) {
		add(name, value(planned.Systems, name), value(run.Systems, name))
	}
	add("--target", set(planned.Targets), set(run.Targets))
	add("--adopt", set(planned.Adopt), set(run.Adopt))
	add("--shard", cmp.Or(planned.Shard, "none"), cmp.Or(run.Shard, "none"))
	add("--prune", fmt.Sprint(planned.Prune), fmt.Sprint(run.Prune))
	add("--max-removals", fmt.Sprint(planned.MaxRemovals), fmt.Sprint(run.MaxRemovals))
	add("--allow-unlink", fmt.Sprint(planned.AllowUnlink), fmt.Sprint(run.AllowUnlink))
	return out
}

// keysOf returns the keys of both maps, sorted.
func keysOf(a, b map[string]string) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

func value(values map[string]string, name string) string {
	if v, ok := values[name]; ok {
		return fmt.Sprintf("%q", v)
	}
	return "none"
}

// set shows texts sorted and without repetitions.
func set(texts []string) string {
	sorted := slices.Compact(slices.Sorted(slices.Values(texts)))
	return cmp.Or(strings.Join(sorted, ", "), "none")
}
