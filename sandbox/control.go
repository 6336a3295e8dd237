package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/bbsync/bbsync/sandbox/front"
)

// administrator is the path where the people of the sandbox reach the n-th Bitbucket
// as its administrator, however that wants its users to log in.
func administrator(n int) string { return fmt.Sprintf("/administrator/%d", n) }

// Administrator returns the address where the people of the sandbox reach the
// Bitbucket of that URL as its administrator.
func (f Facts) Administrator(base string) string {
	for i, b := range f.Bitbuckets {
		if u, err := url.Parse(b.URL); err == nil && b.URL == base {
			return f.Control + administrator(i) + u.Path
		}
	}
	return base
}

// startControl serves what another process may do to the world: read the facts,
// save it, and per server (/servers/NAME/...) what front.Admin offers.
func (w *World) startControl() error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /facts", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(w.Facts) // the client is gone: nobody to tell
	})
	mux.HandleFunc("POST /save", func(rw http.ResponseWriter, _ *http.Request) {
		if err := w.Save(); err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("POST /settle", func(http.ResponseWriter, *http.Request) { w.Terraform.Settle() })
	mux.HandleFunc("POST /misfortune/{name}", w.serveMisfortune)
	for i, b := range w.Bitbuckets {
		mux.Handle(administrator(i)+"/", http.StripPrefix(administrator(i), b.HandlerAs(AdminUser)))
	}
	for name, f := range w.Fronts {
		mux.Handle("/servers/"+name+"/", http.StripPrefix("/servers/"+name, f.Admin()))
	}
	address, err := w.serve("control", w.Facts.Control, false, front.New(mux, front.Options{Name: "control"}))
	w.Facts.Control = address
	return err
}
