package plan

import "github.com/bbsync/bbsync/schema"

// firstPairRule puts a consumer's pair into the record: the first, or one in place of a
// pair that nobody has.
func firstPairRule(v view) *Change {
	if v.Record != nil && v.Record.Consumer != nil && !v.lostPair() {
		return nil
	}
	s := CreateConsumerKey{Key: v.adoptedKey(), Bits: v.want.Consumer.Bits, From: source(v.want.Consumer.Private)}
	if c := v.client(); c != nil && !v.owns(c) {
		s.Client = c.ID
	}
	return step(s, v.reason("record_consumer_key", "consumer key in Vault", "", "one, before any system learns it", ""))
}

// adoptedKey returns the consumer key that a new pair goes with: the user's
// own, or that of the link or client that is taken over, so that tokens may
// keep working; "": a new one.
func (v view) adoptedKey() string {
	if v.want.Consumer.Key != "" {
		return v.want.Consumer.Key
	}
	if v.Consumer != nil {
		return v.Consumer.Key
	}
	if c := v.client(); c != nil {
		return c.Key
	}
	return ""
}

// compromisedPairRule replaces a compromised pair as soon as link, consumer and client
// are in place. It waits for no one: a token that is missing is authorized later.
func compromisedPairRule(v view) *Change {
	pair := v.Record.Consumer
	switch {
	case pair.Compromised == "":
		return nil
	case pair.Previous != "":
		return step(RetireConsumer{}, v.reason("previous_consumer_pair", "consumer's pair before", pair.Previous, "none, as another one follows", ""))
	}
	return v.anotherPair(v.reason("consumer_pair", "consumer's pair", "compromised: "+pair.Compromised, "a new one at once", ""))
}

// anotherPairRule begins a rotation of the pair.
func anotherPairRule(v view) *Change {
	pair := v.Record.Consumer
	if v.ask.NotPair != "" && v.ask.NotPair == pair.Fingerprint {
		return v.anotherPair(v.reason("consumer_pair", "consumer's pair", pair.Fingerprint, "a new one, "+v.ask.How, ""))
	}
	at := consumerDue(v.want, pair)
	if !v.begins(at) {
		return nil
	}
	return v.anotherPair(v.reason("consumer_pair_age", "age of the consumer's pair", "created on "+day(pair.Created), at.why, at.attribute))
}

// anotherPair puts a new pair into the record, beside the one in use. Each side holds one
// pair, so that there is no overlap: both change in one step, and the record keeps the
// old pair until all is proven.
func (v view) anotherPair(because Reason) *Change {
	pair := v.Record.Consumer
	return step(CreateConsumerKey{Key: pair.Key, Bits: v.want.Consumer.Bits, From: source(v.want.Consumer.Private), Again: true, Reason: pair.Compromised}, because)
}

// swapping reports whether the pair is to change on both sides, back to back.
func (v view) swapping() bool {
	return v.Record.Consumer.Previous != "" && v.inPlace() && !v.bothHave()
}

// swapPair plans the change of both sides.
func (v view) swapPair() *Change {
	pair := v.Record.Consumer
	s := SwapConsumer{LinkURL: v.want.Link.URL, Name: v.want.Consumer.Name, ClientID: known(v.Client().ID), Fingerprint: known(pair.Fingerprint)}
	because := v.reason("consumer_pair_in_use", "consumer's pair on both sides", v.Consumer.Fingerprint, "a new one", "")
	if s.Fingerprint != "" {
		because.Live, because.Want = pair.Previous+", on at least one of them", pair.Fingerprint
	}
	return step(s, because)
}

// previousPairRule ends the pair before, once the new one is proven.
func previousPairRule(v view) *Change {
	before := v.Record.Consumer.Previous
	if before == "" {
		return nil
	}
	return step(RetireConsumer{}, v.reason("previous_consumer_pair", "consumer's pair before", before, "", ""))
}

func source(ref *schema.SecretRef) string {
	switch {
	case ref == nil:
		return ""
	case ref.Vault != "":
		return "vault:" + ref.Vault
	}
	return "env:" + ref.Env
}
