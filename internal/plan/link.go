package plan

import "strings"

// link plans the application link and decides whether the one that is there
// must go: one whose consumer has another key than ours cannot be mended in
// place, as Bitbucket would keep the old consumer alive beside the new one.
func (d *differ) link() {
	have, want := d.have.Link, d.want.Link
	if have != nil && d.foreignConsumer() {
		d.linkGone, d.proveOAuth = true, true
		d.doubtToken()
		d.add(DeleteLink{URL: have.URL, Name: have.Name, ConsumerKey: d.have.Consumer.Key},
			d.reason("consumer key in the link", d.have.Consumer.Key, d.consumerKey(), "application_link.url"))
		d.add(CreateLink{URL: want.URL, Name: want.Name})
		return
	}
	if have == nil {
		d.linkGone, d.proveOAuth = true, true
		d.doubtToken() // tokens die with the link
		d.add(CreateLink{URL: want.URL, Name: want.Name},
			d.reason("application link", "none on "+want.URL, want.Name, "application_link.url"))
		if d.have.NameTaken {
			d.warn(d.want.Where("application_link.name"), "another application link is named %q: Bitbucket will add a number to the name", want.Name)
		}
		return
	}
	d.linkName()
}

// linkName plans the link's name. One that another link has is given with a
// number on making a link, and refused on renaming one.
func (d *differ) linkName() {
	have, want := d.have.Link, d.want.Link
	switch {
	case have.Name == want.Name:
	case !d.have.NameTaken:
		d.add(RenameLink{URL: have.URL, From: have.Name, To: want.Name},
			d.reason("application link's name", have.Name, want.Name, "application_link.name"))
	case !strings.HasPrefix(have.Name, want.Name+" - "):
		d.warn(d.want.Where("application_link.name"), "the application link is named %q: it cannot be renamed to %q, as another link has that name", have.Name, want.Name)
	}
}

// foreignConsumer reports whether the link's consumer has a key other than the
// record's, or than the one that a record made in this plan takes over.
func (d *differ) foreignConsumer() bool {
	return d.have.Consumer != nil && d.have.Consumer.Key != d.consumerKey()
}

// consumerKey returns the record's consumer key, also when this plan makes it;
// "" when nothing names it yet.
func (d *differ) consumerKey() string {
	if d.newPair {
		return d.adoptedKey()
	}
	return d.have.Record.Consumer.Key
}

// doubtToken has Terraform asked, at the end, whether the token that is there
// still works.
func (d *differ) doubtToken() { d.doubtful = d.doubtful || d.token() != nil }

// consumer plans the consumer in the link and its proof.
func (d *differ) consumer() {
	if key := d.want.Consumer.Key; key != "" && !d.newPair && key != d.have.Record.Consumer.Key {
		d.warn(d.want.Where("consumer.key"), "the connection was made with consumer key %s, which stays: a consumer key is not changed in place; write it into the files, or give the connection another record", d.have.Record.Consumer.Key)
	}
	if d.swapping {
		d.swapConsumer()
		return
	}
	step := SetConsumer{LinkURL: d.want.Link.URL, Name: d.want.Consumer.Name}
	if !d.newPair {
		step.Fingerprint = d.have.Record.Consumer.Fingerprint
	}
	if because := d.consumerReasons(step); len(because) > 0 {
		d.proveOAuth = true
		d.add(step, because...)
	}
	if d.proveOAuth && (d.newPair || !d.have.Record.Consumer.Unheld) {
		d.add(ProveConsumer{})
	}
}

func (d *differ) consumerReasons(want SetConsumer) []Reason {
	have := d.have.Consumer
	if have == nil || d.linkGone {
		d.doubtToken() // tokens die with their consumer
		return []Reason{d.reason("consumer in the link", "none", "the record's", "application_link.url")}
	}
	var because []Reason
	if d.newPair || have.Fingerprint != want.Fingerprint {
		d.doubtToken()
	}
	if d.newPair {
		because = append(because, d.reason("consumer's public key", have.Fingerprint, "a new one", ""))
	} else if have.Fingerprint != want.Fingerprint {
		because = append(because, d.reason("consumer's public key", have.Fingerprint, want.Fingerprint, ""))
	}
	if have.Name != want.Name {
		because = append(because, d.reason("consumer's name", have.Name, want.Name, "consumer.name"))
	}
	return because
}
