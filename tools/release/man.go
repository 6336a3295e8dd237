package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// manPages writes the man pages of all commands as one archive and returns its
// name. No binary can write them: one is built for it here, from the same commit.
func (r *releaser) manPages(tree, temp string) (string, error) {
	name := fmt.Sprintf("bbsync_%s_man.tar.gz", r.version)
	fmt.Println(name)
	writer, pages := filepath.Join(temp, "docs"), filepath.Join(temp, "man")
	if err := r.run(tree, []string{"GOFLAGS="}, "go", "build", "-tags=docs", "-buildvcs=true", "-ldflags=-X github.com/bbsync/bbsync/internal/cli.release="+r.version, "-o", writer, "./cmd/bbsync"); err != nil {
		return "", err
	}
	if err := r.run("", nil, writer, "docs", "--man", pages); err != nil {
		return "", err
	}
	return name, archive(pages, filepath.Join(r.out, name))
}

// archive packs a folder's files by name, without times and owners: the same
// files make the same archive.
func archive(folder, into string) (err error) {
	out, err := os.Create(into)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	packed := gzip.NewWriter(out)
	files := tar.NewWriter(packed)
	entries, err := os.ReadDir(folder) // sorted
	if err != nil {
		return err
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return err
		}
		header := &tar.Header{Name: "man1/" + e.Name(), Size: int64(len(text)), Mode: 0o644, Format: tar.FormatUSTAR}
		if err := files.WriteHeader(header); err != nil {
			return err
		}
		if _, err := files.Write(text); err != nil {
			return err
		}
	}
	return errors.Join(files.Close(), packed.Close())
}
