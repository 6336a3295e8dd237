package cli

import (
	"fmt"
	"strconv"

	"github.com/bbsync/bbsync/internal/shard"
)

// shardsVariable has the number of shards. Kubernetes and Nomad tell a process only
// its own index.
const shardsVariable = "BBSYNC_SHARDS"

// indexVariables have the index of a process, counted from 0, in different schedulers.
func indexVariables() []string {
	return []string{
		"BBSYNC_SHARD_INDEX",
		"JOB_COMPLETION_INDEX", // of a Kubernetes Indexed Job
		"NOMAD_ALLOC_INDEX",    // of an allocation in a Nomad task group
	}
}

// chooseShard returns the shard of the flag, of the environment, or the whole fleet.
func chooseShard(flag string, getenv func(string) string) (shard.Shard, error) {
	if flag != "" {
		return shard.Parse(flag)
	}
	name, index, err := shardIndex(getenv)
	if err != nil {
		return shard.Shard{}, err
	}
	count := getenv(shardsVariable)
	switch {
	case count == "" && (name == "" || name == "NOMAD_ALLOC_INDEX" && index == 0): // Nomad gives every process one
		return shard.Shard{}, nil
	case count == "":
		return shard.Shard{}, fmt.Errorf("%s is %d, so there are others, and each would do the whole fleet: say how many with %s, or give --shard", name, index, shardsVariable)
	case name == "":
		return shard.Shard{}, fmt.Errorf("%s is %s, and which of them this is nobody says: set one of %v, or give --shard", shardsVariable, count, indexVariables())
	}
	of, err := strconv.Atoi(count)
	if err != nil {
		return shard.Shard{}, fmt.Errorf("%s=%s is not a number of shards", shardsVariable, count)
	}
	s, err := shard.New(index, of)
	if err != nil {
		return shard.Shard{}, fmt.Errorf("%s=%d with %s=%s: %w", name, index, shardsVariable, count, err)
	}
	return s, nil
}

// shardIndex returns the first variable that is set; "" for none.
func shardIndex(getenv func(string) string) (name string, index int, err error) {
	for _, name := range indexVariables() {
		text := getenv(name)
		if text == "" {
			continue
		}
		index, err := strconv.Atoi(text)
		if err != nil {
			return "", 0, fmt.Errorf("%s=%s is not a shard's number", name, text)
		}
		return name, index, nil
	}
	return "", 0, nil
}
