package vault

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/bbsync/bbsync/internal/httpx"
)

// listers is how many folders are listed at once.
const listers = 16

// List returns the paths of all records below prefix, in order, as Read takes
// them; "" is for all. Vault has no recursive list: it is a request per folder.
// Deleted secrets whose metadata is left are listed too.
func (c *Client) List(ctx context.Context, prefix string) ([]string, error) {
	prefix = strings.Trim(prefix, "/")
	if prefix != "" {
		if err := checkPath(prefix); err != nil {
			return nil, fmt.Errorf("vault: list: %w", err)
		}
	}
	ctx = httpx.WithListing(ctx, httpx.MaxListing)
	var paths []string
	level := []string{prefix}
	for asked := 0; len(level) > 0; { // breadth first: no goroutine waits for another
		if asked += len(level); asked > maxFolders {
			return nil, &Error{Op: "listing", Path: c.metadataPath(prefix), Kind: ErrBrokenAnswer, Cause: fmt.Errorf("more than %d folders", maxFolders)}
		}
		found, folders, err := c.listLevel(ctx, level)
		if err != nil {
			return nil, err
		}
		paths, level = append(paths, found...), folders
	}
	slices.Sort(paths)
	return paths, nil
}

// maxFolders ends the listing of a server whose folders never end: each fleet is
// one, and each folder below it one more.
const maxFolders = 50_000

// listLevel lists folders side by side.
func (c *Client) listLevel(ctx context.Context, level []string) (paths, folders []string, err error) {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(listers)
	for _, folder := range level {
		group.Go(func() error {
			names, err := c.listFolder(ctx, folder)
			mu.Lock()
			defer mu.Unlock()
			for _, name := range names {
				path := strings.TrimPrefix(folder+"/"+name, "/")
				if folder, ok := strings.CutSuffix(path, "/"); ok {
					folders = append(folders, folder)
				} else {
					paths = append(paths, path)
				}
			}
			return err
		})
	}
	err = group.Wait()
	return paths, folders, err
}

func (c *Client) listFolder(ctx context.Context, folder string) ([]string, error) {
	req := request{
		op: "listing", needs: `"list"`, query: url.Values{"list": {"true"}},
		path: strings.TrimSuffix(c.metadataPath(folder), "/"),
	}
	data, have, err := fetch[struct {
		Keys []string `json:"keys"`
	}](ctx, c, req)
	switch {
	case err != nil:
		return nil, err
	case have.status == http.StatusNotFound && len(have.errors) > 0:
		return nil, absent(req, have)
	case have.status == http.StatusNotFound:
		return nil, nil // empty
	case data == nil || len(data.Keys) == 0:
		return nil, broken(req, have)
	}
	if strings.Count(folder, "/") >= maxDepth {
		return nil, &Error{Op: req.op, Path: req.path, Status: have.status, Kind: ErrBrokenAnswer, Cause: fmt.Errorf("folders more than %d deep", maxDepth)}
	}
	// What bbsync cannot name it did not write.
	return slices.DeleteFunc(data.Keys, func(name string) bool { return checkPath(strings.TrimSuffix(name, "/")) != nil }), nil
}

// maxDepth is how deep folders may lie in each other.
const maxDepth = 64

// DestroyOlder destroys for good the versions of the record before the one
// given, so that a retired key is in none of them. Vault keeps ten versions
// unless told otherwise.
func (c *Client) DestroyOlder(ctx context.Context, path string, before Version) error {
	if err := checkPath(path); err != nil {
		return fmt.Errorf("vault: record: %w", err)
	}
	req := request{op: "reading the versions of", path: c.metadataPath(path), needs: `"list", "read"`}
	data, have, err := fetch[versions](ctx, c, req)
	switch {
	case err != nil:
		return err
	case have.status != http.StatusOK:
		return absent(req, have)
	case data == nil || len(data.Versions) == 0: // the record that is to stay is one
		return broken(req, have)
	}
	var old []int
	for text, v := range data.Versions {
		n, err := strconv.Atoi(text)
		if err == nil && n < int(before) && !v.Destroyed {
			old = append(old, n)
		}
	}
	if len(old) == 0 {
		return nil
	}
	slices.Sort(old)
	req = request{
		op: "destroying old versions of", path: c.cfg.Mount + "/destroy/" + c.cfg.Path + "/" + path,
		needs: `"update"`, body: map[string]any{"versions": old},
	}
	have, err = c.do(ctx, req)
	switch {
	case err != nil:
		return err
	case have.status >= http.StatusBadRequest:
		return &Error{Op: req.op, Path: req.path, Status: have.status, Texts: have.errors}
	case have.status != http.StatusNoContent:
		return &Error{
			Op: req.op, Path: req.path, Status: have.status, Kind: ErrUnknownOutcome,
			Hint: "Vault answers 204 to this; check what stands between bbsync and Vault, then run again",
		}
	}
	return nil
}
