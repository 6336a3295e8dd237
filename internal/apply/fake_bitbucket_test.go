package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/bitbucket"
	"github.com/bbsync/bbsync/internal/secret"
)

type fakeBitbucket struct{ *world }

func (f fakeBitbucket) do(ctx context.Context, name string, work func() error) error {
	return f.world.do(ctx, bitbucket.ErrUnavailable, name, work)
}

func (f fakeBitbucket) Links(ctx context.Context) (all []bitbucket.Link, err error) {
	err = f.do(ctx, "list links", func() error {
		for _, l := range f.links {
			all = append(all, l)
		}
		return nil
	})
	return all, err
}

func (f fakeBitbucket) CreateLink(ctx context.Context, name, url string) (made bitbucket.Link, err error) {
	err = f.do(ctx, "create link", func() error {
		id, err := bitbucket.LinkID(url)
		if err != nil {
			return err
		}
		if _, ok := f.links[id]; ok {
			return bitbucket.ErrExists
		}
		if f.renames != "" {
			name = f.renames
		}
		made = bitbucket.Link{ID: id, Name: name, URL: url}
		f.links[id] = made
		return nil
	})
	return made, err
}

func (f fakeBitbucket) RenameLink(ctx context.Context, link bitbucket.Link, name string) error {
	return f.do(ctx, "rename link", func() error {
		link.Name = name
		f.links[link.ID] = link
		return nil
	})
}

func (f fakeBitbucket) DeleteLink(ctx context.Context, id string) error {
	return f.do(ctx, "delete link", func() error {
		delete(f.links, id)
		delete(f.consumers, id)
		return nil
	})
}

func (f fakeBitbucket) Consumer(ctx context.Context, linkID string) (have bitbucket.Consumer, err error) {
	err = f.do(ctx, "read consumer", func() error {
		var ok bool
		if have, ok = f.consumers[linkID]; !ok {
			return bitbucket.ErrNotFound
		}
		return nil
	})
	return have, err
}

func (f fakeBitbucket) SetConsumer(ctx context.Context, linkID string, c bitbucket.Consumer) error {
	return f.do(ctx, "set consumer", func() error {
		if _, ok := f.links[linkID]; !ok {
			return bitbucket.ErrNotFound
		}
		f.consumers[linkID] = c
		return nil
	})
}

func (f fakeBitbucket) DeleteOrphanedConsumer(ctx context.Context, key string) error {
	return f.do(ctx, "delete orphaned consumer", func() error {
		for id, c := range f.consumers {
			if _, linked := f.links[id]; !linked && c.Key == key {
				delete(f.consumers, id)
			}
		}
		return f.orphansErr
	})
}

func (f fakeBitbucket) ProveConsumer(ctx context.Context, key string, private secret.Text) error {
	return f.do(ctx, "request token", func() error {
		for _, c := range f.consumers {
			if c.Key == key && publicName(c.PublicKey) == keyName(private.Reveal()) {
				return nil
			}
		}
		return errors.New("signature_invalid")
	})
}

func (f fakeBitbucket) KeyPolicy(ctx context.Context) (bitbucket.KeyPolicy, error) {
	return f.policy, f.do(ctx, "read key policy", func() error { return f.policyErr })
}

func (f fakeBitbucket) AddSSHKey(ctx context.Context, user, line, label string, expiryDays int) (made bitbucket.SSHKey, err error) {
	err = f.do(ctx, "add SSH key", func() error {
		for other, list := range f.sshKeys {
			i := slices.IndexFunc(list, func(k bitbucket.SSHKey) bool { return lineName(k.Line) == lineName(line) })
			if i >= 0 && other != user {
				return bitbucket.ErrExists
			}
			if i >= 0 {
				return nil
			}
		}
		made = bitbucket.SSHKey{ID: 90 + len(f.sshKeys[user]), Line: line, Label: label, ExpiryDays: expiryDays}
		f.sshKeys[user] = append(slices.Clone(f.sshKeys[user]), made)
		return nil
	})
	return made, err
}

func (f fakeBitbucket) DeleteSSHKey(ctx context.Context, user string, id int) error {
	return f.do(ctx, "delete SSH key", func() error {
		f.sshKeys[user] = slices.DeleteFunc(slices.Clone(f.sshKeys[user]), func(k bitbucket.SSHKey) bool { return k.ID == id })
		return nil
	})
}

func (f fakeBitbucket) SSHKeys(ctx context.Context, user string) (list []bitbucket.SSHKey, err error) {
	err = f.do(ctx, "list SSH keys", func() error { list = slices.Clone(f.sshKeys[user]); return nil })
	return list, err
}

func (f fakeBitbucket) WhoamiSSH(ctx context.Context, _ string, key secret.Text, hostKeys []string) (proof bitbucket.SSHProof, err error) {
	err = f.do(ctx, "log in over SSH", func() error {
		if len(hostKeys) > 0 && !slices.Contains(hostKeys, f.hostKey) {
			return &bitbucket.HostKeyError{Have: f.hostKey}
		}
		for user, list := range f.sshKeys {
			for _, k := range list {
				if lineName(k.Line) == keyName(key.Reveal()) {
					proof = bitbucket.SSHProof{User: user, HostKey: f.hostKey}
				}
			}
		}
		if f.lags > 0 {
			f.lags--
			proof = bitbucket.SSHProof{User: serviceUser, HostKey: f.hostKey}
		}
		if proof.User == "" {
			return bitbucket.ErrKeyRefused
		}
		return nil
	})
	return proof, err
}

func (f fakeBitbucket) Clock() (time.Duration, bool) { return f.skew, true }

func (f fakeBitbucket) Grant(ctx context.Context, user string, p bitbucket.Permission) error {
	return f.note(ctx, fmt.Sprintf("permission %s of %s", p, user))
}

func (f fakeBitbucket) HasPermissions(ctx context.Context, user string, wants []bitbucket.Permission) ([]bitbucket.Holding, error) {
	out := make([]bitbucket.Holding, len(wants))
	err := f.do(ctx, "read permissions", func() error {
		for i, p := range wants {
			out[i].Held = slices.Contains(f.other, fmt.Sprintf("permission %s of %s", p, user)) && !f.misses[p.Project]
		}
		return nil
	})
	return out, err
}

func (f fakeBitbucket) InstallPlugin(ctx context.Context, uri string) error {
	return f.note(ctx, "plugin from "+uri)
}

func (f fakeBitbucket) EnablePlugin(ctx context.Context, key string) error {
	return f.note(ctx, "plugin enabled "+key)
}

func (f fakeBitbucket) EnableHook(ctx context.Context, project, repository, key string) error {
	return f.note(ctx, "hook enabled "+strings.Join([]string{project, repository, key}, " "))
}

func (f fakeBitbucket) note(ctx context.Context, what string) error {
	return f.do(ctx, what, func() error {
		if !slices.Contains(f.other, what) {
			f.other = append(f.other, what)
		}
		return nil
	})
}
