package keys

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ssh"

	"github.com/bbsync/bbsync/internal/secret"
)

// DeriveSSH returns the pair that an SSH private key makes, its public half
// without a comment. It reads the public numbers out of the private key and does
// not check the rest of it, which takes a thousandth of the time: SSHFrom does,
// and is what a key is published by.
func DeriveSSH(private secret.Text) (Pair, error) {
	n, e, err := publicNumbers(private)
	if err != nil {
		return otherSSH(private)
	}
	blob := make([]byte, 0, len(ssh.KeyAlgoRSA)+len(e)+len(n)+12)
	for _, field := range [][]byte{[]byte(ssh.KeyAlgoRSA), e, n} {
		blob = binary.BigEndian.AppendUint32(blob, uint32(len(field))) //nolint:gosec // a key in PEM is far below 4 GB
		blob = append(blob, field...)
	}
	line := ssh.KeyAlgoRSA + " " + base64.StdEncoding.EncodeToString(blob)
	return Pair{Private: private, Public: line, Fingerprint: digest(blob)}, nil
}

// otherSSH derives a pair that is not RSA, or not in the form that bbsync stores.
func otherSSH(private secret.Text) (Pair, error) {
	signer, err := SSHSigner(private)
	if err != nil {
		return Pair{}, err
	}
	public := signer.PublicKey()
	return Pair{Private: private, Public: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))), Fingerprint: ssh.FingerprintSHA256(public)}, nil
}

// DeriveConsumer returns the pair that a consumer's RSA private key makes. It
// reads as little of the key as DeriveSSH does.
func DeriveConsumer(private secret.Text) (Pair, error) {
	n, e, err := publicNumbers(private)
	if err != nil {
		return Pair{}, err
	}
	der := publicInfo(n, e)
	return Pair{
		Private:     private,
		Public:      string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		Fingerprint: digest(der),
	}, nil
}

var errNotRSA = errors.New("parsing a private key: not an RSA key in PEM")

// publicNumbers returns modulus and exponent of an RSA private key in PKCS #1 or
// PKCS #8 PEM: positive, as short as can be, with the zero byte before a high bit
// that both SSH and DER ask for.
func publicNumbers(private secret.Text) (n, e []byte, err error) {
	text := private.Reveal()
	if n, e, ok := firstNumbers(text); ok {
		return n, e, nil
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, nil, errNotRSA
	}
	der := cryptobyte.String(block.Bytes)
	if block.Type == "PRIVATE KEY" && !unwrapPKCS8(&der) {
		return nil, nil, errNotRSA
	}
	var key cryptobyte.String
	if !der.ReadASN1(&key, asn1.SEQUENCE) || !readNumbers(key, &n, &e) {
		return nil, nil, errNotRSA
	}
	return n, e, nil
}

// firstNumbers decodes the beginning of a key alone, where the numbers are, if it
// is in the form in which bbsync stores keys: PKCS #1 of 2048 to 8192 bits. The
// numbers are in its first quarter: the others together are 3.5 times as long.
func firstNumbers(text string) (n, e []byte, ok bool) {
	const lines, line = MaxRSABits/8/48 + 2, 65 // of 48 bytes, in 64 characters and a line end
	var body [lines * line]byte
	rest, ok := strings.CutPrefix(text, "-----BEGIN RSA PRIVATE KEY-----\n")
	length := min((len(rest)/4/line+1)*line, len(body))
	if !ok || len(rest) < length {
		return nil, nil, false
	}
	copy(body[:], rest[:length])
	der := make([]byte, base64.StdEncoding.DecodedLen(length))
	size, err := base64.StdEncoding.Decode(der, body[:length])
	key := cryptobyte.String(der[:size])
	if err != nil || size < 4 || der[0] != 0x30 || der[1] != 0x82 || !key.Skip(4) { // a SEQUENCE, its length in two bytes
		return nil, nil, false
	}
	ok = readNumbers(key, &n, &e)
	return n, e, ok
}

// readNumbers reads an RSAPrivateKey as far as the public exponent.
func readNumbers(key cryptobyte.String, n, e *[]byte) bool {
	var version int
	ok := key.ReadASN1Integer(&version) && key.ReadASN1Integer(n) && key.ReadASN1Integer(e) && len(*n) > 0 && len(*e) > 0
	if ok {
		*n, *e = unsigned(*n), unsigned(*e)
	}
	return ok
}

// unwrapPKCS8 replaces a PrivateKeyInfo of an RSA key by the key in it.
func unwrapPKCS8(der *cryptobyte.String) bool {
	var info, algorithm, key cryptobyte.String
	var version int
	ok := der.ReadASN1(&info, asn1.SEQUENCE) && info.ReadASN1Integer(&version) &&
		info.ReadASN1Element(&algorithm, asn1.SEQUENCE) && string(algorithm) == rsaAlgorithm &&
		info.ReadASN1(&key, asn1.OCTET_STRING)
	*der = key
	return ok
}

// unsigned returns a big-endian number with the zero byte that keeps it positive.
func unsigned(number []byte) []byte {
	if number[0]&0x80 == 0 {
		return number
	}
	return append([]byte{0}, number...)
}
