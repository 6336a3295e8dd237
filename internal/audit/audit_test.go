package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bbsync/bbsync/internal/audit"
)

func entry(what string) audit.Entry {
	return audit.Entry{
		Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Run: "r", Who: "ci on host, process 1", Fleet: "corp", Step: "CreateLink",
		Address: `connection.team["acme"]`, What: what, Result: audit.Done, Fingerprints: map[string]string{"ssh current": "SHA256:x"},
	}
}

func open(t *testing.T, file string) *audit.Trail {
	t.Helper()
	trail, err := audit.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	return trail
}

func add(t *testing.T, trail *audit.Trail, what ...string) {
	t.Helper()
	for _, w := range what {
		if err := trail.Append(entry(w)); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func verify(t *testing.T, file, hash string) audit.Verdict {
	t.Helper()
	v, err := audit.Verify(bytes.NewReader(read(t, file)), hash)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, read(t, file))
	}
	return v
}

// A trail goes on where it ended, whichever process goes on.
func TestTrailGoesOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	add(t, open(t, file), "one", "two")
	trail := open(t, file)
	entries, hash := trail.Head()
	if entries != 2 {
		t.Errorf("have %d entries, want 2", entries)
	}
	add(t, trail, "three", strings.Repeat("a long one ", 2000))
	add(t, open(t, file), "five")
	v := verify(t, file, hash)
	if v.Entries != 5 || !v.Found || v.Torn != 0 {
		t.Errorf("have %+v, want 5 entries and the head of the second among them", v)
	}
	if v := verify(t, file, strings.Repeat("1", 64)); v.Found {
		t.Error("a hash of nothing is found")
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("have mode %v, %v", info.Mode(), err)
	}
}

