package plan

// linkRule plans the application link. One whose consumer has another key than the
// record's cannot be changed in place, as Bitbucket would keep the old consumer alive
// beside the new one.
func linkRule(v view) *Change {
	have, want, key := v.Link, v.want.Link, v.Record.Consumer.Key
	switch {
	case have != nil && v.Consumer != nil && v.Consumer.Key != key:
		return step(DeleteLink{URL: have.URL, Name: have.Name, ConsumerKey: v.Consumer.Key},
			v.reason("link_consumer_key", "consumer key in the link", v.Consumer.Key, orNew(key), "application_link.url"))
	case have == nil:
		return step(CreateLink{URL: want.URL, Name: want.Name},
			v.reason("link", "application link on "+want.URL, "", want.Name, "application_link.url"))
	case have.Name != want.Name && !v.NameTaken:
		return step(RenameLink{URL: have.URL, From: have.Name, To: want.Name},
			v.reason("link_name", "application link's name", have.Name, want.Name, "application_link.name"))
	}
	return nil
}

// consumerRule plans the consumer in the link, and a proof of what was changed in it.
func consumerRule(v view) *Change {
	if v.swapping() {
		return v.swapPair()
	}
	pair := v.Record.Consumer
	if because := v.consumerReasons(); len(because) > 0 {
		return step(SetConsumer{LinkURL: v.want.Link.URL, Name: v.want.Consumer.Name, Fingerprint: known(pair.Fingerprint)}, because...)
	}
	toRetire := pair.Previous != "" && v.bothHave() && !v.deadToken() && v.since.pair != proven
	if !pair.PrivateElsewhere && (v.since.pair == doubted || toRetire) {
		return step(ProveConsumer{})
	}
	return nil
}

func (v view) consumerReasons() []Reason {
	have, pair := v.Consumer, v.Record.Consumer
	if have == nil {
		return []Reason{v.reason("link_consumer", "consumer in the link", "", "the record's", "application_link.url")}
	}
	var because []Reason
	if have.Fingerprint != pair.Fingerprint {
		because = append(because, v.reason("consumer_public_key", "consumer's public key", have.Fingerprint, orNew(pair.Fingerprint), ""))
	}
	if have.Name != v.want.Consumer.Name {
		because = append(because, v.reason("consumer_name", "consumer's name", have.Name, v.want.Consumer.Name, "consumer.name"))
	}
	return because
}
