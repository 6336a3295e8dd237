package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/bbsync/bbsync/internal/secret"
)

// format is the number of the form that records are stored in. It grows when an
// older bbsync must not write such records any more; a new field alone does not
// need it, since fields that are not known are kept.
const format = 1

// A document is a record as it is stored: flat, so that "vault kv get -field"
// and Vault's own page show it well, and with nothing but strings in our own
// fields, since Vault rounds large numbers.
type document map[string]json.RawMessage

// text returns the field, "" when it is missing or no string.
func (d document) text(key string) string {
	var s string
	if json.Unmarshal(d[key], &s) != nil {
		return ""
	}
	return s
}

func (d document) put(key, value string) {
	if value == "" {
		return
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // a string always marshals
	}
	d[key] = text
}

func (d document) putTime(key string, t time.Time) {
	if !t.IsZero() {
		d.put(key, t.UTC().Format(time.RFC3339Nano))
	}
}

func (d document) putBool(key string, b bool) {
	if b {
		d.put(key, "true")
	}
}

func (d document) equal(e document) bool {
	return maps.EqualFunc(d, e, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })
}

// encode gives the stored form, with nonce as the mark of this one write.
func encode(r Record, nonce string) (document, error) {
	if r.Consumer != nil && r.Consumer.Previous != nil && r.Consumer.Previous.Previous != nil {
		return nil, errors.New("the consumer has more than one previous key pair")
	}
	for _, key := range r.HostKeys {
		if strings.ContainsAny(key, "\r\n") {
			return nil, errors.New("a host key has more than one line")
		}
	}
	d := document{}
	maps.Copy(d, r.unknown)
	d.put("format", strconv.Itoa(format))
	d.put("nonce", nonce)
	d.put("generation", r.Generation)
	d.put("fleet", r.Fleet)
	d.put("address", r.Address)
	d.put("terraform", r.Terraform)
	d.put("organization", r.Organization)
	d.put("bitbucket", r.Bitbucket)
	d.put("service_user", r.ServiceUser)
	d.putBool("protected", r.Protected)
	d.put("moved_from", r.MovedFrom)
	if err := d.putMoving(r.Moving); err != nil {
		return nil, err
	}
	if e := r.Ended; e != nil {
		d.put("ended", e.How)
		d.putTime("ended_at", e.At)
		d.put("ended_to", e.To)
	}
	d.putConsumer("consumer_", r.Consumer)
	d.putSSH("ssh_pending_", r.SSH.Pending)
	d.putSSH("ssh_current_", r.SSH.Current)
	d.putSSH("ssh_previous_", r.SSH.Previous)
	if l := r.Link; l != nil {
		d.put("link_id", l.ID)
		d.put("link_url", l.URL)
		d.putTime("link_made", l.Made)
	}
	if a := r.Authorized; a != nil {
		d.put("authorized_token", a.Token)
		d.put("authorized_user", a.User)
		d.put("authorized_account", strconv.Itoa(a.Account))
	}
	if o := r.Client; o != nil {
		d.put("client_id", o.ID)
		d.putTime("client_made", o.Made)
	}
	d.put("refused_token", r.RefusedToken)
	if x := r.Retired; x != nil {
		d.put("retired_fingerprint", x.Fingerprint)
		d.putTime("retired_at", x.At)
		d.put("retired_why", x.Why)
		d.putBool("retired_destroyed", x.Destroyed)
	}
	d.put("host_keys", strings.Join(r.HostKeys, "\n"))
	if l := r.Lease; l != nil {
		d.put("lease_holder", l.Holder)
		d.put("lease_nonce", l.Nonce)
		d.putTime("lease_taken", l.Taken)
		d.putTime("lease_expires", l.Expires)
	}
	return d, nil
}

func (d document) putConsumer(prefix string, c *Consumer) {
	if c == nil {
		return
	}
	d.put(prefix+"key", c.Key)
	d.put(prefix+"private", c.Private.Reveal())
	d.put(prefix+"public", c.Public)
	d.put(prefix+"fingerprint", c.Fingerprint)
	d.putTime(prefix+"created", c.Created)
	d.putBool(prefix+"brought", c.Brought)
	d.put(prefix+"condemned", c.Condemned)
	d.putConsumer(prefix+"previous_", c.Previous)
}

func (d document) putSSH(prefix string, k *SSHKey) {
	if k == nil {
		return
	}
	d.put(prefix+"private", k.Private.Reveal())
	d.put(prefix+"public", k.Public)
	d.put(prefix+"fingerprint", k.Fingerprint)
	d.putTime(prefix+"created", k.Created)
	d.putBool(prefix+"brought", k.Brought)
	d.putTime(prefix+"published", k.Published)
	d.put(prefix+"token", k.Token)
	d.putTime(prefix+"set", k.Set)
	d.putTime(prefix+"proved", k.Proved)
	d.putTime(prefix+"left", k.Left)
	d.put(prefix+"condemned", k.Condemned)
}

// A reader takes known fields out of a document, or out of the same as texts.
// What is left was not known.
type reader struct {
	left document
	flat map[string]string // instead of left
	err  error
}

// decode reads the stored form. It refuses a newer format, and what is no record.
func decode(d document) (Record, error) { return (&reader{left: maps.Clone(d)}).record() }

