package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bbsync/bbsync/sandbox/bitbucketd"
)

// What befalls a server, rather than what a person does over its interfaces: a
// setting changed by an administrator, time that passes, a port that closes.

// misfortune lets one happen, by name. base is the URL of the Bitbucket that it
// happens to, org the organization whose connection is meant.
func (w *World) misfortune(name, base, org string) error {
	i, b := w.bitbucketAt(base)
	if b == nil {
		return fmt.Errorf("there is no Bitbucket at %s", base)
	}
	switch name {
	case "stop-ssh":
		return w.ssh[i].Close()
	case "wrong-base-url":
		return b.SetAddresses("https://bitbucket.moved.example", "", 0)
	case "change-host-key":
		return b.ChangeHostKeys()
	case "slow-clock":
		b.SlowClock(10 * time.Minute)
		return nil
	case "lock-account":
		return b.LockWithCaptcha(AdminUser)
	case "require-second-factor":
		_, err := b.Enroll(AdminUser, w.Facts.People.AdminTOTP)
		return err
	case "move-repository":
		return b.MoveRepo(Project, Repositories()[0], Project, Repositories()[0]+"-moved")
	case "transfer-repository":
		if err := b.AddProject("ARCHIVE", "Archive"); err != nil {
			return err
		}
		return b.MoveRepo(Project, Repositories()[0], "ARCHIVE", Repositories()[0])
	case "rename-project":
		return b.MoveProject(Project, Project+"2")
	case "end-sessions":
		b.EndSessions()
		return nil
	case "oauth2-link":
		_, err := b.AddLink(bitbucketd.Link{
			ID: "client-1", OAuth2: true, Name: "Terraform Cloud (" + org + ")", RPCURL: w.Facts.Terraform.Address,
		})
		return err
	}
	edit := w.settingsEdit(name)
	if edit == nil {
		edit = stateEdit(name, org)
	}
	if edit == nil {
		return errors.New("no such misfortune")
	}
	return b.Change(name, edit)
}

func (w *World) bitbucketAt(base string) (int, *bitbucketd.Server) {
	for i, facts := range w.Facts.Bitbuckets {
		if facts.URL == base {
			return i, w.Bitbuckets[i]
		}
	}
	return 0, nil
}

// settingsEdit is what an administrator sets.
func (w *World) settingsEdit(name string) func(*bitbucketd.State) error {
	set := func(edit func(*bitbucketd.Settings)) func(*bitbucketd.State) error {
		return func(st *bitbucketd.State) error {
			edit(&st.Settings)
			return nil
		}
	}
	rule := func(r bitbucketd.SSHKeyTypeRestrict) func(*bitbucketd.State) error {
		return set(func(s *bitbucketd.Settings) {
			s.SSHPolicy.Restrictions = append(s.SSHPolicy.Restrictions, r)
		})
	}
	switch name {
	case "disable-ssh":
		return set(func(s *bitbucketd.Settings) { s.SSHDisabled = true })
	case "block-basic-auth":
		return set(func(s *bitbucketd.Settings) { s.BasicAuth.Block = true })
	case "moved-conflict":
		return set(func(s *bitbucketd.Settings) { s.MovedStatus = http.StatusConflict })
	case "moved-error":
		return set(func(s *bitbucketd.Settings) { s.MovedStatus = http.StatusInternalServerError })
	case "enforce-second-factor":
		return set(func(s *bitbucketd.Settings) { s.EnforceSecondFactor = true })
	case "allow-basic-auth":
		return set(func(s *bitbucketd.Settings) { s.BasicAuth.Block = false })
	case "maintenance":
		return set(func(s *bitbucketd.Settings) { s.ServerState = "MAINTENANCE" })
	case "key-policy-length":
		return rule(bitbucketd.SSHKeyTypeRestrict{Algorithm: "RSA", Allowed: true, MinKeyLength: 4096})
	case "key-policy-type":
		return rule(bitbucketd.SSHKeyTypeRestrict{Algorithm: "RSA"})
	case "key-policy-expiry":
		return set(func(s *bitbucketd.Settings) { s.SSHPolicy.MaxExpiryDays = 90 })
	}
	return nil
}

// stateEdit is what happens to accounts, keys and plugins.
func stateEdit(name, org string) func(*bitbucketd.State) error {
	switch name {
	case "expire-ssh-key":
		return onKeys(org, func(k *bitbucketd.SSHKey) {
			k.Created, k.ExpiryDays = time.Now().AddDate(0, 0, -3).UnixMilli(), 1
		})
	case "take-ssh-key":
		return onKeys(org, func(k *bitbucketd.SSHKey) { k.User = AdminUser })
	case "archive-repository":
		return func(st *bitbucketd.State) error {
			st.Repo(Project, Repositories()[0]).Archived = true
			return nil
		}
	case "freeze-repository":
		return func(st *bitbucketd.State) error {
			st.Repo(Project, Repositories()[0]).Archived, st.Settings.ArchivedFrozen = true, true
			return nil
		}
	case "deactivate-user":
		return func(st *bitbucketd.State) error {
			st.User(ServiceUser).Inactive = true
			return nil
		}
	case "unlicense-user":
		return func(st *bitbucketd.State) error {
			delete(st.Groups["stash-users"].Members, ServiceUser)
			return nil
		}
	case "demote-admin":
		return func(st *bitbucketd.State) error {
			delete(st.Global.Users, AdminUser)
			return nil
		}
	case "remove-plugin":
		return func(st *bitbucketd.State) error {
			delete(st.Plugins, webhookPlugin)
			return nil
		}
	case "disable-plugin":
		return func(st *bitbucketd.State) error {
			p := st.Plugins[webhookPlugin]
			if p == nil {
				return errors.New("the plugin is not installed")
			}
			p.Enabled = false
			return nil
		}
	}
	return nil
}

// onKeys edits the SSH keys that are an organization's, by their labels.
func onKeys(org string, edit func(*bitbucketd.SSHKey)) func(*bitbucketd.State) error {
	return func(st *bitbucketd.State) error {
		n := 0
		for _, k := range st.SSHKeys {
			if strings.HasSuffix(k.Label, "/"+org) {
				edit(k)
				n++
			}
		}
		if n == 0 {
			return fmt.Errorf("no SSH key is labelled for %s", org)
		}
		return nil
	}
}

func (w *World) serveMisfortune(rw http.ResponseWriter, r *http.Request) {
	if err := w.misfortune(r.PathValue("name"), r.URL.Query().Get("bitbucket"), r.URL.Query().Get("organization")); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
	}
}
