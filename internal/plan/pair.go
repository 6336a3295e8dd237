package plan

// pairRotation decides what becomes of the consumer's RSA pair. Each side
// holds one pair, so that there is no overlap: both change back to back, in one
// step, and the record keeps the old pair until all is proven.
func (d *differ) pairRotation() {
	r := d.have.Record
	if d.newPair || r.Consumer == nil {
		return
	}
	inPlace := d.have.Link != nil && d.have.Consumer != nil && d.have.Consumer.Key == r.Consumer.Key && d.client != nil && d.ownsClient(d.client)
	if r.Consumer.Previous != "" {
		d.retirePair = true
		changed := inPlace && d.have.Consumer.Fingerprint == r.Consumer.Fingerprint && d.client.Fingerprint == r.Consumer.Fingerprint
		d.swapping = inPlace && !changed
		if d.swapping || !d.have.TokenDead { // else a person is next, and all has been proven
			d.proveOAuth = changed
			d.doubtToken()
		}
		return
	}
	if because := d.whyPair(); inPlace && len(because) > 0 {
		d.swapping = true
		d.newConsumerPair(because)
	}
}

// anotherPair plans the rotation of a pair that could not begin where pairs are made:
// an earlier one is finished in this plan, or the link, the consumer or the client are
// fixed in it.
func (d *differ) anotherPair() {
	if d.newPair || d.newSwap {
		return
	}
	because := d.whyPair()
	if len(because) == 0 {
		return
	}
	if r := d.have.Record.Consumer; d.retirePair {
		d.add(RetireConsumer{}, d.reason("consumer's pair before", r.Previous, "none, as another one follows", ""))
	}
	d.newConsumerPair(because)
	d.swapConsumer()
}

// newConsumerPair puts a new pair into the record, beside the one in use.
func (d *differ) newConsumerPair(because []Reason) {
	r := d.have.Record.Consumer
	d.retirePair, d.newSwap = true, true
	step := CreateConsumerKey{Key: r.Key, Bits: d.want.Consumer.Bits, From: source(d.want.Consumer.Private), Again: true, Reason: r.Condemned}
	if d.asked.Consumer && step.Reason == "" {
		step.Reason = d.asked.Emergency
	}
	d.add(step, because...)
}

// whyPair returns why a new pair is wanted now, nothing when none is.
func (d *differ) whyPair() []Reason {
	have := d.have.Record.Consumer
	switch {
	case have.Condemned != "":
		return []Reason{d.reason("consumer's pair", "condemned: "+have.Condemned, "a new one at once", "")}
	case d.asked.Consumer && !d.asked.Rollback && !d.pairGoesOn():
		return []Reason{d.reason("consumer's pair", have.Fingerprint, "a new one, "+d.asked.String(), "")}
	case d.token() == nil || d.have.TokenDead:
		return nil
	}
	at := consumerDue(d.want, have)
	return d.inWindow(at, "consumer's pair", d.reason("age of the consumer's pair", "created on "+day(have.Created), at.why, at.attribute))
}

// pairGoesOn reports whether the emergency that is asked for is under way: the pair
// in use is the new one already.
func (d *differ) pairGoesOn() bool {
	return d.asked.Emergency != "" && d.have.Record.Consumer.PreviousCondemned != ""
}

// swapConsumer plans the change of both sides.
func (d *differ) swapConsumer() {
	r := d.have.Record.Consumer
	step := SwapConsumer{LinkURL: d.want.Link.URL, Name: d.want.Consumer.Name}
	if d.client != nil {
		step.ClientID = d.client.ID
	}
	because := d.reason("consumer's pair on both sides", r.Fingerprint, "a new one", "")
	if d.have.Consumer != nil {
		because.Live = d.have.Consumer.Fingerprint
	}
	if !d.newSwap {
		step.Fingerprint = r.Fingerprint
		because.Live, because.Want = r.Previous+", on at least one of them", r.Fingerprint
	}
	d.add(step, because)
	d.doubtToken()
}

// pairEnd plans the end of the pair before, once the new one is proven.
func (d *differ) pairEnd() {
	if !d.retirePair {
		return
	}
	before := d.have.Record.Consumer.Previous
	if d.newSwap {
		before = d.have.Record.Consumer.Fingerprint
	}
	d.add(RetireConsumer{}, d.reason("consumer's pair before", before, "none", ""))
}
