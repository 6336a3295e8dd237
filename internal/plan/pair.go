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
	because := d.whyPair(inPlace)
	if len(because) == 0 {
		return
	}
	d.swapping, d.retirePair, d.newSwap = true, true, true
	step := CreateConsumerKey{Key: r.Consumer.Key, Bits: d.want.Consumer.Bits, From: source(d.want.Consumer.Private), Again: true}
	if d.asked.Consumer {
		step.Reason = d.asked.Emergency
	}
	d.add(step, because...)
}

// whyPair returns why a new pair is wanted now, nothing when none is.
func (d *differ) whyPair(inPlace bool) []Reason {
	have := d.have.Record.Consumer
	if d.asked.Consumer && !d.asked.Rollback {
		if !inPlace {
			d.note(d.want.Range, "the consumer's pair is not rotated: link, consumer or OAuth client are not in place yet")
			return nil
		}
		return []Reason{d.reason("consumer's pair", have.Fingerprint, "a new one, "+d.asked.String(), "")}
	}
	if !inPlace || d.token() == nil || d.have.TokenDead {
		return nil
	}
	at := consumerDue(d.want, have)
	return d.inWindow(at, "consumer's pair", d.reason("age of the consumer's pair", "created on "+day(have.Created), at.why, at.attribute))
}

// swapConsumer plans the change of both sides.
func (d *differ) swapConsumer() {
	r := d.have.Record.Consumer
	step := SwapConsumer{LinkURL: d.want.Link.URL, Name: d.want.Consumer.Name, ClientID: d.client.ID}
	because := d.reason("consumer's pair on both sides", d.have.Consumer.Fingerprint, "a new one", "")
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