// Two processes and their goroutines write one trail.
func TestTrailSharedByWriters(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	var group sync.WaitGroup
	for writer := range 2 {
		trail := open(t, file)
		for n := range 8 {
			group.Go(func() {
				if err := trail.Append(entry(fmt.Sprint(writer, n))); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	if v := verify(t, file, ""); v.Entries != 16 {
		t.Errorf("have %d entries, want 16", v.Entries)
	}
}

// A process that died in the middle of a line, or a full disk, leaves a line
// that is none. The trail goes on behind it and vouches for it.
func TestTrailAfterACrash(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole")
	add(t, open(t, whole), "one", "two")
	text := read(t, whole)
	first := bytes.IndexByte(text, '\n') + 1
	for cut := first; cut <= len(text); cut++ {
		file := filepath.Join(t.TempDir(), "cut")
		if err := os.WriteFile(file, text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		unfinished := cut > first && cut < len(text)-1
		if v := verify(t, file, ""); v.Open != unfinished {
			t.Fatalf("cut at %d of %d: have %+v", cut, len(text), v)
		}
		trail := open(t, file)
		if trail.Torn() != unfinished {
			t.Fatalf("cut at %d of %d: opened as torn: %t", cut, len(text), trail.Torn())
		}
		add(t, trail, "three", "four")
		v := verify(t, file, "")
		want := audit.Verdict{Entries: 3, Torn: 1, Head: v.Head}
		switch {
		case cut == first:
			want.Torn = 0
		case cut >= len(text)-1: // at most the line's end is missing
			want.Entries, want.Torn = 4, 0
		}
		if v != want {
			t.Fatalf("cut at %d of %d: have %+v, want %+v", cut, len(text), v, want)
		}
	}
}

// A line that was added without a hash is not what a crash leaves: verify names
// it, and no run vouches for it, with or without its end, and whatever follows it.
func TestForgedLastLine(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole")
	add(t, open(t, whole), "one", "two")
	text := string(read(t, whole))
	last := text[strings.LastIndex(strings.TrimSuffix(text, "\n"), "\n")+1:]
	body := last[:strings.Index(last, `,"hash"`)]
	for _, line := range []string{
		body + "}", body + `,"hash":"abc"}`, body + `,"hash":"` + strings.Repeat("0", 64) + `"} `, `{"seq":3}`, `{"seq":3} `, `{"seq":3}{`,
		body + "}\n", `{"seq":3,"what":"x"]`, `{"seq":3,"what":x`,
	} {
		file := filepath.Join(t.TempDir(), "forged")
		if err := os.WriteFile(file, []byte(text+line), 0o600); err != nil {
			t.Fatal(err)
		}
		var tampered *audit.TamperedError
		if v, err := audit.Verify(strings.NewReader(text+line), ""); !errors.As(err, &tampered) || tampered.Line != 3 {
			t.Errorf("%s: have %+v, %v", line, v, err)
		}
		if _, err := audit.Open(file); err == nil {
			t.Errorf("%s: the trail goes on behind it", line)
		}
	}
}

// A second crash, in the middle of the very line that vouches for the first one.
func TestTrailAfterTwoCrashes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	add(t, open(t, file), "one", "two")
	for range 3 {
		text := read(t, file)
		if err := os.WriteFile(file, text[:len(text)-40], 0o600); err != nil {
			t.Fatal(err)
		}
		add(t, open(t, file), "again")
	}
	if v := verify(t, file, ""); v.Entries != 2 || v.Torn != 1 {
		t.Errorf("have %+v, want 2 entries and a torn place", v)
	}
}

// Nothing goes to a file that is something else.
func TestTrailRefusesOtherFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(file, []byte("dear diary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Open(file); err == nil || !strings.Contains(err.Error(), "its last line is not of a trail") {
		t.Errorf("have %v", err)
	}
	if _, err := audit.Open(filepath.Join(file, "below")); err == nil {
		t.Error("a trail below a file was opened")
	}
}

// A hostile name stays within its line and shows nothing on a terminal.
func TestTrailIsPrintable(t *testing.T) {
	var out bytes.Buffer
	add(t, audit.To(&out), "\x1b[2J\x9b1m\u009b \u202egnp.\n{\"seq\":2} \U0001f600 \xff")
	text := strings.TrimSuffix(out.String(), "\n")
	for _, r := range text {
		if r < ' ' || r > '~' {
			t.Errorf("the line holds %q: %s", r, text)
		}
	}
	if _, err := audit.Verify(&out, ""); err != nil {
		t.Error(err)
	}
}

// Any change of a trail is found, at the line where it was made, but for
// entries that are missing at its end.
func TestTampering(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	add(t, open(t, file), "one", "two", "three", "four", "five", "six")
	lines := bytes.SplitAfter(bytes.TrimSuffix(read(t, file), []byte("\n")), []byte("\n"))
	lines[len(lines)-1] = append(lines[len(lines)-1], '\n')
	rapid.Check(t, func(t *rapid.T) {
		have := make([][]byte, len(lines))
		for i := range lines {
			have[i] = bytes.Clone(lines[i])
		}
		n := rapid.IntRange(0, len(lines)-1).Draw(t, "line")
		at := n + 1
		switch rapid.SampledFrom([]string{"change", "remove", "repeat", "swap"}).Draw(t, "how") {
		case "change":
			i := rapid.IntRange(0, len(have[n])-2).Draw(t, "byte")
			by := rapid.ByteRange(' ', '~').Filter(func(b byte) bool { return b != have[n][i] }).Draw(t, "by")
			have[n][i] = by
		case "remove":
			if n == len(lines)-1 {
				return // cut off at the end: only a noted head tells
			}
			have = append(have[:n:n], have[n+1:]...)
		case "repeat":
			have = append(have[:n+1:n+1], have[n:]...)
			at++
		case "swap":
			m := rapid.IntRange(0, len(lines)-1).Filter(func(m int) bool { return m != n }).Draw(t, "with")
			have[n], have[m] = have[m], have[n]
			at = min(n, m) + 1
		}
		_, err := audit.Verify(bytes.NewReader(bytes.Join(have, nil)), "")
		var tampered *audit.TamperedError
		if !errors.As(err, &tampered) || tampered.Line != at {
			t.Fatalf("have %v, want line %d:\n%s", err, at, bytes.Join(have, nil))
		}
	})
}

// FuzzVerify: no text makes it fail in another way than by an answer, and what
// it takes for a whole trail can be gone on with.
func FuzzVerify(f *testing.F) {
	var out bytes.Buffer
	trail := audit.To(&out)
	for _, what := range []string{"one", "two"} {
		if err := trail.Append(entry(what)); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(out.Bytes())
	f.Add(out.Bytes()[:out.Len()/2])
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := audit.Verify(bytes.NewReader(text), ""); err != nil {
			return
		}
		file := filepath.Join(t.TempDir(), "trail")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		trail, err := audit.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := trail.Append(entry("next")); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := audit.Verify(bytes.NewReader(after), ""); err != nil || v.Entries == 0 {
			t.Fatalf("after going on: %v, %+v", err, v)
		}
	})
}
