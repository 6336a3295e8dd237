package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/bbsync/bbsync/internal/replace"
)

// Open returns the trail in a file, which is made when it is not there. Several
// processes may write one trail: each takes a lock for each entry, and goes on
// from the line that is the last one then.
//
// The lock is flock's: on a network file system that has none, Append fails
// rather than writes.
func Open(file string) (*Trail, error) {
	t := &Trail{file: file}
	return t, t.locked(func(f *lockedfile.File) error {
		var err error
		t.at, err = end(f)
		return err
	})
}

func (t *Trail) locked(do func(*lockedfile.File) error) (err error) {
	file, err := replace.Resolve(t.file)
	if err != nil {
		return fmt.Errorf("opening the audit trail: %w", err)
	}
	f, err := lockedfile.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the audit trail: %w", err)
	}
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = fmt.Errorf("audit trail %s: %w", t.file, closed)
		}
	}()
	if err := do(f); err != nil {
		return fmt.Errorf("audit trail %s: %w", t.file, err)
	}
	return nil
}

func (t *Trail) toFile(e Entry) error {
	return t.locked(func(f *lockedfile.File) error {
		at, err := end(f)
		if err != nil {
			return err
		}
		text, hash, err := encode(e, at)
		if err != nil {
			return err
		}
		if at.open {
			text = append([]byte("\n"), text...)
		}
		if _, err := f.Write(text); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		t.at = place{seq: at.seq + 1, prev: hash}
		return nil
	})
}

// end returns where the trail goes on: behind its last entry, and behind what a
// crash left after that.
func end(f io.ReadSeeker) (place, error) {
	last, rest, err := tail(f)
	if err != nil {
		return place{}, err
	}
	at := place{seq: last.Seq, prev: start}
	if last.hash != "" {
		at.prev = last.hash
	}
	for text := range bytes.SplitSeq(rest, []byte("\n")) {
		if !begun(text) {
			return place{}, errors.New("its last line is not of a trail; bbsync audit verify says more, and another file begins a new trail")
		}
	}
	at.open, err = unended(f)
	if torn := bytes.TrimSuffix(rest, []byte("\n")); len(torn) > 0 {
		at.torn = digest(torn)
	}
	return at, err
}

// begun reports whether the text is the beginning of an entry and not a whole
// one: what a crash in the middle of a write leaves.
func begun(text []byte) bool {
	head := []byte(`{"seq":`)
	if len(text) <= len(head) {
		return bytes.HasPrefix(head, text)
	}
	err := json.NewDecoder(bytes.NewReader(text)).Decode(new(json.RawMessage))
	return bytes.HasPrefix(text, head) && errors.Is(err, io.ErrUnexpectedEOF)
}

// unended reports whether the file's last line has no end.
func unended(f io.ReadSeeker) (bool, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return false, err
	}
	if _, err := f.Seek(-1, io.SeekEnd); err != nil {
		return false, err
	}
	last := make([]byte, 1)
	_, err = io.ReadFull(f, last)
	return last[0] != '\n', err
}

// tail returns the last entry of the file, and what follows it.
func tail(f io.ReadSeeker) (last parsed, rest []byte, err error) {
	const piece, most = 8 << 10, 4 << 20
	at, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return parsed{}, nil, err
	}
	var have []byte
	for at > 0 && len(have) < most {
		n := min(at, piece)
		at -= n
		if _, err := f.Seek(at, io.SeekStart); err != nil {
			return parsed{}, nil, err
		}
		before := make([]byte, n, int(n)+len(have))
		if _, err := io.ReadFull(f, before); err != nil {
			return parsed{}, nil, err
		}
		have = append(before, have...)
		if last, rest, found := lastEntry(have); found {
			return last, rest, nil
		}
	}
	return parsed{}, have, nil
}

// lastEntry finds the last line of the text that is an entry. A line whose
// beginning is not in the text is none.
func lastEntry(text []byte) (last parsed, rest []byte, found bool) {
	for end := len(text); end > 0; {
		begin := bytes.LastIndexByte(text[:end], '\n') + 1
		if have, err := parse(text[begin:end]); err == nil {
			return have, bytes.TrimPrefix(text[end:], []byte("\n")), true
		}
		end = begin - 1
	}
	return parsed{}, nil, false
}

// A parsed line has the hash that it claims.
type parsed struct {
	line
	hash string
}

// parse reads a line and checks its own hash, nothing else.
func parse(text []byte) (parsed, error) {
	match := hashed.FindSubmatchIndex(text)
	if match == nil {
		return parsed{}, errors.New("it does not end with a hash")
	}
	out := parsed{hash: string(text[match[2]:match[3]])}
	if have := digest(text[:match[0]]); have != out.hash {
		return parsed{}, errors.New("its content has another hash than the one it ends with: it was changed")
	}
	decoder := json.NewDecoder(bytes.NewReader(append(text[:match[0]:match[0]], '}')))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&out.line); err != nil {
		return parsed{}, fmt.Errorf("it is no entry: %w", err)
	}
	return out, nil
}
