package plan

import "strings"

// link plans the application link and decides whether the one that is there
// must go: one whose consumer has another key than ours cannot be mended in
// place, as Bitbucket would keep the old consumer alive beside the new one.
func (d *differ) link() {
	have, want := d.have.Link, d.want.Link
	if have != nil && d.foreignConsumer() {
		d.linkGone, d.proveOAuth, d.remade = true, true, true
		d.add(DeleteLink{URL: have.URL, Name: have.Name, ConsumerKey: d.have.Consumer.Key},
			d.reason("consumer key in the link", d.have.Consumer.Key, d.have.Record.Consumer.Key, "application_link.url"))
		d.add(CreateLink{URL: want.URL, Name: want.Name})
		return
	}
	if have == nil {
		d.linkGone, d.proveOAuth = true, true
		d.remade = d.client != nil && d.client.Token != nil // tokens die with the link
		d.add(CreateLink{URL: want.URL, Name: want.Name},
			d.reason("application link", "none on "+want.URL, want.Name, "application_link.url"))
		if d.have.NameTaken {
			d.warn(d.want.Where("application_link.name"), "another application link is named %q: Bitbucket will add a number to the name", want.Name)
		}
		return
	}
	if have.Name != want.Name && !(d.have.NameTaken && strings.HasPrefix(have.Name, want.Name+" - ")) {
		d.add(RenameLink{URL: have.URL, From: have.Name, To: want.Name},
			d.reason("application link's name", have.Name, want.Name, "application_link.name"))
	}
}

// foreignConsumer reports whether the link's consumer has a key other than the
// record's. When the record is made in this plan it takes the link's key over.
func (d *differ) foreignConsumer() bool {
	return !d.newPair && d.have.Consumer != nil && d.have.Consumer.Key != d.have.Record.Consumer.Key
}

// consumer plans the consumer in the link and its proof.
func (d *differ) consumer() {
	step := SetConsumer{LinkURL: d.want.Link.URL, Name: d.want.Consumer.Name}
	if !d.newPair {
		step.Fingerprint = d.have.Record.Consumer.Fingerprint
	}
	if because := d.consumerReasons(step); len(because) > 0 {
		d.proveOAuth = true
		d.add(step, because...)
	}
	if d.proveOAuth {
		d.add(ProveConsumer{})
	}
}

func (d *differ) consumerReasons(want SetConsumer) []Reason {
	have := d.have.Consumer
	if have == nil || d.linkGone {
		return []Reason{d.reason("consumer in the link", "none", "the record's", "application_link.url")}
	}
	var because []Reason
	if d.newPair {
		d.remade = true
		because = append(because, d.reason("consumer's public key", have.Fingerprint, "a new one", ""))
	} else if have.Fingerprint != want.Fingerprint {
		because = append(because, d.reason("consumer's public key", have.Fingerprint, want.Fingerprint, ""))
	}
	if have.Name != want.Name {
		because = append(because, d.reason("consumer's name", have.Name, want.Name, "consumer.name"))
	}
	return because
}
