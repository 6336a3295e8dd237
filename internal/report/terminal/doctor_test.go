package terminal

import (
	"testing"

	"github.com/bbsync/bbsync/internal/doctor"
	"github.com/bbsync/bbsync/internal/report/reporttest"
)

func TestDoctorText(t *testing.T) {
	reporttest.Golden(t, "doctor.txt", Doctor(reporttest.Diagnosis(), Options{Style: Style{Width: 100}}))
	reporttest.Golden(t, "doctor-verbose.txt", Doctor(reporttest.Diagnosis(), Options{Verbose: true}))
}

// A system that cannot be used is the illness of all who use it.
func TestIll(t *testing.T) {
	r := reporttest.Diagnosis()
	r.Sections[0].Checks[0].Status = doctor.Failed
	if ill, all := r.Ill(); ill != 4 || all != 4 {
		t.Errorf("%d of %d", ill, all)
	}
}
