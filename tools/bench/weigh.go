package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// mostOthers is how many of the other libraries are named.
const mostOthers = 8

// A weight is the machine code of a program by who wrote it. Tables, types and
// texts have no owner in a binary; they grow with the code.
type weight struct {
	all, goes, ours, forced int64            // bytes; forced: the three libraries and what they bring
	others                  map[string]int64 // by module: what none of the three brings
}

// weigh divides the code of a program that was built. A package belongs to the
// three libraries when the least program is made of it, too.
func (b *measuring) weigh(ctx context.Context, program, tags string) (weight, error) {
	modules, err := modulesOf(ctx, program, tags)
	if err != nil {
		return weight{}, err
	}
	brought, err := modulesOf(ctx, least, tags)
	if err != nil {
		return weight{}, err
	}
	out, err := exec.CommandContext(ctx, "go", "tool", "nm", "-size", b.built(program)).Output() //nolint:gosec // a program of ours
	if err != nil {
		return weight{}, fmt.Errorf("reading the symbols of %s: %w", program, err)
	}
	w := weight{others: map[string]int64{}}
	for line := range strings.Lines(string(out)) {
		if name, size := codeOf(line); size > 0 {
			pkg := packageOf(name)
			_, forced := brought[pkg]
			w.add(modules[pkg], size, forced)
		}
	}
	return w, nil
}

func (w *weight) add(module string, size int64, forced bool) {
	w.all += size
	switch {
	case module == "":
		w.goes += size
	case module == "github.com/bbsync/bbsync":
		w.ours += size
	case forced:
		w.forced += size
	default:
		w.others[module] += size
	}
}

// modulesOf returns the packages that a program is made of, each with its
// module; Go's own have none.
func modulesOf(ctx context.Context, program, tags string) (map[string]string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-deps", "-tags", tags, "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}", program).Output() //nolint:gosec // a program of ours
	if err != nil {
		return nil, fmt.Errorf("listing what %s is made of: %w", program, err)
	}
	modules := map[string]string{"main": "github.com/bbsync/bbsync"}
	for line := range strings.Lines(string(out)) {
		name, module, _ := strings.Cut(strings.TrimSpace(line), " ")
		modules[name] = module
	}
	return modules, nil
}

// codeOf returns the function that a line of nm is of, and its size: 0 when it
// is of something else. Lines are: address, size, kind, name.
func codeOf(line string) (name string, size int64) {
	fields := strings.Fields(line)
	if len(fields) < 4 || strings.ToUpper(fields[2]) != "T" {
		return "", 0
	}
	size, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil || fields[3] == "runtime.text" || fields[3] == "runtime.etext" {
		return "", 0
	}
	return strings.Join(fields[3:], " "), size
}

// packageOf returns the import path of a function's package: of a generic one
// the package that it is written in.
func packageOf(symbol string) string {
	for _, made := range []string{"type:.eq.", "type:.hash."} {
		symbol = strings.TrimPrefix(symbol, made)
	}
	symbol, _, _ = strings.Cut(symbol, "[")
	folder, name := "", symbol
	if i := strings.LastIndex(symbol, "/"); i >= 0 && !strings.ContainsAny(symbol[:i], "({ ") {
		folder, name = symbol[:i+1], symbol[i+1:]
	}
	name, _, _ = strings.Cut(name, ".")
	return folder + strings.ReplaceAll(name, "%2e", ".")
}

// beside says whose the code is, beside that of the least program.
func (w weight) beside(least weight) string {
	var others int64
	for _, size := range w.others {
		others += size
	}
	names := slices.SortedFunc(maps.Keys(w.others), func(a, b string) int { return cmp.Compare(w.others[b], w.others[a]) })
	var named []string
	for _, name := range names[:min(len(names), mostOthers)] {
		named = append(named, fmt.Sprintf("%s %.2f", name, mega(w.others[name])))
	}
	share := func(size int64) string {
		return fmt.Sprintf("%.1f MB, %.0f %%", mega(size), 100*float64(size)/float64(w.all))
	}
	return fmt.Sprintf("of %.1f MB (alone: %.1f) Go's %s (alone: %.1f); the three libraries' and of what they bring %s (alone: %.1f); bbsync's %s; other libraries' %s: %s",
		mega(w.all), mega(least.all), share(w.goes), mega(least.goes), share(w.forced), mega(least.forced), share(w.ours), share(others), strings.Join(named, ", "))
}