func (r *reader) record() (Record, error) {
	if err := r.checkFormat(); err != nil {
		return Record{}, err
	}
	r.text("nonce")
	have := Record{
		Generation: r.text("generation"), Fleet: r.text("fleet"), Address: r.text("address"),
		Terraform: r.text("terraform"), Organization: r.text("organization"), Bitbucket: r.text("bitbucket"),
		ServiceUser: r.text("service_user"), Protected: r.text("protected") == "true",
		MovedFrom:    r.text("moved_from"),
		Moving:       r.moving(),
		Consumer:     r.consumer("consumer_", true),
		RefusedToken: r.text("refused_token"),
		SSH:          SSHKeys{Pending: r.ssh("ssh_pending_"), Current: r.ssh("ssh_current_"), Previous: r.ssh("ssh_previous_")},
	}
	if l := (Link{ID: r.text("link_id"), URL: r.text("link_url"), Made: r.time("link_made")}); l != (Link{}) {
		have.Link = &l
	}
	if a := (Authorized{Token: r.text("authorized_token"), User: r.text("authorized_user"), Account: r.number("authorized_account")}); a != (Authorized{}) {
		have.Authorized = &a
	}
	if o := (OAuthClient{ID: r.text("client_id"), Made: r.time("client_made")}); o != (OAuthClient{}) {
		have.Client = &o
	}
	if x := (Retired{
		Fingerprint: r.text("retired_fingerprint"), At: r.time("retired_at"), Why: r.text("retired_why"),
		Destroyed: r.text("retired_destroyed") == "true",
	}); x != (Retired{}) {
		have.Retired = &x
	}
	if e := (Ended{How: r.text("ended"), At: r.time("ended_at"), To: r.text("ended_to")}); e != (Ended{}) {
		have.Ended = &e
	}
	if keys := r.text("host_keys"); keys != "" {
		have.HostKeys = strings.Split(keys, "\n")
	}
	if l := (Lease{Holder: r.text("lease_holder"), Nonce: r.text("lease_nonce"), Taken: r.time("lease_taken"), Expires: r.time("lease_expires")}); l != (Lease{}) {
		have.Lease = &l
	}
	if unknown := r.rest(); len(unknown) > 0 {
		have.unknown = unknown
	}
	return have, r.err
}

// rest returns what was not taken.
func (r *reader) rest() document {
	if len(r.flat) == 0 {
		return r.left
	}
	d := make(document, len(r.flat))
	for key, text := range r.flat {
		d.put(key, text)
	}
	return d
}

// any reports whether a field with the prefix is left, which spares looking for
// each field of a key that is not there.
func (r *reader) any(prefix string) bool {
	for key := range r.flat {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	for key := range r.left {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

func (r *reader) checkFormat() error {
	text := r.text("format")
	n, err := strconv.Atoi(text)
	switch {
	case r.err != nil:
		return r.err
	case err != nil || n < 1:
		return fmt.Errorf("%w: it has no format number (another secret is on this path; give the connection another record)", ErrNotRecord)
	case n > format:
		return fmt.Errorf("%w: it is of format %d, this one knows %d (update bbsync)", ErrNewerFormat, n, format)
	}
	return nil
}

func (r *reader) text(key string) string {
	if r.flat != nil {
		text := r.flat[key]
		delete(r.flat, key)
		return text
	}
	raw, ok := r.left[key]
	if !ok {
		return ""
	}
	delete(r.left, key)
	var s string
	if err := json.Unmarshal(raw, &s); err != nil && r.err == nil {
		// Not the cause: its text quotes the value.
		r.err = fmt.Errorf("%w: field %q is not text", ErrNotRecord, strings.Clone(key)) // a clone, so that key stays off the heap
	}
	return s
}

// number returns 0 for a field that is missing.
func (r *reader) number(key string) int {
	s := r.text(key)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%w: field %q is not a number", ErrNotRecord, strings.Clone(key))
	}
	return n
}

func (r *reader) time(key string) time.Time {
	s := r.text(key)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%w: field %q is not a time", ErrNotRecord, strings.Clone(key))
	}
	return t.UTC()
}

func (r *reader) consumer(prefix string, previous bool) *Consumer {
	if !r.any(prefix) {
		return nil
	}
	c := &Consumer{
		Key: r.text(prefix + "key"), Private: secret.New(r.text(prefix + "private")), Public: r.text(prefix + "public"),
		Fingerprint: r.text(prefix + "fingerprint"), Created: r.time(prefix + "created"), Brought: r.text(prefix+"brought") == "true",
		Condemned: r.text(prefix + "condemned"),
	}
	if previous {
		c.Previous = r.consumer(prefix+"previous_", false)
	}
	if c.Key == "" && c.Private.Empty() && c.Public == "" && c.Fingerprint == "" && c.Created.IsZero() && !c.Brought && c.Condemned == "" && c.Previous == nil {
		return nil
	}
	return c
}

func (r *reader) ssh(prefix string) *SSHKey {
	if !r.any(prefix) {
		return nil
	}
	k := &SSHKey{
		Private: secret.New(r.text(prefix + "private")), Public: r.text(prefix + "public"), Fingerprint: r.text(prefix + "fingerprint"),
		Created: r.time(prefix + "created"), Brought: r.text(prefix+"brought") == "true", Published: r.time(prefix + "published"),
		Token: r.text(prefix + "token"), Set: r.time(prefix + "set"),
		Proved: r.time(prefix + "proved"), Left: r.time(prefix + "left"), Condemned: r.text(prefix + "condemned"),
	}
	if k.Private.Empty() && k.Public == "" && k.Fingerprint == "" && k.Created.IsZero() && !k.Brought &&
		k.Published.IsZero() && k.Token == "" && k.Set.IsZero() &&
		k.Proved.IsZero() && k.Left.IsZero() && k.Condemned == "" {
		return nil
	}
	return k
}
