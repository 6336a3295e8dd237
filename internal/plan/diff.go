package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/bbsync/bbsync/schema"
)

// Diff returns what the connection needs to become as wanted. The order of the
// steps is the order of a new connection: Vault, link, consumer, proof, client,
// public key, proof, authorization, private key, proof; a step is left out
// where what it makes is there.
//
//	record | link or client there | what happens
//	-------+----------------------+------------------------------------------
//	no     | no                   | everything is made
//	no     | yes                  | refused, or taken over when adopting
//	yes    | ours or none         | differences are mended in place
//	yes    | somebody else's      | refused, or taken over when adopting
func Diff(fleet string, want *schema.Connection, have Have, now time.Time) Connection {
	return Rotate(fleet, want, have, now, Rotation{})
}

// Rotate is Diff with a rotation asked for.
func Rotate(fleet string, want *schema.Connection, have Have, now time.Time, asked Rotation) Connection {
	want = spelled(want, have)
	return diff(fleet, want, have, now, asked, sshUsers{})
}

// diff is Rotate with what is known of other connections.
func diff(fleet string, want *schema.Connection, have Have, now time.Time, asked Rotation, users sshUsers) Connection {
	d := &differ{want: want, have: have, now: now, asked: asked, users: users}
	d.out = Connection{Target: target(fleet, want), At: want.Range}
	d.out.Basis = have.Record.Basis()
	d.takeMoved()
	if d.blocked() {
		return d.out
	}
	d.out.UserID = have.User.ID
	d.out.UserNames = []string{have.User.Slug, have.User.DisplayName}
	d.readKeys()
	d.client = d.findClient()
	d.renamed()
	d.spelling()
	if d.trusted() && d.notAnothers() && d.sameConnection() && d.handMade() && d.mayTouch() && d.namesKnown() {
		d.describe()
		d.condemn()
		d.coversUsers()
		d.fetches()
		d.secondClients()
		d.record()
		d.link()
		d.consumer()
		d.oauthClient()
		d.anotherPair()
		d.publicKey()
		d.sshRotation()
		d.authorization()
		d.tokenKey()
		d.relocate()
		d.pairEnd()
		d.unheld()
		d.lifetime()
		d.out.Ages, d.out.Token = Ages(want, have, now), d.token()
		d.keyRules()
	}
	if len(d.out.Blocks) > 0 {
		d.out.Changes = nil
	}
	return d.out
}

// A differ carries one comparison through the objects of a connection.
type differ struct {
	want   *schema.Connection
	have   Have
	now    time.Time
	asked  Rotation
	out    Connection
	client *Client  // the live OAuth client that is this connection's, or is taken over
	users  sshUsers // of all connections
	twins  []Client // clients with this connection's consumer key beside client

	newPair    bool // the consumer's pair is made in this plan
	newSSH     bool // the SSH pair is made in this plan
	linkGone   bool // the link is deleted or absent: a new one is made
	proveOAuth bool // link, consumer or client change
	proveSSH   bool // the SSH key is proven in this plan
	doubtful   bool // the token may not outlive what is planned
	waiting    bool // a person must authorize first

	keys       sshKeys // as they will be at this point of the plan
	keyBrought bool    // the SSH keys come from the user that the files named before in this plan
	restaged   bool    // the previous SSH key is staged again in this plan
	rolledBack bool    // a staged SSH key is dropped in this plan, as asked for
	switched   bool    // Terraform gets another SSH key in this plan
	switchedTo string  // its fingerprint; "" when the pair does not exist yet
	tokenSet   bool    // the current SSH key is put on the token in this plan
	swapping   bool    // the consumer's pair changes on both sides in this plan
	newSwap    bool    // to a pair that is made in this plan
	goingOn    bool    // the emergency that is asked for is under way
	seen       bool    // Terraform is asked in this plan which repositories it sees
	retirePair bool    // the record has, or gets, a consumer's pair to retire
}

func (d *differ) add(step Step, because ...Reason) {
	d.out.Changes = append(d.out.Changes, Change{Step: step, Because: because})
}

func (d *differ) note(at hcl.Range, format string, args ...any) {
	d.out.Notes = append(d.out.Notes, Note{Text: fmt.Sprintf(format, args...), At: at})
}

func (d *differ) warn(at hcl.Range, format string, args ...any) {
	d.out.Notes = append(d.out.Notes, Note{Warning: true, Text: fmt.Sprintf(format, args...), At: at})
}

func (d *differ) block(kind BlockKind, at hcl.Range, text, remedy string) {
	d.out.Blocks = append(d.out.Blocks, Block{Kind: kind, Text: text, Remedy: remedy, At: at})
}

