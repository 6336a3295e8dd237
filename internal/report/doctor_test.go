package report

import (
	"testing"

	"github.com/bbsync/bbsync/internal/doctor"
	"github.com/bbsync/bbsync/schemas/schematest"
)

// found has every status, and more connections than are shown whole.
func found() doctor.Report {
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

func TestDoctorText(t *testing.T) {
	golden(t, "doctor.txt", Doctor(found(), DoctorOptions{Style: Style{Width: 100}}))
	golden(t, "doctor-verbose.txt", Doctor(found(), DoctorOptions{Verbose: true}))
}

func TestDoctorDocument(t *testing.T) {
	for name, r := range map[string]doctor.Report{"empty": {}, "all": found()} {
		if err := schematest.Check("doctor", encode(t, NewDoctorDocument("corp", r))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	doc := NewDoctorDocument("corp", found())
	if doc.Summary.Connections != 4 || doc.Summary.Failed != 1 || doc.Sections[2].Status != "failed" || doc.Sections[1].Status != "warning" {
		t.Errorf("%+v", doc.Summary)
	}
}

// A system that cannot be used is the illness of all who use it.
func TestIll(t *testing.T) {
	r := found()
	r.Sections[0].Checks[0].Status = doctor.Failed
	if ill, all := r.Ill(); ill != 4 || all != 4 {
		t.Errorf("%d of %d", ill, all)
	}
}
