package plan

import "github.com/bbsync/bbsync/internal/names"

func (s CreateLink) effect(w *World) {
	w.Link, w.Consumer = &Link{ID: w.name("link"), Name: s.Name, URL: s.URL, Type: "generic"}, nil
	if w.NameTaken {
		w.Link.Name += " - 2"
	}
	r := w.changeRecord()
	r.LinkID, r.LinkURL = w.Link.ID, s.URL
	w.doubtPair(true)
}

func (s RenameLink) effect(w *World) {
	w.Link = new(*w.Link)
	w.Link.Name = s.To
}

func (s DeleteLink) effect(w *World) {
	if w.Link == nil || !names.SameURL(s.URL, w.Link.URL) {
		w.Old = nil
		return
	}
	w.Link, w.Consumer = nil, nil
	w.doubtPair(true)
}

func (s SetConsumer) effect(w *World) {
	w.doubtPair(w.Consumer == nil || w.Consumer.Fingerprint != w.Record.Consumer.Fingerprint)
	w.setConsumer(s.Name)
	w.Record.LinkID, w.Record.LinkURL = w.Link.ID, w.Link.URL
}

func (ProveConsumer) effect(w *World) { w.since.pair = proven }

func (s SwapConsumer) effect(w *World) {
	w.setConsumer(s.Name)
	r := w.changeRecord()
	c := w.changeClient(w.Client().ID)
	c.Key, c.Fingerprint = r.Consumer.Key, r.Consumer.Fingerprint
	w.doubtToken()
	w.since.pair = proven
}

func (s AddSSHKey) effect(w *World) {
	r := w.changeRecord()
	k := *r.key(s.Role)
	if k.Published.IsZero() {
		k.Published = w.Now
	}
	w.Keys = with(w.Keys, k.Fingerprint, SSHKey{Fingerprint: k.Fingerprint, Label: s.Label, Created: w.Now})
	w.since.login = with(w.since.login, k.Fingerprint, doubted)
	if s.Role == Current {
		r.About.ServiceUser, w.OldKeys = w.Target.ServiceUser, nil
	}
}

func (s DeleteSSHKey) effect(w *World) {
	if s.User == "" {
		w.Keys = without(w.Keys, s.Fingerprint)
	} else {
		w.OldKeys = without(w.OldKeys, s.Fingerprint)
	}
}

func (s ProveSSH) effect(w *World) {
	w.since.login = with(w.since.login, (*w.Record.key(s.Role)).Fingerprint, proven)
}

func (s ProveRefused) effect(w *World) {
	w.since.refused = with(w.since.refused, s.Fingerprint, true)
}
