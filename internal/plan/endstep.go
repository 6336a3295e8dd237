package plan

import "fmt"

// NoteConnection notes in the record what the files say of the connection: its
// address, and whether it is protected. A connection that was forgotten is kept
// again from then on.
type NoteConnection struct {
	Address   string
	Protect   bool
	MovedFrom string `json:",omitempty"` // path of a record that was taken over and has ended: the note of it goes
}

// MoveRecord takes a connection's record over from the path that it had under
// another address or organization, empties that one, and destroys its versions.
type MoveRecord struct {
	From, To    string // paths in Vault
	Address     string // that the connection had
	Basis       string // what the record at From said when it was planned
	Before      string // path that From took over and that is not emptied yet; "" for none
	BeforeBasis string `json:",omitempty"` // what the record at Before said
}

// ForgetRecord notes in the record that the connection is left as it is and is
// not bbsync's any more.
type ForgetRecord struct{}

// RetireRecord empties the record of its keys, notes that the connection was
// removed, and destroys the versions that held the keys.
type RetireRecord struct{}

func (NoteConnection) Symbol() string { return "~" }
func (MoveRecord) Symbol() string     { return "-" }
func (ForgetRecord) Symbol() string   { return "~" }
func (RetireRecord) Symbol() string   { return "-" }

func (s NoteConnection) String() string {
	text := "vault: note that the connection is described at " + s.Address
	if s.Protect {
		text += " and is protected"
	}
	if s.MovedFrom != "" {
		text += ", and that its record does not have to be moved from " + s.MovedFrom + " any more"
	}
	return text
}

func (s MoveRecord) String() string {
	text := fmt.Sprintf("vault: move the record of %s from %s to %s, empty the old one and destroy its versions", s.Address, s.From, s.To)
	if s.Before != "" {
		text += "; the same with " + s.Before + ", from where it was moved before"
	}
	return text
}

func (ForgetRecord) String() string {
	return "vault: note that the connection is not kept any more; the systems stay as they are"
}

func (RetireRecord) String() string {
	return "vault: empty the record of its keys and destroy the versions that held them"
}
