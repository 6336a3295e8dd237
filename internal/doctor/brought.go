package doctor

import (
	"context"

	"github.com/bbsync/bbsync/internal/fault"
	"github.com/bbsync/bbsync/internal/keys"
	"github.com/bbsync/bbsync/internal/secret"
	"github.com/bbsync/bbsync/internal/systems"
	"github.com/bbsync/bbsync/schema"
)

// brought is a private key that its owner keeps somewhere, and bbsync takes.
type brought struct {
	name string // of the check
	what string // of the files' block
	pair answer[keys.Pair]
	used string // fingerprint in the record; "": none yet
}

// readBrought fetches the keys that are brought, to see whether they can be used.
func (f *connectionFacts) readBrought(ctx context.Context, sys *systems.Systems) {
	if ref := f.want.Consumer.Private; ref != nil {
		b := brought{name: "brought-consumer", what: "consumer"}
		b.pair = take(ctx, sys, *ref, keys.ConsumerFrom)
		if r := f.have.Record; r != nil && r.Consumer != nil {
			b.used = r.Consumer.Fingerprint
		}
		f.brought = append(f.brought, b)
	}
	if ref := f.want.SSHKey.Private; ref != nil {
		b := brought{name: "brought-ssh-key", what: "ssh_key"}
		b.pair = take(ctx, sys, *ref, func(t secret.Text) (keys.Pair, error) { return keys.SSHFrom(t, "") })
		if r := f.have.Record; r != nil && r.Current != nil {
			b.used = r.Current.Fingerprint
		}
		f.brought = append(f.brought, b)
	}
}

func (f *connectionFacts) broughtChecks() []Check {
	var out []Check
	for _, b := range f.brought {
		switch have := b.pair.value.Fingerprint; {
		case fault.KindOf(b.pair.err) != fault.Other: // it could not be fetched
			out = append(out, failure(b.name, "the key of private_key in "+b.what+" cannot be read", b.pair.err))
		case b.pair.err != nil:
			out = append(out, failed(b.name, "the key of private_key in "+b.what+" cannot be used", b.pair.err.Error(),
				"put an RSA key of 2048 bits or more there, in PEM, without a passphrase: ssh-keygen -t rsa -b 3072 -m PEM -N ''"))
		case b.used != "" && b.used != have:
			out = append(out, warning(b.name, have+" is there, "+b.used+" is in use", "its owner put another key there, which nothing uses yet", "bbsync rotate takes the new one"))
		default:
			out = append(out, ok(b.name, "%s, RSA, without a passphrase", have))
		}
	}
	return out
}

func take(ctx context.Context, sys *systems.Systems, ref schema.SecretRef, parse func(secret.Text) (keys.Pair, error)) answer[keys.Pair] {
	text, err := sys.Secret(ctx, ref)
	if err != nil {
		return answer[keys.Pair]{err: err}
	}
	return ask(parse(text))
}
