package reporttest

import "github.com/bbsync/bbsync/internal/doctor"

// Diagnosis has every status, and more connections than are shown whole.
func Diagnosis() doctor.Report {
	well := doctor.Check{Name: "clock", Status: doctor.OK, Found: "within a second"}
	r := doctor.Report{Sections: []doctor.Section{
		{Kind: doctor.Vault, Name: "vault", Checks: []doctor.Check{well}},
		{Kind: doctor.Bitbucket, Name: "bitbucket.corp", Checks: []doctor.Check{
			well, {Name: "ssh-host-keys", Status: doctor.Warning, Found: "not pinned", Cause: "nobody did", Remedy: "pin them, and while at it write down in a place where others find it whose keys they are"},
		}},
	}}
	for _, name := range []string{"a", "b", "c", "d"} {
		r.Sections = append(r.Sections, doctor.Section{Kind: doctor.Connection, Name: "connection." + name, Needs: []string{"vault"}, Checks: []doctor.Check{well}})
	}
	r.Sections[2].Checks = append(r.Sections[2].Checks,
		doctor.Check{Name: "grants", Status: doctor.Failed, Found: "missing\x1b[2J", Cause: "revoked", Remedy: "apply"},
		doctor.Check{Name: "events", Status: doctor.Unknown, Found: "not known", Cause: "too old"})
	return r
}
