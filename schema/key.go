package schema

import (
	"fmt"
	"time"
)

func (v view) sshKey() SSHKey {
	k := SSHKey{
		Bits:        v.keyBits(),
		RotateAfter: v.duration("rotate_after", 0),
		Overlap:     v.duration("overlap", DefaultOverlap),
	}
	if kid := v.n.one("private_key"); kid != nil {
		ref := v.of(kid).secret()
		k.Private = &ref
		v.brought()
	}
	if k.RotateAfter > 0 && k.Overlap >= k.RotateAfter {
		v.fail("overlap", ruleDuration, "The overlap outlasts the key",
			fmt.Sprintf("A key is replaced after %s, and the one before it would be kept for %s.", k.RotateAfter, k.Overlap),
			"make overlap shorter than rotate_after")
	}
	v.checkRotateAfter(k.RotateAfter)
	return k
}

// leastRotation keeps a slip of the unit ("90s") from rotating without end.
const leastRotation = time.Hour

func (v view) checkRotateAfter(d time.Duration) {
	if d > 0 && d < leastRotation {
		v.fail("rotate_after", ruleDuration, "Rotation without end",
			fmt.Sprintf("Keys would be replaced every %s; the least is %s.", d, leastRotation), durationHint)
	}
}

func (v view) consumer() Consumer {
	c := Consumer{
		Bits:        v.keyBits(),
		Name:        v.text("name"),
		RotateAfter: v.duration("rotate_after", 0),
		Key:         v.text("key"),
	}
	v.checkRotateAfter(c.RotateAfter)
	kid := v.n.one("private_key")
	switch {
	case kid != nil:
		ref := v.of(kid).secret()
		c.Private = &ref
		v.brought()
		if c.Key == "" && !v.broken[v.prefix+"key"] {
			v.fail("key", ruleKey, "A private key without its consumer key",
				"The consumer's private key is brought, and the consumer key that goes with it is not named.", `add key = "..." to the consumer block`)
		}
	case c.Key != "":
		v.fail("key", ruleKey, "A consumer key without its private key",
			"A consumer key goes with a private key, and it is not said where that is kept.",
			`add private_key { vault = "secret/path#field" }, or leave key out and bbsync makes both`)
	}
	return c
}

// brought refuses what only goes with keys that bbsync makes.
func (v view) brought() {
	for _, name := range []string{"bits", "rotate_after"} {
		if v.n.args[name] != nil {
			v.fail(name, ruleKey, name+" does not go with a brought key",
				"Whoever brings the key chooses its size and replaces it; bbsync takes the new one from where it is kept.", "leave "+name+" or private_key out")
		}
	}
}

func (v view) keyBits() int {
	val, ok := v.value("bits")
	if !ok {
		return DefaultKeyBits
	}
	n, accuracy := val.AsBigFloat().Int64()
	if accuracy != 0 || n < MinKeyBits || n > MaxKeyBits || n%8 != 0 {
		v.fail("bits", ruleKey, "Unusable key size",
			fmt.Sprintf("An RSA key here has from %d to %d bits, a multiple of 8.", MinKeyBits, MaxKeyBits), "leave it out for 3072")
		return DefaultKeyBits
	}
	return int(n)
}
