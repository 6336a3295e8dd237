package main

import (
	"fmt"
	"strings"

	"github.com/bbsync/bbsync/schema"
)

// load reads the configuration and shows its mistakes.
func (a *app) load() (*schema.Fleet, error) {
	fleet, source, diags := schema.Load(a.dir, schema.Options{
		Version: strings.TrimSuffix(version(), "-dev"), Vars: a.vars, VarFiles: a.varFiles, Env: schema.VarsFromEnv(a.environ()),
	})
	if len(diags) > 0 {
		style := a.style(a.stderr)
		if err := source.Write(a.stderr, diags, uint(max(style.Width, 0)), style.Color); err != nil {
			return nil, err
		}
	}
	if fleet == nil {
		return nil, &exitError{code: exitConfig, err: fmt.Errorf("the configuration in %s has mistakes; nothing was read or changed", a.dir)}
	}
	return fleet, nil
}

// targets returns the connections that the --target flags name: an address, or
// a block's name for all of its connections; none: all.
func targets(fleet *schema.Fleet, names []string) ([]*schema.Connection, error) {
	if len(names) == 0 {
		return fleet.Connections, nil
	}
	found := make(map[string]bool, len(names))
	var out []*schema.Connection
	for _, c := range fleet.Connections {
		for _, name := range names {
			if name == c.Address || name == "connection."+c.Block {
				found[name] = true
				out = append(out, c)
				break
			}
		}
	}
	for _, name := range names {
		if !found[name] {
			return nil, &exitError{code: exitUsage, err: fmt.Errorf("no connection has the address %s; bbsync validate lists them with --verbose", name)}
		}
	}
	return out, nil
}