func (d *differ) reason(what, live, want, attribute string) Reason {
	return Reason{What: what, Live: live, Want: want, At: d.want.Where(attribute)}
}

// blocked reports whether nothing can be said of the connection at all.
func (d *differ) blocked() bool {
	for _, u := range d.have.Unread {
		d.block(Unreadable, d.want.Range, u.String(), "")
	}
	d.contradiction()
	if d.leased() || len(d.out.Blocks) > 0 {
		return true
	}
	if d.have.User == nil {
		d.block(Invalid, d.want.Where("service_user"),
			fmt.Sprintf("user %q does not exist on %s", d.want.ServiceUser, d.want.Bitbucket.URL),
			"create the service user in Bitbucket, or correct service_user")
	} else if !d.have.User.Active {
		d.block(Invalid, d.want.Where("service_user"),
			fmt.Sprintf("user %q is not active on %s", d.want.ServiceUser, d.want.Bitbucket.URL),
			"activate the user in Bitbucket's user directory")
	}
	for i, g := range d.out.Needs {
		if text, unknown := d.have.Bitbucket.Unknown[g.Key()]; unknown {
			d.block(Invalid, d.want.Grants[i].Range, text, "correct the grant, or create the project or repository in Bitbucket")
		}
	}
	return len(d.out.Blocks) > 0
}

// contradiction refuses a record that contradicts its own keys.
func (d *differ) contradiction() bool {
	r := d.have.Record
	if r == nil || r.Contradiction == nil {
		return false
	}
	d.block(Refused, d.want.Range, r.Contradiction.Text, r.Contradiction.Remedy)
	return true
}

// record plans the pairs that Vault lacks.
func (d *differ) record() {
	r := d.have.Record
	if r == nil || r.Consumer == nil || d.lostPair() {
		d.newPair = true
		d.add(CreateConsumerKey{Key: d.adoptedKey(), Bits: d.want.Consumer.Bits, From: source(d.want.Consumer.Private)},
			d.reason("consumer key in Vault", "none", "one, before any system learns it", ""))
	}
	if !d.newPair {
		d.pairRotation()
	}
	if r == nil || r.Current == nil || d.replaced() {
		d.newSSH = true
		d.staysPublished()
		d.add(CreateSSHKey{Role: Current, Bits: d.want.SSHKey.Bits, Comment: d.label(), From: source(d.want.SSHKey.Private)},
			d.reason("SSH key in Vault", "none", "one, before any system learns it", ""))
	}
}

// adoptedKey returns the consumer key that a new pair goes with: the user's
// own, or that of the link or client that is taken over, so that tokens may
// live on; "": a new one.
func (d *differ) adoptedKey() string {
	switch {
	case d.want.Consumer.Key != "":
		return d.want.Consumer.Key
	case d.have.Consumer != nil:
		return d.have.Consumer.Key
	case d.client != nil:
		return d.client.Key
	}
	return ""
}

// label names the connection on a public key: the fleet owns it, the
// organization uses it.
func (d *differ) label() string { return "bbsync/" + d.out.Fleet + "/" + d.want.Organization }

func source(ref *schema.SecretRef) string {
	switch {
	case ref == nil:
		return ""
	case ref.Vault != "":
		return "vault:" + ref.Vault
	}
	return "env:" + ref.Env
}

// ServiceProvider returns the value that Terraform uses for a Bitbucket of this
// version: go-tfe's comments draw the line at 5.4, the vendor's page recommends
// Data Center 8.0 and newer. The files can say otherwise, as nothing documents
// which values a given Terraform still accepts.
func ServiceProvider(want *schema.Connection, version string) string {
	switch {
	case want.ServiceProvider != "":
		return want.ServiceProvider
	case want.Bitbucket.ServiceProvider != "":
		return want.Bitbucket.ServiceProvider
	case !atLeast(version, 5, 4):
		return "bitbucket_server_legacy"
	case !atLeast(version, 8, 0):
		return "bitbucket_server"
	}
	return "bitbucket_data_center"
}

// atLeast compares the numbers of a version as far as they are asked for; what
// follows them ("-eap") does not matter here.
func atLeast(version string, want ...int) bool {
	release, _, _ := strings.Cut(version, "-")
	numbers := make([]int, len(want))
	for i, text := range strings.Split(release, ".") {
		if i < len(numbers) {
			numbers[i], _ = strconv.Atoi(text)
		}
	}
	return slices.Compare(numbers, want) >= 0
}
