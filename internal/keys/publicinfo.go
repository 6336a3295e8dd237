package keys

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// rsaAlgorithm is the AlgorithmIdentifier of RSA: its OID and NULL.
const rsaAlgorithm = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"

// publicInfo encodes a SubjectPublicKeyInfo of less than 64 kB.
func publicInfo(n, e []byte) []byte {
	const sequence, integer, bitString = 0x30, 0x02, 0x03
	pair := elementLength(len(n)) + elementLength(len(e))
	bits := 1 + elementLength(pair)
	all := len(rsaAlgorithm) + elementLength(bits)
	out := make([]byte, 0, elementLength(all))
	out = append(appendHeader(out, sequence, all), rsaAlgorithm...)
	out = append(appendHeader(out, bitString, bits), 0) // no unused bits
	out = appendHeader(out, sequence, pair)
	out = append(appendHeader(out, integer, len(n)), n...)
	return append(appendHeader(out, integer, len(e)), e...)
}

// elementLength returns the length of a DER element whose contents have n bytes.
func elementLength(n int) int {
	switch {
	case n < 1<<7:
		return 2 + n
	case n < 1<<8:
		return 3 + n
	}
	return 4 + n
}

// appendHeader appends tag and length of a DER element whose contents have n bytes.
func appendHeader(out []byte, tag byte, n int) []byte {
	switch {
	case n < 1<<7:
		return append(out, tag, byte(n)) //nolint:gosec // the case says that it fits
	case n < 1<<8:
		return append(out, tag, 0x81, byte(n))
	}
	return append(out, tag, 0x82, byte(n>>8), byte(n)) //nolint:gosec // a usual key is shorter than 64 KiB
}

// isPublicInfo reports whether der is the DER encoding of an RSA public key of a
// usual size. It is much faster than parsing the key. Keys that it does not recognize
// have to be parsed.
func isPublicInfo(der []byte) bool {
	var info, algorithm, bits, pair cryptobyte.String
	var n, e []byte
	in := cryptobyte.String(der)
	ok := in.ReadASN1(&info, asn1.SEQUENCE) && info.ReadASN1Element(&algorithm, asn1.SEQUENCE) && string(algorithm) == rsaAlgorithm &&
		info.ReadASN1(&bits, asn1.BIT_STRING) && bits.Skip(1) && bits.ReadASN1(&pair, asn1.SEQUENCE) &&
		pair.ReadASN1Integer(&n) && pair.ReadASN1Integer(&e)
	return ok && len(n) >= 1024/8 && len(n) <= MaxRSABits/8 && len(e) > 0 && len(e) <= 3 && bytes.Equal(der, publicInfo(unsigned(n), unsigned(e)))
}
