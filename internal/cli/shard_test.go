package cli

import (
	"strings"
	"testing"
)

func TestChooseShard(t *testing.T) {
	for _, test := range []struct {
		name, flag string
		env        map[string]string
		want, bad  string
	}{
		{name: "nothing"},
		{name: "flag", flag: "3/8", want: "3/8"},
		{name: "flag over environment", flag: "3/8", env: map[string]string{"JOB_COMPLETION_INDEX": "1", "BBSYNC_SHARDS": "4"}, want: "3/8"},
		{name: "kubernetes", env: map[string]string{"JOB_COMPLETION_INDEX": "1", "BBSYNC_SHARDS": "4"}, want: "1/4"},
		{name: "nomad", env: map[string]string{"NOMAD_ALLOC_INDEX": "0", "BBSYNC_SHARDS": "4"}, want: "0/4"},
		{name: "own", env: map[string]string{"BBSYNC_SHARD_INDEX": "2", "NOMAD_ALLOC_INDEX": "0", "BBSYNC_SHARDS": "4"}, want: "2/4"},
		{name: "nomad, one process", env: map[string]string{"NOMAD_ALLOC_INDEX": "0"}},
		{name: "nomad, several", env: map[string]string{"NOMAD_ALLOC_INDEX": "1"}, bad: "each would do the whole fleet"},
		{name: "kubernetes without a count", env: map[string]string{"JOB_COMPLETION_INDEX": "0"}, bad: "each would do the whole fleet"},
		{name: "a count alone", env: map[string]string{"BBSYNC_SHARDS": "4"}, bad: "nobody says"},
		{name: "more pods than shards", env: map[string]string{"JOB_COMPLETION_INDEX": "4", "BBSYNC_SHARDS": "4"}, bad: "counted from 0 to 3"},
		{name: "no number", env: map[string]string{"JOB_COMPLETION_INDEX": "x", "BBSYNC_SHARDS": "4"}, bad: "not a shard's number"},
		{name: "no count", env: map[string]string{"JOB_COMPLETION_INDEX": "0", "BBSYNC_SHARDS": "many"}, bad: "not a number of shards"},
		{name: "bad flag", flag: "8/8", bad: "counted from 0 to 7"},
	} {
		have, err := chooseShard(test.flag, func(name string) string { return test.env[name] })
		if have.String() != test.want || (err != nil) != (test.bad != "") || err != nil && !strings.Contains(err.Error(), test.bad) {
			t.Errorf("%s: %q, %v; want %q, %q", test.name, have, err, test.want, test.bad)
		}
	}
}
