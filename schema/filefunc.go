package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// maxFileBytes bounds what file reads: a fleet of 10,000 is about 1 MB of CSV.
const maxFileBytes = 64 << 20

// byteOrderMark is what spreadsheets put before the UTF-8 they export. It is no part
// of a column's name.
const byteOrderMark = "\xef\xbb\xbf"

// inFolder returns the path relative to the configuration folder.
func inFolder(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func pathParam() []function.Parameter {
	return []function.Parameter{{Name: "path", Type: cty.String}}
}

func fileFunc(dir string) function.Function {
	return function.New(&function.Spec{
		Params: pathParam(),
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			content, err := readBelow(dir, args[0].AsString())
			if err != nil {
				return cty.UnknownVal(cty.String), function.NewArgError(0, err)
			}
			return cty.StringVal(string(content)), nil
		},
	})
}

func fileExistsFunc(dir string) function.Function {
	return function.New(&function.Spec{
		Params: pathParam(),
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			f, err := openBelow(dir, args[0].AsString())
			if errors.Is(err, errOutside) {
				return cty.UnknownVal(cty.Bool), function.NewArgError(0, err)
			}
			if err != nil {
				return cty.False, nil
			}
			defer func() { _ = f.Close() }()
			info, err := f.Stat()
			return cty.BoolVal(err == nil && info.Mode().IsRegular()), nil
		},
	})
}

// errOutside says that a path leads out of the configuration folder.
var errOutside = errors.New("file and fileexists read only below the configuration folder, symbolic links included: copy or mount the file there, or pass the value with --var")

// openBelow opens a file below the configuration folder. Anyone who proposes a
// change to the configuration would otherwise choose which files of the machine
// that plans it are read and shown.
func openBelow(dir, path string) (*os.File, error) {
	base, err := filepath.EvalSymlinks(inFolder(dir, "."))
	if err == nil {
		base, err = filepath.Abs(base)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", shown(dir), reason(err))
	}
	below := path
	if filepath.IsAbs(path) {
		if below, err = filepath.Rel(base, path); err != nil {
			return nil, fmt.Errorf("%s: %w", shown(path), errOutside)
		}
	}
	if !filepath.IsLocal(below) || ofKernel(filepath.Join(base, below)) {
		return nil, fmt.Errorf("%s: %w", shown(path), errOutside)
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", shown(base), reason(err))
	}
	defer func() { _ = root.Close() }()
	f, err := root.Open(below)
	if err == nil {
		return f, nil
	}
	if target, unresolved := filepath.EvalSymlinks(filepath.Join(base, below)); unresolved == nil && (!within(base, target) || ofKernel(target)) {
		return nil, fmt.Errorf("%s leads to %s: %w", shown(path), shown(target), errOutside)
	}
	return nil, fmt.Errorf("cannot read %s: %w", shown(path), reason(err))
}

func within(base, path string) bool {
	rel, err := filepath.Rel(base, path)
	return err == nil && filepath.IsLocal(rel)
}

// ofKernel reports whether a path is of the file systems that show the kernel's
// own data: environments, memory, devices. They count even where the
// configuration folder is the root of the file system.
func ofKernel(path string) bool {
	for _, dir := range []string{"/proc", "/dev", "/sys"} {
		if within(dir, path) {
			return true
		}
	}
	return false
}

// readBelow returns the text of a file below the configuration folder, without a
// byte order mark.
func readBelow(dir, path string) ([]byte, error) {
	f, err := openBelow(dir, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", shown(path), reason(err))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", shown(path))
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", shown(path), reason(err))
	}
	if len(content) > maxFileBytes {
		return nil, fmt.Errorf("%s is larger than %d MB", shown(path), maxFileBytes>>20)
	}
	content = bytes.TrimPrefix(content, []byte(byteOrderMark))
	if !utf8.Valid(content) {
		return nil, fmt.Errorf("%s is not UTF-8 text", shown(path))
	}
	if kind := certainKind(content); kind != "" {
		return nil, fmt.Errorf("%s holds %s, and a secret is never a value here: put it into Vault and name its place with vault = \"secret/path#field\"",
			shown(path), kind)
	}
	return content, nil
}

// reason returns what went wrong without the path, which the caller says.
func reason(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}
